/** The latency and bandwidth of a link from recorded transfers: t = latency + bytes ÷ bandwidth. */
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { leastSquares } from "./least-squares.ts"

export interface RecordedTransfer {
  /** From host to device. */
  readonly into: boolean
  readonly bytes: number
  readonly seconds: number
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

/** Transfers that arrived, in the order of the trace. Those through a network say nothing of the link. */
export const recordedTransfers = ({ slices, tracks }: TraceStore): readonly RecordedTransfer[] => {
  const found: RecordedTransfer[] = []
  for (let row = 0; row < slices.length; row++) {
    const { kind } = tracks[slices.track[row]!]!
    if (kind !== "link-h2d" && kind !== "link-d2h") continue
    if (EVENT_KINDS[slices.kind[row]!] === "fault" || slices.bytes[row] === 0) continue
    const seconds = (slices.end[row]! - slices.start[row]!) * 1e-9
    if (seconds > 0) found.push({ into: kind === "link-h2d", bytes: slices.bytes[row]!, seconds })
  }
  return found
}

/** Fits one direction to every second transfer and judges it by the others; undefined if there are too few. `latency`: kept if none is seen. */
export const fitLink = (transfers: readonly RecordedTransfer[], latency: number): LinkFit | undefined => {
  const some = transfers.slice(0, 2 * MOST)
  const seen = some.filter((_, i) => i % 2 === 0)
  const kept = some.filter((_, i) => i % 2 === 1)
  if (seen.length < FEWEST) return undefined
  const perByte = seen.map(({ bytes, seconds }) => seconds / bytes).toSorted((a, b) => a - b)
  const start = [Math.log(Math.max(1e-9, latency)), Math.log(perByte[perByte.length >> 1]!)] as const
  const at = (values: readonly number[], bytes: number): number =>
    Math.exp(values[0]!) + bytes * Math.exp(values[1]!)
  const { parameters } = leastSquares({
    start,
    bounds: [
      [Math.log(1e-9), Math.log(1)],
      [Math.log(FASTEST), Math.log(SLOWEST)]
    ],
    residuals: (values) =>
      Float64Array.from(seen, ({ bytes, seconds }) => Math.log(at(values, bytes) / seconds)),
    pull: 1e-4
  })
  const errors = kept
    .map(({ bytes, seconds }) => Math.abs(at(parameters, bytes) / seconds - 1))
    .toSorted((a, b) => a - b)
  return {
    bandwidth: Math.exp(-parameters[1]!),
    latency: Math.exp(parameters[0]!),
    samples: seen.length,
    heldOutMedian: errors[errors.length >> 1] ?? 0
  }
}
