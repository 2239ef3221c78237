/**
 * The life of one request, written once. It names commands and hears events; when anything happens, and what it costs, is
 * the runtime's business. Draft ∥ reload appears as product states, so the machine is flat and compiles to a table.
 *
 *   queued ─ADMITTED→ prefilling ─PREFILLED→ ┐            ┌────────────── commit ──────────────┐
 *      └────ADMITTED→ fetching ──FETCHED──→ reserving ─SCHEDULED→ drafting ∥ reload → verifying ┘→ finished
 *                         │                  └DEFERRED→ waiting ─SCHEDULED→ ┘
 *                         └ mode full or unverified → decoding → finished
 *
 *   drafting            window filling, reload not begun        drafted   window full, reload not begun
 *   draftingReloading   window filling, reload under way        stalled   window full, reload under way
 *   draftingReloaded    window filling, full KV in HBM
 *
 * From every state on the GPU: PREEMPT and DEVICE_LOST → queued (front), RELOAD_FAILED beyond the retries → decoding on full
 * KV; from everywhere: CANCEL, TIMEOUT, REJECTED → their ends. An event a state does not name is ignored: it is late news.
 */
import { setup } from "xstate"
import type { Outcome, RequestContext, RequestEvent, RequestInput } from "./vocabulary.ts"

/** Tokens a verified round commits: the accepted ones and the verifier's own, up to the end of the output. */
export const committedBy = (context: RequestContext, accepted: number): number =>
  Math.min(accepted + 1, context.output - context.committed)

const base = setup({
  types: {
    context: {} as RequestContext,
    events: {} as RequestEvent,
    input: {} as RequestInput
  },
  actions: {
    enqueue: (_event, _params: { readonly at: "back" | "front" }) => {},
    prefill: () => {},
    fetch: () => {},
    compress: () => {},
    reserve: (_event, _params: { readonly window: number }) => {},
    draft: (_event, _params: { readonly window: number }) => {},
    reload: () => {},
    cancelReload: () => {},
    verify: (_event, _params: { readonly drafted: number }) => {},
    commit: (
      _event,
      _params: { readonly tokens: number; readonly accepted: number; readonly rejected: number }
    ) => {},
    decode: (_event, _params: { readonly on: "full" | "compressed" }) => {},
    fallback: () => {},
    release: () => {},
    finish: (_event, _params: { readonly outcome: Outcome; readonly committed: number }) => {}
  },
  guards: {
    fetches: ({ event }) => event.type === "ADMITTED" && event.context === "fetch",
    prefillEnds: ({ context, event }) =>
      event.type === "PREFILLED" && context.committed + event.tokens >= context.output,
    rounds: ({ context }) => context.mode === "rounds",
    verifyEnds: ({ context, event }) =>
      event.type === "VERIFIED" && committedBy(context, event.accepted) >= context.output - context.committed,
    stepEnds: ({ context, event }) =>
      event.type === "STEPPED" && context.committed + event.tokens >= context.output,
    retries: ({ context }) => context.retries < context.maxRetries
  }
})

const end = (outcome: Outcome) =>
  [
    "release",
    {
      type: "finish",
      params: ({ context }: { context: RequestContext }) => ({ outcome, committed: context.committed })
    }
  ] as const

const reserve = {
  type: "reserve",
  params: ({ context }: { context: RequestContext }) => ({ window: context.window })
} as const
const decode = {
  type: "decode",
  params: ({ context }: { context: RequestContext }) =>
    ({ on: context.mode === "unverified" ? "compressed" : "full" }) as const
} as const
const verify = {
  type: "verify",
  params: ({ context }: { context: RequestContext }) => ({ drafted: context.drafted })
} as const

const commitFirst = base.assign({
  committed: ({ context, event }) =>
    event.type === "PREFILLED"
      ? Math.min(context.output, context.committed + event.tokens)
      : context.committed
})
const commitStep = base.assign({
  committed: ({ context, event }) =>
    event.type === "STEPPED" ? Math.min(context.output, context.committed + event.tokens) : context.committed
})
const noteDrafted = base.assign({
  drafted: ({ context, event }) => (event.type === "DRAFTED" ? event.tokens : context.drafted)
})
const noteRetry = base.assign({ retries: ({ context }) => context.retries + 1 })
const dropRound = base.assign({ drafted: 0, retries: 0 })
const giveUpRounds = base.assign({ drafted: 0, retries: 0, mode: "full" })
const commitRound = base.assign({
  committed: ({ context, event }) =>
    event.type === "VERIFIED" ? context.committed + committedBy(context, event.accepted) : context.committed,
  rounds: ({ context }) => context.rounds + 1,
  drafted: 0,
  retries: 0
})
const commit = {
  type: "commit",
  params: ({ context, event }: { context: RequestContext; event: RequestEvent }) => {
    if (event.type !== "VERIFIED") return { tokens: 0, accepted: 0, rejected: 0 }
    const tokens = committedBy(context, event.accepted)
    const accepted = Math.min(event.accepted, tokens)
    return { tokens, accepted, rejected: event.drafted - accepted }
  }
} as const

/** Everything held on the GPU goes; committed tokens stay; the request waits first in line. */
const preempted = [dropRound, "release", { type: "enqueue", params: { at: "front" } }] as const
const onGpu = {
  PREEMPT: { target: "queued", actions: preempted },
  DEVICE_LOST: { target: "queued", actions: preempted }
} as const
const withReload = {
  PREEMPT: { target: "queued", actions: ["cancelReload", ...preempted] },
  DEVICE_LOST: { target: "queued", actions: ["cancelReload", ...preempted] }
} as const
const failedReload = (state: "drafting" | "drafted") =>
  [
    { guard: "retries", target: state, actions: [noteRetry, "reload"] },
    { target: "decoding", actions: [giveUpRounds, "fallback", decode] }
  ] as const

/** After the context is there: rounds ask for a place, the other modes decode. */
const begin = [
  { guard: "rounds", target: "reserving", actions: ["compress", reserve] },
  { target: "decoding", actions: decode }
] as const

export const requestMachine = base.createMachine({
  id: "request",
  context: ({ input }) => ({ ...input, committed: 0, drafted: 0, retries: 0, rounds: 0 }),
  initial: "queued",
  entry: { type: "enqueue", params: { at: "back" } },
  on: {
    CANCEL: { target: ".cancelled", actions: ["cancelReload", ...end("cancelled")] },
    TIMEOUT: { target: ".timedOut", actions: ["cancelReload", ...end("timed-out")] },
    REJECTED: { target: ".failed", actions: ["cancelReload", ...end("failed")] }
  },
  states: {
    queued: {
      on: {
        ADMITTED: [
          { guard: "fetches", target: "fetching", actions: "fetch" },
          { target: "prefilling", actions: "prefill" }
        ]
      }
    },
    prefilling: {
      on: {
        ...onGpu,
        PREFILLED: [
          { guard: "prefillEnds", target: "finished", actions: [commitFirst, ...end("finished")] },
          { guard: "rounds", target: "reserving", actions: [commitFirst, "compress", reserve] },
          { target: "decoding", actions: [commitFirst, decode] }
        ]
      }
    },
    fetching: {
      on: { ...onGpu, FETCHED: begin, FETCH_FAILED: { target: "prefilling", actions: "prefill" } }
    },
    reserving: {
      on: {
        ...onGpu,
        SCHEDULED: {
          target: "drafting",
          actions: { type: "draft", params: ({ event }) => ({ window: event.window }) }
        },
        DEFERRED: "waiting"
      }
    },
    waiting: {
      on: {
        ...onGpu,
        SCHEDULED: {
          target: "drafting",
          actions: { type: "draft", params: ({ event }) => ({ window: event.window }) }
        }
      }
    },
    drafting: {
      on: {
        ...onGpu,
        RELOAD_STARTED: "draftingReloading",
        DRAFTED: { target: "drafted", actions: noteDrafted }
      }
    },
    draftingReloading: {
      on: {
        ...withReload,
        RELOADED: "draftingReloaded",
        RELOAD_FAILED: failedReload("drafting"),
        DRAFTED: { target: "stalled", actions: noteDrafted }
      }
    },
    draftingReloaded: {
      on: { ...onGpu, DRAFTED: { target: "verifying", actions: [noteDrafted, verify] } }
    },
    drafted: {
      on: { ...onGpu, RELOAD_STARTED: "stalled" }
    },
    stalled: {
      on: {
        ...withReload,
        RELOADED: { target: "verifying", actions: verify },
        RELOAD_FAILED: failedReload("drafted")
      }
    },
    verifying: {
      on: {
        ...onGpu,
        RELOAD_FAILED: failedReload("drafted"),
        VERIFIED: [
          { guard: "verifyEnds", target: "finished", actions: [commit, commitRound, ...end("finished")] },
          { target: "reserving", actions: [commit, commitRound, reserve] }
        ]
      }
    },
    decoding: {
      on: {
        ...onGpu,
        STEPPED: [
          { guard: "stepEnds", target: "finished", actions: [commitStep, ...end("finished")] },
          { actions: commitStep }
        ]
      }
    },
    finished: { type: "final" },
    cancelled: { type: "final" },
    timedOut: { type: "final" },
    failed: { type: "final" }
  }
})
