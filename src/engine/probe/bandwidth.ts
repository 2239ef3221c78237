/** What copies reach on this adapter. Enough for a scheduler to plan with; no figure to publish. */
import { Clock, Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import type { Device } from "../webgpu/device.ts"
import { CHUNK_BYTES, Uploader } from "../webgpu/uploader.ts"

/** Bytes/s, the best of a few copies. */
export interface Bandwidth {
  /** Host memory to device, through staging buffers. */
  readonly upload: number
  /** Within the device; a copy reads and writes each byte, both count. */
  readonly copy: number
}

/** Chunks per copy, and copies. */
const CHUNKS = 4
const REPEATS = 3

export const measureBandwidth = (device: Device): Effect.Effect<Bandwidth, DeviceLost> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const bytes = CHUNKS * CHUNK_BYTES
    const target = device.buffer("bandwidth target", bytes)
    const source = device.buffer("bandwidth source", bytes)
    const uploader = new Uploader(device)
    const data = new Uint8Array(CHUNK_BYTES)
    const pieces = Array.from({ length: CHUNKS }, (_, i) => ({ data, offset: i * CHUNK_BYTES }))
    const best = Effect.fnUntraced(function* (work: Effect.Effect<void, DeviceLost>) {
      let seconds = Number.POSITIVE_INFINITY
      for (let i = 0; i < REPEATS; i++) {
        const start = clock.currentTimeNanosUnsafe()
        yield* work
        seconds = Math.min(seconds, Number(clock.currentTimeNanosUnsafe() - start) / 1e9)
      }
      return seconds
    })
    const upload = yield* best(uploader.move(target, pieces, () => true))
    const copy = yield* best(
      Effect.suspend(() => {
        const encoder = device.raw.createCommandEncoder()
        encoder.copyBufferToBuffer(source, 0, target, 0, bytes)
        device.raw.queue.submit([encoder.finish()])
        return device.idle
      })
    )
    uploader.close()
    device.destroy(target)
    device.destroy(source)
    return { upload: bytes / upload, copy: (2 * bytes) / copy }
  })
