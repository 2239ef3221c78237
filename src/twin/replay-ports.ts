/**
 * A physics that has happened already: passes and transfers end when a trace says they did, with what it says they found. Put
 * under the simulator's runtime it must be asked for the same things in the same order as the machine was, or it says where not.
 */
import { Context, Effect } from "effect"
import {
  Gpu,
  type Iteration,
  type IterationResult,
  LinkDown,
  LinkIn,
  LinkOut,
  type LinkShape,
  Network,
  type Transfer
} from "../runtime/ports.ts"
import type { Kernel } from "../sim/kernel/kernel.ts"
import { EVENT_KINDS, type TrackKind } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { recordedRounds, rejections, speculatedSteps } from "./recorded.ts"

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

interface RecordedPass {
  readonly start: number
  readonly end: number
  readonly steps: number
  /** Tokens by kind of position. */
  readonly tokens: Readonly<Record<string, number>>
}

/** Runs of passes in order; one that computed several kinds of position is one. */
const passesOf = ({ slices, tracks }: TraceStore): readonly RecordedPass[] => {
  const found = new Map<
    string,
    { start: number; end: number; steps: number; tokens: Record<string, number> }
  >()
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== "gpu") continue
    const [start, end, steps] = [slices.start[row]!, slices.end[row]!, slices.steps[row]!]
    const key = `${start} ${end}`
    const pass = found.get(key) ?? { start, end, steps, tokens: {} }
    pass.tokens[EVENT_KINDS[slices.kind[row]!]!] = slices.tokens[row]!
    found.set(key, pass)
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start)
}

interface RecordedMove {
  readonly end: number
  /** Runs of passes begun when the scheduler heard of it, and whether the last of them was under way; undefined: only the clock tells. */
  readonly order: { readonly begun: number; readonly during: boolean } | undefined
  readonly request: number
  /** Undefined: it was stopped or failed. */
  readonly bytes: number | undefined
}

const movesOf = ({ slices, tracks }: TraceStore, kind: TrackKind): readonly RecordedMove[] => {
  const found: (RecordedMove & { readonly start: number })[] = []
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== kind) continue
    const failed = EVENT_KINDS[slices.kind[row]!] === "fault"
    found.push({
      start: slices.start[row]!,
      end: slices.end[row]!,
      order:
        slices.steps[row]! > 0 ? { begun: slices.steps[row]!, during: slices.members[row]! > 0 } : undefined,
      request: slices.request[row]! - 1,
      bytes: failed ? undefined : slices.bytes[row]!
    })
  }
  return found.toSorted((a, b) => a.start - b.start)
}

/** Longest pause between two passes that is the scheduler's own work, ns, and no wait for something. */
const TURN = 5e6

/**
 * When to tell of a transfer the machine's scheduler heard of at `time`. It takes a moment between the end of a pass and the
 * start of the next, and what it hears meanwhile counts for the next. On the simulator's clock that moment is an instant: such
 * word comes just before it.
 */
const heard = (passes: readonly RecordedPass[], time: number, late: ReadonlySet<number>): number => {
  const after = passes.findLastIndex(({ end }) => end <= time)
  const [pass, next] = [passes[after], passes[after + 1]]
  if (pass === undefined || next === undefined) return time
  return time <= next.start && !late.has(time) && next.start - pass.end <= TURN ? pass.end - 1 : time
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

/** Transfers heard of at the very time a pass began: a clock does not say whether that was just before or just after. */
export const ambiguous = (trace: TraceStore): readonly number[] => {
  const starts = new Set(passesOf(trace).map(({ start }) => start))
  return (["link-h2d", "link-d2h", "network"] as const)
    .flatMap((kind) => movesOf(trace, kind))
    .flatMap(({ end, order }) => (order === undefined && starts.has(end) ? [end] : []))
}

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
  let next = 0
  const waiting: (() => void)[] = []
  const reactor = kernel.add({ receive: (_code, slot) => waiting[slot]!() })
  const at = (time: number, then: () => void): number => {
    waiting.push(then)
    return kernel.at(Math.max(kernel.now, time), reactor, 0, waiting.length - 1)
  }
  /** Words that the scheduler heard after a run of passes had ended and before the next began, by the number of runs begun. */
  const between = new Map<number, (() => void)[]>()
  /** Runs of passes that have ended. */
  let ended = 0
  /** Tells of a transfer when the machine's scheduler heard of it; returns how to leave it untold. */
  const tell = ({ end, order }: RecordedMove, then: () => void): (() => void) => {
    let told = false
    const once = (): void => {
      if (!told) then()
      told = true
    }
    if (order === undefined) {
      const event = at(heard(passes, end, late), once)
      return () => kernel.cancel(event)
    }
    const { begun, during } = order
    const last = passes[begun - 1]
    if (during && last !== undefined) {
      // Here a run begins when the one before it ends, and all that is heard in it comes before its end.
      const event = at(Math.max((passes[begun - 2]?.end ?? 0) + 1, Math.min(end, last.end - 1)), once)
      return () => kernel.cancel(event)
    }
    if (ended >= begun) {
      const event = at(end, once)
      return () => kernel.cancel(event)
    }
    between.set(begun, [...(between.get(begun) ?? []), once])
    return () => {
      told = true
    }
  }

  const run = (iteration: Iteration): Effect.Effect<IterationResult> =>
    Effect.callback<IterationResult>((resume) => {
      const pass = passes[next++]
      if (pass === undefined)
        throw new Diverged(kernel.now, `pass ${next} was never run; the trace has ${passes.length}`)
      for (const [kind, tokens] of Object.entries(asked(iteration, pass.steps))) {
        const real = pass.tokens[kind] ?? 0
        if (tokens !== real)
          throw new Diverged(
            pass.start,
            `pass ${next} is asked for ${tokens} ${kind} tokens; ${real} were run`
          )
      }
      const from = kernel.now
      const event = at(pass.end, () => {
        ended++
        const seconds = (kernel.now - from) * 1e-9
        resume(
          Effect.succeed({
            steps: pass.steps,
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
        )
        // In the same instant, so that the scheduler hears of it before it decides what to run next.
        for (const word of between.get(ended) ?? []) word()
      })
      return Effect.sync(() => kernel.cancel(event))
    })

  const link = (kind: TrackKind): LinkShape => {
    const moves = movesOf(trace, kind)
    let moved = 0
    return {
      move: (transfer: Transfer) =>
        Effect.callback<{ readonly bytes: number; readonly seconds: number }, LinkDown>((resume) => {
          const move = moves[moved++]
          const what = `transfer ${moved} ${kind}`
          if (move === undefined)
            throw new Diverged(kernel.now, `${what} was never made; the trace has ${moves.length}`)
          if (move.request !== transfer.request)
            throw new Diverged(
              kernel.now,
              `${what} is for request ${transfer.request}; it was for ${move.request}`
            )
          if (move.bytes !== undefined && move.bytes !== transfer.bytes)
            throw new Diverged(kernel.now, `${what} is of ${transfer.bytes} bytes; ${move.bytes} were moved`)
          const from = kernel.now
          return Effect.sync(
            tell(move, () =>
              resume(
                move.bytes === undefined
                  ? Effect.fail(new LinkDown({ moved: 0 }))
                  : Effect.succeed({ bytes: transfer.bytes, seconds: (kernel.now - from) * 1e-9 })
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
