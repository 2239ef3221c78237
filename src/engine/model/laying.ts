/** Stored matrices onto the device, a piece at a time: what the host holds on the way does not grow with them. */
import { Effect } from "effect"
import { lay, LAY_HEADER, layGroups } from "../kernels/lay.ts"
import type { Device } from "../webgpu/device.ts"

/** Bytes that go over at once at most, and bytes under way before what is there is waited for. */
const LANDING_BYTES = 1 << 20
const MOST_UNDER_WAY = 8 * LANDING_BYTES

/** Where rows go: columns `first`… of [depth][width] elements. */
export interface Columns {
  readonly buffer: GPUBuffer
  readonly first: number
  readonly depth: number
  readonly width: number
}

export class Laying {
  readonly #device: Device
  /** Most bytes of rows at once. */
  readonly pieceBytes: number
  readonly #landing: GPUBuffer
  readonly #words: Uint32Array
  #underWay = 0

  constructor(device: Device) {
    this.#device = device
    const { maxBindingBytes, maxBufferBytes } = device.card
    this.#words = new Uint32Array(Math.floor(Math.min(LANDING_BYTES, maxBindingBytes, maxBufferBytes) / 4))
    this.pieceBytes = this.#words.byteLength - 4 * LAY_HEADER
    this.#landing = device.buffer("landing of weights", this.#words.byteLength)
  }

  /** Room for so many bytes of rows, at most `pieceBytes`; filled before `put`. */
  window(bytes: number): Uint8Array {
    return new Uint8Array(this.#words.buffer, 4 * LAY_HEADER, bytes)
  }

  /** Lays the rows in the window, `elementBytes` an element. */
  put(rows: number, elementBytes: 2 | 4, { buffer, first, depth, width }: Columns): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#words.set([rows, depth, first, width])
      const bytes = 4 * Math.ceil((rows * depth * elementBytes) / 4)
      this.#device.write(this.#landing, 0, this.#words.subarray(0, LAY_HEADER + bytes / 4))
      const { pipeline, group } = this.#device.bind(lay(elementBytes), [this.#landing, buffer])
      const encoder = this.#device.raw.createCommandEncoder()
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(...layGroups(elementBytes, rows, depth))
      pass.end()
      this.#device.raw.queue.submit([encoder.finish()])
      this.#underWay += bytes
      if (this.#underWay < MOST_UNDER_WAY) return Effect.void
      this.#underWay = 0
      // What is written waits in memory of the driver until the device has it. A lost device is for its first user to find.
      return Effect.ignore(this.#device.idle)
    })
  }

  close(): void {
    this.#device.destroy(this.#landing)
  }
}
