/** Copies by size and path: host to device through staging and by writeBuffer, device to host, within the device; and what an empty submit costs. */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import type { Device } from "../webgpu/device.ts"
import { CHUNK_BYTES, Uploader } from "../webgpu/uploader.ts"
import { timed, type Timing } from "./sample.ts"

export interface CopyTiming extends Timing {
  /** `upload`: through mapped staging buffers; `write`: by the queue's writeBuffer. */
  readonly path: "upload" | "write" | "download" | "copy"
  readonly bytes: number
}

export const SIZES: readonly number[] = [1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23]

/** Times each path at each size. Within the device each byte is read and written; `bytes` counts it once. */
export const probeCopies = (
  device: Device,
  repetitions: number,
  sizes: readonly number[] = SIZES
): Effect.Effect<readonly CopyTiming[], DeviceLost> =>
  Effect.gen(function* () {
    const most = Math.max(...sizes)
    const target = device.buffer("probe target", most)
    const source = device.buffer("probe source", most)
    const uploader = new Uploader(device)
    const data = new Uint8Array(most)
    const found: CopyTiming[] = []
    for (const bytes of sizes) {
      const pieces = Array.from({ length: Math.ceil(bytes / CHUNK_BYTES) }, (_, i) => ({
        data: data.subarray(0, Math.min(CHUNK_BYTES, bytes - i * CHUNK_BYTES)),
        offset: i * CHUNK_BYTES
      }))
      const copy = Effect.suspend(() => {
        const encoder = device.raw.createCommandEncoder()
        encoder.copyBufferToBuffer(source, 0, target, 0, bytes)
        device.raw.queue.submit([encoder.finish()])
        return device.idle
      })
      const write = Effect.suspend(() => {
        device.write(target, 0, data.subarray(0, bytes))
        return device.idle
      })
      const upload = yield* timed(
        uploader.move(target, pieces, () => true),
        repetitions
      )
      const download = yield* timed(device.read(source, 0, bytes), repetitions)
      found.push(
        { path: "upload", bytes, ...upload },
        { path: "write", bytes, ...(yield* timed(write, repetitions)) },
        { path: "download", bytes, ...download },
        { path: "copy", bytes, ...(yield* timed(copy, repetitions)) }
      )
    }
    uploader.close()
    device.destroy(target)
    device.destroy(source)
    return found
  })

/** Seconds of a submit that does nothing, until the queue is idle. */
export const probeSubmit = (device: Device, repetitions: number): Effect.Effect<Timing, DeviceLost> =>
  timed(
    Effect.suspend(() => {
      device.raw.queue.submit([device.raw.createCommandEncoder().finish()])
      return device.idle
    }),
    repetitions
  )
