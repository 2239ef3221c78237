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
  /** Share of the shorter of the two that the longer hides, 0–1. */
  readonly hidden: number
}

export const hiddenShare = (compute: number, copy: number, both: number): number =>
  Math.min(1, Math.max(0, (compute + copy - both) / Math.max(1e-12, Math.min(compute, copy))))

/** `work`: passes that take about as long as an upload of `chunks` staging buffers. */
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
    const copy = yield* timed(upload, repetitions)
    const both = yield* timed(Effect.all([work, upload], { concurrency: 2, discard: true }), repetitions)
    uploader.close()
    device.destroy(target)
    return { compute, copy, both, hidden: hiddenShare(compute.seconds, copy.seconds, both.seconds) }
  })
