/**
 * Host to device by a ring of mapped staging buffers. A buffer that maps again says that its copy is done, so chunks
 * follow each other without waiting for anything else on the queue, and passes slip in between.
 */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import type { Device } from "./device.ts"
import { MAP_WRITE, USAGE } from "./usage.ts"

/** Bytes to put at an offset of a buffer. */
export interface Piece {
  readonly data: Uint8Array
  readonly offset: number
}

/** Staging buffers, and bytes of one. */
const RING = 4
export const CHUNK_BYTES = 1 << 20

export class Uploader {
  readonly #device: Device
  readonly #free: GPUBuffer[]

  constructor(device: Device) {
    this.#device = device
    this.#free = Array.from({ length: RING }, () =>
      device.buffer("staging", CHUNK_BYTES, USAGE.mapWrite | USAGE.copySource)
    )
  }

  /** Moves all pieces, each at most a chunk; done when the last copy is. `still`: stops, moving no more, once it says no. */
  move(target: GPUBuffer, pieces: readonly Piece[], still: () => boolean): Effect.Effect<void, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      for (let at = 0; at < pieces.length && still();) at = yield* this.#chunk(target, pieces, at, still)
      yield* this.#device.idle
    })
  }

  close(): void {
    for (const buffer of this.#free) this.#device.destroy(buffer)
  }

  /** Moves the pieces from number `at` on that fit one staging buffer; the number of the next. */
  #chunk(
    target: GPUBuffer,
    pieces: readonly Piece[],
    at: number,
    still: () => boolean
  ): Effect.Effect<number, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const staging = yield* this.#take
      yield* this.#device.mapped(staging, MAP_WRITE)
      const encoder = this.#device.raw.createCommandEncoder()
      const window = new Uint8Array(staging.getMappedRange())
      let next = at
      for (let filled = 0; next < pieces.length && still(); next++) {
        const { data, offset } = pieces[next]!
        if (filled + data.length > CHUNK_BYTES) break
        window.set(data, filled)
        encoder.copyBufferToBuffer(staging, filled, target, offset, data.length)
        filled += data.length
      }
      staging.unmap()
      this.#device.raw.queue.submit([encoder.finish()])
      this.#free.push(staging)
      return next
      // A buffer must come back to the ring, whatever becomes of the transfer.
    }).pipe(Effect.uninterruptible)
  }

  /** A buffer nobody fills; if another transfer has them all, the next to come back. */
  get #take(): Effect.Effect<GPUBuffer, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const staging = this.#free.shift()
        if (staging !== undefined) return staging
        yield* this.#device.idle
      }
    })
  }
}
