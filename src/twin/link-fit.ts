/** The latency and bandwidth of a link from recorded transfers: t = wait + latency + bytes ÷ bandwidth. */
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { fitTold, type Untold } from "./least-squares.ts"
import { median } from "./median.ts"

export interface RecordedTransfer {
  /** From host to device. */
  readonly into: boolean
  readonly bytes: number
  readonly seconds: number
  /** Seconds of them that it waited for a pass before it in the device's one queue. */
  readonly waited: number
  /** A pass began as it was ordered, and either was first in the queue. */
  readonly withPass?: boolean
}

/** Of a group's link: bytes/s, and seconds a transfer takes besides. */
export interface LinkFigures {
  readonly bandwidth: number
  readonly latency: number
}

export interface LinkFit extends LinkFigures {
  /** What the transfers do not tell, and why. */
  readonly untold: Readonly<Record<keyof LinkFigures, Untold | undefined>>
  readonly samples: number
  readonly heldOut: number
  /** Relative error of the transfers kept apart, in the median, the wait of each as it was. */
  readonly heldOutMedian: number
  /** Share of a transfer that was its wait in the device's queue, in the median. */
  readonly waited: number
}

/** Fewest transfers a fit is made of. */
const FEWEST = 4
const MOST = 2000
/** No link is slower, seconds per byte, or faster. */
const SLOWEST = 1e-3
const FASTEST = 1e-14
/** Seconds a transfer takes besides, at least and at most. */
const SHORTEST = 1e-9
const LONGEST = 1

/** A pass that begins this soon after a transfer in was ordered goes before it, ns: a staging buffer has to be had first. */
const AHEAD = 2e7

/** What stands for no request in a trace's column. */
const NOBODYS = 0

/** From when to when, ns. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Whether a pass goes before a transfer in the one queue of a device. One that was over long before the pass did not wait for it; the host
 * hears of the pass a little later than of the copy behind it.
 */
export const goesBefore = (pass: Span, transfer: Span, into: boolean): boolean =>
  (into ? pass.start <= transfer.start + AHEAD : pass.start < transfer.start) &&
  pass.end > transfer.start &&
  transfer.end > (pass.start + pass.end) / 2

/** Seconds of a transfer that it waited for the pass before it. */
export const waitOf = (transfer: Span, pass: Span | undefined): number =>
  pass === undefined ? 0 : (Math.min(transfer.end, pass.end) - transfer.start) * 1e-9

/**
 * The passes of a device's one queue, and which of them goes before a transfer; undefined: none does. A pass that reads what streams waits for the link itself, and
 * nothing is known of how long its own work kept the queue.
 */
export const passesInQueue = ({ slices, tracks }: TraceStore) => {
  const found = new Map<number, Span>()
  for (let row = 0; row < slices.length; row++)
    if (tracks[slices.track[row]!]!.kind === "gpu" && slices.steps[row]! > 0)
      found.set(slices.start[row]!, { start: slices.start[row]!, end: slices.end[row]! })
  const streams = Array.from({ length: slices.length }, (_, row) => row)
    .filter((row) => EVENT_KINDS[slices.kind[row]!] === "stream")
    .map((row) => slices.start[row]!)
    .toSorted((a, b) => a - b)
  let next = 0
  const passes = [...found.values()]
    .toSorted((a, b) => a.start - b.start)
    .filter(({ start, end }) => {
      while (next < streams.length && streams[next]! < start) next++
      return (streams[next] ?? Infinity) >= end
    })
  return {
    before: (transfer: Span, into: boolean): Span | undefined =>
      passes.findLast((pass) => goesBefore(pass, transfer, into)),
    /** Whether a pass began as the transfer was ordered. */
    beginsWith: ({ start }: Span): boolean =>
      passes.some((pass) => pass.start >= start && pass.start <= start + AHEAD)
  }
}

/**
 * Transfers that arrived, in the order of the trace. Those through a network say nothing of the link, nor do, in a device's one queue, those that
 * are no request's own: they stream into a pass or go home with it, and end when it does.
 */
export const recordedTransfers = (trace: TraceStore, oneQueue: boolean): readonly RecordedTransfer[] => {
  const { slices, tracks } = trace
  const queue = oneQueue ? passesInQueue(trace) : undefined
  const found: RecordedTransfer[] = []
  for (let row = 0; row < slices.length; row++) {
    const { kind } = tracks[slices.track[row]!]!
    if (kind !== "link-h2d" && kind !== "link-d2h") continue
    if (EVENT_KINDS[slices.kind[row]!] === "fault" || slices.bytes[row] === 0) continue
    if (oneQueue && slices.request[row] === NOBODYS) continue
    const [start, end] = [slices.start[row]!, slices.end[row]!]
    if (end <= start) continue
    const into = kind === "link-h2d"
    const waited = waitOf({ start, end }, queue?.before({ start, end }, into))
    const withPass = queue?.beginsWith({ start, end }) ?? false
    found.push({ into, bytes: slices.bytes[row]!, seconds: (end - start) * 1e-9, waited, withPass })
  }
  return found
}

/** Whether copies into the device that are ordered as a pass begins go before it, as most of them did; undefined: too few were. */
export const copiesGoFirst = (transfers: readonly RecordedTransfer[]): boolean | undefined => {
  const together = transfers.filter(({ into, withPass }) => into && withPass === true)
  const behind = together.filter(({ waited }) => waited > 0)
  return together.length < FEWEST ? undefined : 2 * behind.length < together.length
}

/** A figure that moves no prediction by a hundredth when it doubles is not seen. */
export const LEAST_SEEN = 0.01 / Math.LN2

/**
 * Fits one direction to every second transfer and judges it by the others; undefined if there are too few. What the transfers do not tell, because
 * their wait is nearly all of them or they are all of one size, stays as in `from`.
 */
export const fitLink = (transfers: readonly RecordedTransfer[], from: LinkFigures): LinkFit | undefined => {
  const some = transfers.slice(0, 2 * MOST)
  const seen = some.filter((_, i) => i % 2 === 0)
  const kept = some.filter((_, i) => i % 2 === 1)
  if (seen.length < FEWEST) return undefined
  const predicted = ([latency, perByte]: readonly number[], { bytes, waited }: RecordedTransfer): number =>
    waited + Math.exp(latency!) + bytes * Math.exp(perByte!)
  const { parameters, untold } = fitTold(
    {
      start: [Math.log(Math.max(SHORTEST, from.latency)), -Math.log(from.bandwidth)],
      bounds: [
        [Math.log(SHORTEST), Math.log(LONGEST)],
        [Math.log(FASTEST), Math.log(SLOWEST)]
      ],
      residuals: (values) => Float64Array.from(seen, (one) => Math.log(predicted(values, one) / one.seconds)),
      pull: 1e-4
    },
    LEAST_SEEN
  )
  const errors = kept
    .map((one) => Math.abs(predicted(parameters, one) / one.seconds - 1))
    .toSorted((a, b) => a - b)
  const [latency, bandwidth] = untold
  return {
    bandwidth: bandwidth === undefined ? Math.exp(-parameters[1]!) : from.bandwidth,
    latency: latency === undefined ? Math.exp(parameters[0]!) : from.latency,
    untold: { latency, bandwidth },
    samples: seen.length,
    heldOut: errors.length,
    heldOutMedian: errors[errors.length >> 1] ?? 0,
    waited: median(some.map(({ seconds, waited }) => waited / seconds))
  }
}
