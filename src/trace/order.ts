/**
 * A trace in the order of its clock, for the formats that draw nested slices: what begins and ends when, and on which
 * lane. Slices of one track should nest; those that cross (transfers that share a link) are put on lanes of their own.
 */
import type { TraceColumns } from "./store.ts"

/** What a moment is. At equal times of one track, ends come before begins, so that neighbours never overlap. */
type Moment = "end" | "begin" | "instant" | "counter"

interface Step {
  readonly moment: Moment
  readonly row: number
  readonly at: number
}

/** Every begin and end of a slice, every instant and every sample, by time; `row` is its row in its group. */
export function* moments(trace: TraceColumns): Generator<Step> {
  const { slices, instants, counters } = trace
  const { start, end } = slices
  const streams: readonly Stream[] = [
    { moment: "end", at: end, rows: slicesByEnd(trace), next: 0 },
    { moment: "begin", at: start, rows: slicesByStart(trace), next: 0 },
    { moment: "instant", at: instants.at, rows: sortedBy(instants.length, byTime(instants.at)), next: 0 },
    { moment: "counter", at: counters.at, rows: sortedBy(counters.length, byTime(counters.at)), next: 0 }
  ]
  for (;;) {
    let first: Stream | undefined
    let at = Number.POSITIVE_INFINITY
    for (const stream of streams) {
      const row = stream.rows[stream.next]
      if (row === undefined || stream.at[row]! >= at) continue
      first = stream
      at = stream.at[row]!
    }
    if (first === undefined) return
    const row = first.rows[first.next++]!
    yield { moment: first.moment, row, at }
    // A slice that takes no time ends where it begins, before anything else happens.
    if (first.moment === "begin" && end[row] === at) yield { moment: "end", row, at }
  }
}

/**
 * Lane of every slice, 0 for its track's own: the lowest on which it lies inside or outside every other, never across.
 * Slices that nest, as they should, are all on lane 0.
 */
export const lanesOf = (trace: TraceColumns): Uint16Array => {
  const { slices } = trace
  const lanes = new Uint16Array(slices.length)
  // Per track and lane: the ends of the slices open there, outermost first.
  const open = trace.tracks.map((): number[][] => [])
  for (const row of slicesByStart(trace)) {
    const start = slices.start[row]!
    const end = slices.end[row]!
    const stacks = open[slices.track[row]!]!
    const lane = stacks.findIndex((ends) => {
      while (ends.length > 0 && ends.at(-1)! <= start) ends.pop()
      return ends.length === 0 || ends.at(-1)! >= end
    })
    if (lane >= 0) stacks[lane]!.push(end)
    else stacks.push([end])
    lanes[row] = lane >= 0 ? lane : stacks.length - 1
  }
  return lanes
}

interface Stream {
  readonly moment: Moment
  readonly at: Float64Array
  readonly rows: Uint32Array
  next: number
}

/** Begins: an outer slice before the inner ones that begin with it, one that takes no time last. */
const slicesByStart = ({ slices: { start, end, length } }: TraceColumns): Uint32Array =>
  sortedBy(length, (a, b) => start[a]! - start[b]! || end[b]! - end[a]! || a - b)

/** Ends of slices that take time: an inner slice before the outer ones that end with it. */
const slicesByEnd = ({ slices: { start, end, length } }: TraceColumns): Uint32Array =>
  sortedBy(length, (a, b) => end[a]! - end[b]! || start[b]! - start[a]! || b - a).filter(
    (row) => end[row]! > start[row]!
  )

const byTime =
  (at: Float64Array) =>
  (a: number, b: number): number =>
    at[a]! - at[b]! || a - b

const sortedBy = (length: number, compare: (a: number, b: number) => number): Uint32Array => {
  const rows = Uint32Array.from({ length }, (_, row) => row)
  // Most records are written in order: looking first is cheaper than sorting.
  for (let i = 1; i < length; i++) if (compare(i - 1, i) > 0) return rows.toSorted(compare)
  return rows
}
