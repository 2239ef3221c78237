/** How much of an upload hides behind passes: both alone, then both at once. WebGPU has one queue, so this is measured and never assumed. */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import type { Device } from "../webgpu/device.ts"
import { CHUNK_BYTES, Uploader } from "../webgpu/uploader.ts"
import { timed, type Timing } from "./sample.ts"

export interface Overlap {
  /** T_draft, T_copy and T_both. */
  readonly compute: Timing
  readonly copy: Timing
  readonly both: Timing
  /** Share of the shorter of the two that the longer hides, 0–1; undefined where noise is too large to tell. */
  readonly hidden: number | undefined
}

/** A share is told if it is known to about a quarter. */
const TOLD = 0.25

/** (T_draft + T_copy − T_both) over the shorter of the two; undefined where the spreads drown it. */
export const hiddenShare = (compute: Timing, copy: Timing, both: Timing): number | undefined => {
  const shorter = Math.min(compute.seconds, copy.seconds)
  // The middle half of each, over the root of its repetitions: about the uncertainty of a median.
  const uncertain = [compute, copy, both].map(
    ({ seconds, spread, repetitions }) => (seconds * spread) / Math.sqrt(repetitions)
  )
  if (!(Math.hypot(...uncertain) < TOLD * shorter)) return undefined
  return Math.min(1, Math.max(0, (compute.seconds + copy.seconds - both.seconds) / shorter))
}

/** Uploads follow each other at most so often to take as long as the passes. */
const MOST_UPLOADS = 200

/** `work`: passes; uploads of `chunks` staging buffers are repeated until they take about as long. */
export const probeOverlap = (
  device: Device,
  work: Effect.Effect<unknown, DeviceLost>,
  chunks: number,
  repetitions: number
): Effect.Effect<Overlap, DeviceLost> =>
  Effect.gen(function* () {
    const target = device.buffer("overlap target", chunks * CHUNK_BYTES)
    const uploader = new Uploader(device)
    const data = new Uint8Array(CHUNK_BYTES)
    const pieces = Array.from({ length: chunks }, (_, i) => ({ data, offset: i * CHUNK_BYTES }))
    const upload = uploader.move(target, pieces, () => true)
    const compute = yield* timed(work, repetitions)
    const one = yield* timed(upload, repetitions)
    const rounds = Math.min(MOST_UPLOADS, Math.max(1, Math.round(compute.seconds / one.seconds)))
    const uploads = Effect.forEach(Array.from({ length: rounds }), () => upload, { discard: true })
    const copy = yield* timed(uploads, repetitions)
    const both = yield* timed(Effect.all([work, uploads], { concurrency: 2, discard: true }), repetitions)
    uploader.close()
    device.destroy(target)
    return { compute, copy, both, hidden: hiddenShare(compute, copy, both) }
  })
