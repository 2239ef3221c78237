/** A recorded run told again to whoever listens, as it happened. */
import { EVENT_KINDS, type Recorder } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { lossesOf } from "./recorded-orders.ts"

/**
 * Tells `to` the tracks, slices and lost devices of a trace in the order they were recorded, `later` ns later; returns the last end, ns.
 */
export const retell = (trace: TraceStore, to: Recorder, later = 0): number => {
  const ids = trace.tracks.map((spec) => to.track(spec))
  const { slices } = trace
  const losses = lossesOf(trace)
  let lost = 0
  let last = 0
  for (let row = 0; row < slices.length; row++) {
    const [start, end] = [slices.start[row]! + later, slices.end[row]! + later]
    // Slices are told when they end.
    for (; lost < losses.length && losses[lost]!.at <= slices.end[row]!; lost++)
      to.instant(ids[losses[lost]!.track]!, "fault", losses[lost]!.at + later)
    last = Math.max(last, end)
    to.slice(ids[slices.track[row]!]!, EVENT_KINDS[slices.kind[row]!]!, start, end, {
      tokens: slices.tokens[row]!,
      bytes: slices.bytes[row]!,
      steps: slices.steps[row]!,
      members: slices.members[row]!,
      kvTokens: slices.kvTokens[row]!
    })
  }
  return last
}
