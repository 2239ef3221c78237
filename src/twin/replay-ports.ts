/**
 * A physics that has happened already: passes and transfers end when a trace says they did, with what it says they found. Put
 * under the simulator's runtime it must be asked for the same things in the same order as the machine was, or it says where not.
 */
import { Context, Effect } from "effect"
import {
  DeviceLost,
  Gpu,
  type Iteration,
  type IterationResult,
  LinkDown,
  LinkIn,
  LinkOut,
  type LinkShape,
  Network,
  type Receipt,
  type Transfer
} from "../runtime/ports.ts"
import type { Kernel } from "../sim/kernel/kernel.ts"
import type { TrackKind } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { recordedRounds, rejections, speculatedSteps } from "./recorded.ts"
import {
  lossesOf,
  movesOf,
  passesOf,
  type RecordedMove,
  whenHeard,
  whenHeardDuring
} from "./recorded-orders.ts"

/** The runtime asked for something else than the machine was asked for. */
export class Diverged extends Error {
  override readonly name = "Diverged"
  /** When the machine had begun what it was asked for, ns. */
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

const asked = (
  { decode, draft, verify, prefill }: Iteration,
  steps: number
): Readonly<Record<string, number>> => ({
  decode: decode.count * steps,
  draft: draft.count * steps,
  verify: verify.reduce((sum, { drafted }) => sum + drafted + 1, 0),
  prefill: prefill.reduce((sum, { tokens }) => sum + tokens, 0)
})

/**
 * The ports of one replica's recorded run. Times of the trace are those of `kernel`. `late`: times at which word of a transfer
 * came just after a pass had begun. Throws `Diverged` inside the run.
 */
export const replayPorts = (
  kernel: Kernel,
  trace: TraceStore,
  late: ReadonlySet<number> = new Set()
): Context.Context<Gpu | LinkIn | LinkOut | Network> => {
  const passes = passesOf(trace)
  const rounds = recordedRounds(trace)
  const rejected = rejections(trace)
  const steps = new Map([...speculatedSteps(trace)].map(([request, own]) => [request, own.values()]))
  /** When a transfer, and no pass, found the device lost. */
  const lostBetween = new Set(
    lossesOf(trace).flatMap(({ at: time, order }) => (order?.during === false ? [time] : []))
  )
  let next = 0
  const waiting: (() => void)[] = []
  const reactor = kernel.add({ receive: (_code, slot) => waiting[slot]!() })
  const at = (time: number, then: () => void): number => {
    waiting.push(then)
    return kernel.at(Math.max(kernel.now, time), reactor, 0, waiting.length - 1)
  }
  /** Words that the scheduler heard after a run of passes had ended and before the next began, by the number of runs begun. */
  const between = new Map<number, { readonly place: number; readonly word: () => void }[]>()
  /** Runs of passes that have ended. */
  let ended = 0
  /** Tells of a transfer when the machine's scheduler heard of it; returns how to leave it untold. */
  const tell = ({ end, order, place, bytes }: RecordedMove, then: () => void): (() => void) => {
    let told = false
    const once = (): void => {
      if (!told) then()
      told = true
    }
    // Of what was stopped nobody heard again; on a wall clock the order tells that from a failure.
    if (order === undefined && bytes === undefined && trace.meta.clock === "wall") return () => {}
    if (order === undefined) {
      const event = at(whenHeard(passes, end, late), once)
      return () => kernel.cancel(event)
    }
    const { begun, during } = order
    if (during && passes[begun - 1] !== undefined) {
      const event = at(whenHeardDuring(passes, end, begun), once)
      return () => kernel.cancel(event)
    }
    if (ended >= begun && end <= (passes[begun - 1]?.idle ?? Infinity)) {
      // Ordered and heard of before the next run began, which here is the same instant.
      once()
      return () => {}
    }
    if (ended >= begun) {
      const event = at(end, once)
      return () => kernel.cancel(event)
    }
    between.set(begun, [...(between.get(begun) ?? []), { place, word: once }])
    return () => {
      told = true
    }
  }

  const resultOf = (iteration: Iteration, ran: number, seconds: number): IterationResult => ({
    steps: ran,
    seconds,
    verified: iteration.verify.map(({ request, round, ...item }) => {
      const { accepted, at: told } = rounds.get(request)?.[round - 1] ?? { accepted: 0, at: 0 }
      const drafted = iteration.proposals > 0 ? accepted + rejected(request, told) : item.drafted
      return { request, drafted, accepted: Math.min(drafted, accepted) }
    }),
    ...(iteration.proposals > 0
      ? {
          stepped: Array.from(
            iteration.decode.members.keys(),
            (request) => steps.get(request)?.next().value ?? { tokens: 1, proposed: 0, agreed: 0 }
          )
        }
      : {}),
    limits: { hbm: 0, compute: seconds, interconnect: 0, scheduling: 0 },
    hbmBytes: 0
  })

  const run = (iteration: Iteration): Effect.Effect<IterationResult, DeviceLost> =>
    Effect.callback<IterationResult, DeviceLost>((resume) => {
      const pass = passes[next++]
      if (pass === undefined)
        throw new Diverged(kernel.now, `pass ${next} was never run; the trace has ${passes.length}`)
      const ran = pass.tokens
      for (const [kind, tokens] of ran === undefined ? [] : Object.entries(asked(iteration, pass.steps))) {
        const real = ran?.[kind] ?? 0
        if (tokens !== real)
          throw new Diverged(
            pass.start,
            `pass ${next} is asked for ${tokens} ${kind} tokens; ${real} were run`
          )
      }
      const from = kernel.now
      const event = at(pass.end, () => {
        ended++
        resume(
          pass.tokens === undefined
            ? Effect.fail(new DeviceLost({ reason: "as recorded" }))
            : Effect.succeed(resultOf(iteration, pass.steps, (kernel.now - from) * 1e-9))
        )
        // In the same instant, so that the scheduler hears of it before it decides what to run next.
        for (const { word } of (between.get(ended) ?? []).toSorted((a, b) => a.place - b.place)) word()
      })
      return Effect.sync(() => kernel.cancel(event))
    })

  const link = (kind: TrackKind): LinkShape => {
    const moves = movesOf(trace, kind)
    let moved = 0
    return {
      move: (transfer: Transfer) =>
        Effect.callback<Receipt, LinkDown | DeviceLost>((resume) => {
          const move = moves[moved++]
          const what = `transfer ${moved} ${kind}`
          if (move === undefined)
            throw new Diverged(kernel.now, `${what} was never made; the trace has ${moves.length}`)
          if (move.request !== transfer.request)
            throw new Diverged(
              kernel.now,
              `${what} is for request ${transfer.request}; it was for ${move.request}`
            )
          const from = kernel.now
          return Effect.sync(
            tell(move, () =>
              resume(
                move.bytes !== undefined
                  ? Effect.succeed({ bytes: move.bytes, seconds: (kernel.now - from) * 1e-9 })
                  : lostBetween.has(move.end)
                    ? Effect.fail(new DeviceLost({ reason: "as recorded" }))
                    : Effect.fail(new LinkDown({ moved: 0 }))
              )
            )
          )
        })
    }
  }
  return Context.make(Gpu, Gpu.of({ run, cut: () => {}, release: () => {} })).pipe(
    Context.add(LinkIn, LinkIn.of(link("link-h2d"))),
    Context.add(LinkOut, LinkOut.of(link("link-d2h"))),
    Context.add(Network, Network.of(link("network")))
  )
}
