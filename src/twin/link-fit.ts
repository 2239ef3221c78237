/** The latency and bandwidth of a link from recorded transfers: t = wait + latency + bytes ÷ bandwidth. */
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { leastSquares } from "./least-squares.ts"

export interface RecordedTransfer {
  /** From host to device. */
  readonly into: boolean
  readonly bytes: number
  readonly seconds: number
  /** Seconds of them that it waited for a pass before it in the device's one queue. */
  readonly waited: number
}

export interface LinkFit {
  /** Bytes/s of the group's link. */
  readonly bandwidth: number
  /** Seconds. */
  readonly latency: number
  readonly samples: number
  /** Relative errors of the transfers kept apart. */
  readonly heldOutMedian: number
}

/** Fewest transfers a fit is made of. */
const FEWEST = 4
const MOST = 2000
/** No link is slower, seconds per byte, or faster. */
const SLOWEST = 1e-3
const FASTEST = 1e-14

/** A pass that begins this soon after a transfer in was ordered goes before it, ns: a staging buffer has to be had first. */
const AHEAD = 2e7

/** Whether a pass goes before a transfer in the one queue of a device. Times in ns. */
export const goesBefore = (
  pass: { readonly start: number; readonly end: number },
  ordered: number,
  into: boolean
): boolean => (into ? pass.start <= ordered + AHEAD : pass.start < ordered) && pass.end > ordered

interface Span {
  readonly start: number
  readonly end: number
}

/** The pass that goes before a transfer in the queue; undefined: none does. */
const passesBefore = ({ slices, tracks }: TraceStore) => {
  const found = new Map<number, Span>()
  for (let row = 0; row < slices.length; row++)
    if (tracks[slices.track[row]!]!.kind === "gpu" && slices.steps[row]! > 0)
      found.set(slices.start[row]!, { start: slices.start[row]!, end: slices.end[row]! })
  const passes = [...found.values()].toSorted((a, b) => a.start - b.start)
  return (ordered: number, into: boolean): Span | undefined =>
    passes.findLast((pass) => goesBefore(pass, ordered, into))
}

/** Transfers that arrived, in the order of the trace. Those through a network say nothing of the link. */
export const recordedTransfers = (trace: TraceStore, oneQueue: boolean): readonly RecordedTransfer[] => {
  const { slices, tracks } = trace
  const before = oneQueue ? passesBefore(trace) : () => undefined
  const found: RecordedTransfer[] = []
  for (let row = 0; row < slices.length; row++) {
    const { kind } = tracks[slices.track[row]!]!
    if (kind !== "link-h2d" && kind !== "link-d2h") continue
    if (EVENT_KINDS[slices.kind[row]!] === "fault" || slices.bytes[row] === 0) continue
    const [start, end] = [slices.start[row]!, slices.end[row]!]
    if (end <= start) continue
    const into = kind === "link-h2d"
    const pass = before(start, into)
    const waited = pass === undefined ? 0 : Math.min(end, pass.end) - start
    found.push({ into, bytes: slices.bytes[row]!, seconds: (end - start) * 1e-9, waited: waited * 1e-9 })
  }
  return found
}

/** What a transfer took besides its wait; the clock tells a nanosecond at least. */
const own = ({ seconds, waited }: RecordedTransfer): number => Math.max(1e-9, seconds - waited)

/** Fits one direction to every second transfer and judges it by the others; undefined if there are too few. `latency`: kept if none is seen. */
export const fitLink = (transfers: readonly RecordedTransfer[], latency: number): LinkFit | undefined => {
  const some = transfers.slice(0, 2 * MOST)
  const seen = some.filter((_, i) => i % 2 === 0)
  const kept = some.filter((_, i) => i % 2 === 1)
  if (seen.length < FEWEST) return undefined
  const perByte = seen.map((one) => own(one) / one.bytes).toSorted((a, b) => a - b)
  const start = [Math.log(Math.max(1e-9, latency)), Math.log(perByte[perByte.length >> 1]!)] as const
  const at = (values: readonly number[], bytes: number): number =>
    Math.exp(values[0]!) + bytes * Math.exp(values[1]!)
  const { parameters } = leastSquares({
    start,
    bounds: [
      [Math.log(1e-9), Math.log(1)],
      [Math.log(FASTEST), Math.log(SLOWEST)]
    ],
    residuals: (values) => Float64Array.from(seen, (one) => Math.log(at(values, one.bytes) / own(one))),
    pull: 1e-4
  })
  const errors = kept
    .map(({ bytes, seconds, waited }) => Math.abs((waited + at(parameters, bytes)) / seconds - 1))
    .toSorted((a, b) => a - b)
  return {
    bandwidth: Math.exp(-parameters[1]!),
    latency: Math.exp(parameters[0]!),
    samples: seen.length,
    heldOutMedian: errors[errors.length >> 1] ?? 0
  }
}
