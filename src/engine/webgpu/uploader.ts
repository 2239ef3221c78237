/**
 * Host to device by a ring of mapped staging buffers. A buffer that maps again says that its copy is done, so chunks
 * follow each other without waiting for anything else on the queue, and passes slip in between.
 */
import { Effect } from "effect"
import { DeviceLost } from "../../runtime/ports.ts"
import type { Device } from "./device.ts"
import { MAP_WRITE, USAGE } from "./usage.ts"

/** Bytes to put at an offset of a buffer. */
export interface Piece {
  readonly data: Uint8Array
  readonly offset: number
}

/** Bytes of a staging buffer. */
export const CHUNK_BYTES = 1 << 20

/**
 * Staging buffers there may be. What is to go over behind one pass must lie in them before that pass ends, or it goes behind the
 * next: as much as a host copies in some ten milliseconds.
 */
const MOST = 64

/** Bytes of a copy that are submitted at most before one of its buffers comes back. */
export const RING_BYTES = MOST * CHUNK_BYTES

/** A staging buffer whose copy is under way or done. */
interface Staging {
  readonly buffer: GPUBuffer
  /** Waits until it is mapped again. */
  readonly back: Effect.Effect<void, DeviceLost>
}

export class Uploader {
  readonly #device: Device
  /** The oldest first. */
  readonly #returning: Staging[] = []
  #made = 0

  constructor(device: Device) {
    this.#device = device
  }

  /** Moves all pieces; done when the last copy is. `still`: stops, moving no more, once it says no. */
  move(target: GPUBuffer, pieces: readonly Piece[], still: () => boolean): Effect.Effect<void, DeviceLost> {
    return Effect.andThen(this.post(target, pieces, still), this.#device.idle)
  }

  /** Like `move`, but waits for no copy: work submitted after it finds the bytes there. */
  post(target: GPUBuffer, pieces: readonly Piece[], still: () => boolean): Effect.Effect<void, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      let next = 0
      // Bytes of the next piece that went before: one may be larger than a staging buffer.
      let done = 0
      while (next < pieces.length && still())
        yield* this.send((window, staging, encoder) => {
          for (let filled = 0; filled < CHUNK_BYTES && next < pieces.length && still();) {
            const { data, offset } = pieces[next]!
            const part = data.subarray(done, done + CHUNK_BYTES - filled)
            window.set(part, filled)
            encoder.copyBufferToBuffer(staging, filled, target, offset + done, part.length)
            filled += part.length
            done += part.length
            if (done < data.length) continue
            done = 0
            next++
          }
        })
    })
  }

  /** Has one staging buffer filled and what is to become of its bytes recorded, and submits that; waits for no copy. */
  send(
    load: (window: Uint8Array, staging: GPUBuffer, encoder: GPUCommandEncoder) => void
  ): Effect.Effect<void, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const staging = yield* this.#take
      // One that was mapped is so no more once its device is gone, which is known only later.
      if (staging.mapState !== "mapped")
        return yield* new DeviceLost({ reason: this.#device.lost ?? "its staging buffers are gone" })
      const encoder = this.#device.raw.createCommandEncoder()
      load(new Uint8Array(staging.getMappedRange()), staging, encoder)
      staging.unmap()
      this.#device.raw.queue.submit([encoder.finish()])
      this.#returning.push({ buffer: staging, back: this.#device.mapping(staging, MAP_WRITE) })
      // A buffer must come back to the ring, whatever becomes of the transfer.
    }).pipe(Effect.uninterruptible)
  }

  close(): void {
    for (const { buffer } of this.#returning) this.#device.destroy(buffer)
  }

  /** A mapped buffer: one that is back, a new one, or the next to come back. */
  get #take(): Effect.Effect<GPUBuffer, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const [oldest] = this.#returning
        if (oldest !== undefined && (oldest.buffer.mapState === "mapped" || this.#made === MOST)) {
          this.#returning.shift()
          yield* oldest.back
          return oldest.buffer
        }
        if (this.#made < MOST) {
          this.#made++
          const staging = this.#device.buffer("staging", CHUNK_BYTES, USAGE.mapWrite | USAGE.copySource)
          yield* this.#device.mapping(staging, MAP_WRITE)
          return staging
        }
        // Other transfers fill them all.
        yield* this.#device.idle
      }
    })
  }
}
