/** In which order copies go onto the queue beside passes, and how many wait there: on a device whose copies end when they are told to. */
import { Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import { DeviceLost } from "../../runtime/ports.ts"
import { softwareDevice } from "../engine.fixture.ts"
import { Device, openDevice } from "./device.ts"
import { CHUNK_BYTES, RING_BYTES, Uploader } from "./uploader.ts"

const RING = RING_BYTES / CHUNK_BYTES

/** Notes submissions by what they are, and keeps back the news that a copy is done. */
class Held extends Device {
  readonly submitted: string[] = []
  readonly #known = new Set<GPUBuffer>()
  readonly #release = Promise.withResolvers<void>()

  constructor(owner: Device) {
    super(owner.raw, owner.card, owner)
  }

  /** A buffer that has never been on the queue is there at once; another is on it from now on. */
  override mapping(buffer: GPUBuffer, mode: number): Effect.Effect<void, DeviceLost> {
    if (!this.#known.has(buffer)) {
      this.#known.add(buffer)
      return super.mapping(buffer, mode)
    }
    this.submitted.push("chunk")
    return Effect.flatMap(
      Effect.promise(() => this.#release.promise),
      () => super.mapping(buffer, mode)
    )
  }

  /** Something that has nothing to do with the copies. */
  pass(): void {
    this.raw.queue.submit([this.raw.createCommandEncoder().finish()])
    this.submitted.push("pass")
  }

  release(): void {
    this.#release.resolve()
  }
}

const held = async () => {
  const device = new Held((await softwareDevice()).device)
  return { device, uploader: new Uploader(device) }
}

/** Chunks of bytes that tell where they belong. */
const piecesOf = (chunks: number) =>
  Array.from({ length: chunks }, (_, i) => ({
    data: new Uint8Array(CHUNK_BYTES).fill(i + 1),
    offset: i * CHUNK_BYTES
  }))

const arrived = async (device: Device, target: GPUBuffer, chunks: number): Promise<readonly number[]> => {
  const bytes = await Effect.runPromise(device.read(target, 0, chunks * CHUNK_BYTES))
  return Array.from({ length: chunks }, (_, i) => bytes[(i + 1) * CHUNK_BYTES - 1]!)
}

describe("the uploader", () => {
  it("puts a whole reload right behind the pass that was submitted when it began, before any copy is done", async () => {
    const { device, uploader } = await held()
    const chunks = 20
    const target = device.buffer("target", chunks * CHUNK_BYTES)
    const posted = Effect.runPromise(uploader.post(target, piecesOf(chunks), () => true))
    // The turn in which a reload is ordered is the one in which the next pass is.
    device.pass()
    await posted
    device.pass()
    expect(device.submitted).toEqual(["pass", ...Array.from({ length: chunks }, () => "chunk"), "pass"])
    device.release()
    expect(await arrived(device, target, chunks)).toEqual(Array.from({ length: chunks }, (_, i) => i + 1))
    device.close()
  })

  it("waits for a copy to be done once all staging buffers there may be are on the queue", async () => {
    const { device, uploader } = await held()
    const chunks = RING + 6
    const target = device.buffer("target", chunks * CHUNK_BYTES)
    let posted = false
    const all = Effect.runPromise(uploader.post(target, piecesOf(chunks), () => true)).then(() => {
      posted = true
    })
    while (device.submitted.length < RING) await new Promise((resolve) => setImmediate(resolve))
    // Whatever else is done on the queue, the next copy waits for one of these.
    await Effect.runPromise(device.idle)
    expect([posted, device.submitted.length]).toEqual([false, RING])
    device.release()
    await all
    expect(device.submitted.length).toBe(chunks)
    expect(device.allocated.buffers).toBe(RING + 1)
    const expected = Array.from({ length: chunks }, (_, i) => (i + 1) % 256)
    expect(await arrived(device, target, chunks)).toEqual(expected)
    device.close()
  })

  it("takes buffers again that are back, and makes no more than it needs", async () => {
    const { device } = await softwareDevice()
    const own = device.share()
    const uploader = new Uploader(own)
    const target = own.buffer("target", CHUNK_BYTES)
    for (let time = 0; time < 2; time++) {
      await Effect.runPromise(uploader.move(target, piecesOf(1), () => true))
      // What maps behind it is told before this is.
      await Effect.runPromise(own.read(target, 0, 16))
    }
    expect(own.allocated.buffers).toBe(2)
    uploader.close()
    expect(own.allocated.buffers).toBe(1)
    own.close()
  })

  it("finds a device gone before that is told, also where a buffer was mapped already", async () => {
    const { gpu } = await softwareDevice()
    const device = await Effect.runPromise(openDevice(gpu))
    const uploader = new Uploader(device)
    const target = device.buffer("target", CHUNK_BYTES)
    await Effect.runPromise(uploader.move(target, piecesOf(1), () => true))
    await Effect.runPromise(device.read(target, 0, 16))
    device.raw.destroy()
    const later = Effect.runPromiseExit(uploader.post(target, piecesOf(1), () => true))
    expect(device.lost).toBeUndefined()
    expect(await later).toEqual(Exit.fail(expect.any(DeviceLost)))
  })
})
