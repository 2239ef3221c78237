/** Rows of one layer into a view's tail by list: from host memory, or from another view's packed part. */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import { place, PLACE_HEADER } from "../kernels/place.ts"
import { type EngineShape, rowBytes } from "../kernels/shape.ts"
import type { Bound, Device } from "../webgpu/device.ts"
import { CHUNK_BYTES, type Uploader } from "../webgpu/uploader.ts"
import type { Place } from "./lacking.ts"

/** Workgroups of one dimension of a dispatch at most. */
const MOST_GROUPS = 65_535

export class Placing {
  readonly #device: Device
  readonly #shape: EngineShape
  readonly #uploader: Uploader
  readonly #landing: GPUBuffer
  readonly #fromHost: Bound
  readonly #fromPacked: Bound

  constructor(
    device: Device,
    shape: EngineShape,
    cache: { readonly arena: GPUBuffer; readonly views: GPUBuffer },
    uploader: Uploader
  ) {
    this.#device = device
    this.#shape = shape
    this.#uploader = uploader
    // One is enough: the next chunk is copied into it behind the kernel that empties it.
    this.#landing = device.buffer("landing", CHUNK_BYTES)
    const buffers = [cache.arena, cache.views, this.#landing]
    this.#fromHost = device.bind(place(shape, false), buffers)
    this.#fromPacked = device.bind(place(shape, true), buffers)
  }

  /**
   * Rows from host memory: `bytesOf` a key (side 0) or value (1). Waits for no copy; the bytes sent. `still`: puts nothing
   * anywhere once it says no.
   */
  fromHost(
    view: number,
    layer: number,
    rows: readonly Place[],
    bytesOf: (row: Place, side: 0 | 1) => Uint8Array,
    still: () => boolean
  ): Effect.Effect<number, DeviceLost> {
    const bytes = rowBytes(this.#shape)
    return this.#send(this.#fromHost, [0, view, layer], rows, 2 * bytes, still, (part, window) => {
      for (const [i, row] of part.entries()) {
        window.set(bytesOf(row, 0), 2 * i * bytes)
        window.set(bytesOf(row, 1), (2 * i + 1) * bytes)
      }
    })
  }

  /** Rows the packed part of `from` holds as they were, all of a layer in their order. The bytes of the list sent. */
  fromPacked(
    from: number,
    view: number,
    layer: number,
    rows: readonly Place[],
    still: () => boolean
  ): Effect.Effect<number, DeviceLost> {
    return this.#send(this.#fromPacked, [from, view, layer], rows, 0, still, () => {})
  }

  #send(
    { pipeline, group }: Bound,
    header: readonly [from: number, to: number, layer: number],
    rows: readonly Place[],
    payload: number,
    still: () => boolean,
    fill: (part: readonly Place[], window: Uint8Array) => void
  ): Effect.Effect<number, DeviceLost> {
    return Effect.gen({ self: this }, function* () {
      const { kvHeads } = this.#shape.config
      const each = Math.min(MOST_GROUPS, Math.floor((CHUNK_BYTES - 4 * PLACE_HEADER) / (4 + payload)))
      let sent = 0
      for (let first = 0; first < rows.length && still(); first += each) {
        const part = rows.slice(first, first + each)
        const list = 4 * (PLACE_HEADER + part.length)
        yield* this.#uploader.send((window, staging, encoder) => {
          if (!still()) return
          const words = new Uint32Array(window.buffer, window.byteOffset, PLACE_HEADER + part.length)
          words.set([...header, first, part.length])
          for (const [i, { head, position }] of part.entries())
            words[PLACE_HEADER + i] = position * kvHeads + head
          fill(part, window.subarray(list))
          encoder.copyBufferToBuffer(staging, 0, this.#landing, 0, list + part.length * payload)
          const pass = encoder.beginComputePass()
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, group)
          pass.dispatchWorkgroups(Math.ceil(rowBytes(this.#shape) / 2 / 64), part.length)
          pass.end()
        })
        sent += list + part.length * payload
      }
      return sent
    })
  }

  close(): void {
    this.#device.destroy(this.#landing)
  }
}
