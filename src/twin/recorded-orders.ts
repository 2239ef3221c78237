/** What a recorded run was asked for, in order: passes, transfers, arrivals; and when its scheduler heard what became of them. */
import { EVENT_KINDS, type TrackKind } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"

export interface RecordedPass {
  readonly start: number
  readonly end: number
  readonly steps: number
  /** Tokens by kind of position; undefined: the device was lost, and a trace does not say what the pass computed. */
  readonly tokens: Readonly<Record<string, number>> | undefined
  /** When the scheduler found nothing more to run after it, ns; undefined: the next came at once. */
  readonly idle: number | undefined
}

/** Where word stands among the passes: runs of passes begun when the scheduler heard it, and whether the last of them was under way. */
export interface Heard {
  readonly begun: number
  readonly during: boolean
}

export interface RecordedMove {
  readonly end: number
  /** Undefined: only the clock tells. */
  readonly order: Heard | undefined
  /** Its place among all that the scheduler heard of transfers. */
  readonly place: number
  readonly request: number
  /** Undefined: it was stopped or failed. */
  readonly bytes: number | undefined
}

interface Columns {
  readonly steps: Uint32Array
  readonly members: Uint32Array
}

const orderOf = ({ steps, members }: Columns, row: number): Heard | undefined =>
  steps[row]! > 0 ? { begun: steps[row]!, during: members[row]! > 0 } : undefined

interface RecordedLoss {
  readonly at: number
  readonly track: number
  readonly order: Heard | undefined
}

/** When the device was lost. */
export const lossesOf = ({ instants, tracks }: TraceStore): readonly RecordedLoss[] =>
  Array.from({ length: instants.length }, (_, row) => row)
    .filter(
      (row) =>
        EVENT_KINDS[instants.kind[row]!] === "fault" && tracks[instants.track[row]!]!.kind === "scheduler"
    )
    .map((row) => ({ at: instants.at[row]!, track: instants.track[row]!, order: orderOf(instants, row) }))

/** When a scheduler had nothing to run, ns, ascending: it says that its device moves nothing. */
const idleTimes = ({ counters, tracks }: TraceStore): readonly number[] =>
  Array.from({ length: counters.length }, (_, row) => row)
    .filter((row) => counters.value[row] === 0 && tracks[counters.track[row]!]!.kind === "hbm-bandwidth")
    .map((row) => counters.at[row]!)
    .toSorted((a, b) => a - b)

/** Runs of passes in the order in which they began; one that computed several kinds of position is one. */
export const passesOf = (trace: TraceStore): readonly RecordedPass[] => {
  const { slices, tracks } = trace
  const found = new Map<string, RecordedPass & { readonly tokens: Record<string, number> }>()
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== "gpu") continue
    const [start, end, steps] = [slices.start[row]!, slices.end[row]!, slices.steps[row]!]
    const key = `${start} ${end}`
    const pass = found.get(key) ?? { start, end, steps, tokens: {}, idle: undefined }
    pass.tokens[EVENT_KINDS[slices.kind[row]!]!] = slices.tokens[row]!
    found.set(key, pass)
  }
  const passes: RecordedPass[] = [...found.values()].toSorted((a, b) => a.start - b.start)
  for (const { at, order } of lossesOf(trace)) {
    if (order === undefined || !order.during) continue
    const start = passes[order.begun - 2]?.end ?? 0
    passes.splice(order.begun - 1, 0, { start, end: at, steps: 1, tokens: undefined, idle: undefined })
  }
  const idle = idleTimes(trace)
  let next = 0
  return passes.map((pass, i) => {
    while (next < idle.length && idle[next]! < pass.end) next++
    const since = idle[next]
    return since !== undefined && since <= (passes[i + 1]?.start ?? Infinity)
      ? { ...pass, idle: since }
      : pass
  })
}

/** Transfers over one path in the order in which they began. */
export const movesOf = ({ slices, tracks }: TraceStore, kind: TrackKind): readonly RecordedMove[] => {
  const found: (RecordedMove & { readonly start: number })[] = []
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== kind) continue
    const failed = EVENT_KINDS[slices.kind[row]!] === "fault"
    found.push({
      start: slices.start[row]!,
      end: slices.end[row]!,
      order: orderOf(slices, row),
      place: row,
      request: slices.request[row]! - 1,
      bytes: failed ? undefined : slices.bytes[row]!
    })
  }
  return found.toSorted((a, b) => a.start - b.start)
}

/** Transfers heard of at the very time a pass began: a clock does not say whether that was just before or just after. */
export const ambiguous = (trace: TraceStore): readonly number[] => {
  const starts = new Set(passesOf(trace).map(({ start }) => start))
  return (["link-h2d", "link-d2h", "network"] as const)
    .flatMap((kind) => movesOf(trace, kind))
    .flatMap(({ end, order }) => (order === undefined && starts.has(end) ? [end] : []))
}

/**
 * When to tell of what the machine's scheduler heard at `time`. It takes a moment between the end of a pass and the start of the next, and
 * what it hears meanwhile counts for the next. On the simulator's clock that moment is an instant: such word comes just before it.
 */
export const whenHeard = (
  passes: readonly RecordedPass[],
  time: number,
  late: ReadonlySet<number> = new Set()
): number => {
  const after = passes.findLastIndex(({ end }) => end <= time)
  const [pass, next] = [passes[after], passes[after + 1]]
  if (pass === undefined || next === undefined || (pass.idle ?? Infinity) <= time) return time
  return time <= next.start && !late.has(time) ? pass.end - 1 : time
}

/** When to tell of what was heard while a run of passes was under way: here one begins when the one before it ends. */
export const whenHeardDuring = (passes: readonly RecordedPass[], time: number, begun: number): number =>
  Math.max((passes[begun - 2]?.end ?? 0) + 1, Math.min(time, passes[begun - 1]!.end - 1))

/** When each request arrived, as the simulator is to be told, ns, by request. */
export const arrivalsOf = (trace: TraceStore): ReadonlyMap<number, number> => {
  const { instants } = trace
  const passes = passesOf(trace)
  const found = new Map<number, number>()
  for (let row = 0; row < instants.length; row++) {
    if (EVENT_KINDS[instants.kind[row]!] !== "arrive") continue
    const at = instants.at[row]!
    const order = orderOf(instants, row)
    const during = order?.during === true && passes[order.begun - 1] !== undefined
    found.set(
      instants.request[row]! - 1,
      during ? whenHeardDuring(passes, at, order.begun) : whenHeard(passes, at)
    )
  }
  return found
}
