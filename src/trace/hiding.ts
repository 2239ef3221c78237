/**
 * How much of a run's reloads passed while passes ran. On a device with one queue a copy lengthens the passes it slips in
 * between, which no trace of one run tells: what a driver overlaps is for a probe to measure.
 */
import { exposedParts, rootOf, stretchesOf } from "./occupation.ts"
import { EVENT_KINDS } from "./recorder.ts"
import type { TraceStore } from "./store.ts"

export interface Hiding {
  /** Reloads that came before their verifies, and the seconds the link had them. */
  readonly reloads: number
  readonly seconds: number
  /** Seconds of them in which a pass of their replica ran. */
  readonly hidden: number
  /** Streams into the passes that read them, and their seconds: those passes end no sooner. */
  readonly streams: number
  readonly streamed: number
}

const NS = 1e-9

export const hidingOf = (trace: Pick<TraceStore, "tracks" | "slices">): Hiding => {
  const { slices, tracks } = trace
  const replicas = stretchesOf(trace)
  const reloads = new Map<number, { readonly start: number; readonly end: number }[]>()
  let [count, seconds, exposed, streams, streamed] = [0, 0, 0, 0, 0]
  for (let row = 0; row < slices.length; row++) {
    const track = slices.track[row]!
    if (tracks[track]!.kind !== "link-h2d") continue
    const [start, end] = [slices.start[row]!, slices.end[row]!]
    const kind = EVENT_KINDS[slices.kind[row]!]
    if (kind === "stream") {
      streams++
      streamed += (end - start) * NS
    }
    if (kind !== "reload") continue
    count++
    seconds += (end - start) * NS
    const root = rootOf(tracks, track)
    const own = reloads.get(root)
    if (own === undefined) reloads.set(root, [{ start, end }])
    else own.push({ start, end })
  }
  for (const replica of replicas)
    // One by one: a fair link carries several at once.
    for (const { start, end } of reloads.get(replica.replica) ?? []) {
      const parts = exposedParts(replica, { start: Float64Array.of(start), end: Float64Array.of(end) })
      for (const [i, from] of parts.start.entries()) exposed += (parts.end[i]! - from) * NS
    }
  return { reloads: count, seconds, hidden: Math.max(0, seconds - exposed), streams, streamed }
}
