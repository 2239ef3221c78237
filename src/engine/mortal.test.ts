/** A device that is lost for its user alone is lost like a real one. */
import { Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import { nodeGpu } from "../cli/gpu.ts"
import { mortalDevice } from "./mortal.fixture.ts"
import { type Device, type Kernel, openDevice } from "./webgpu/device.ts"
import { USAGE } from "./webgpu/usage.ts"

const doubling: Kernel = {
  name: "doubling",
  source: `
@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] *= 2u; }`,
  constants: {}
}

const dispatch = (device: Device, buffer: GPUBuffer): void => {
  const { pipeline, group } = device.bind(doubling, [buffer])
  const encoder = device.raw.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(1)
  pass.end()
  device.raw.queue.submit([encoder.finish()])
}

/** What becomes of waits and of work before, at and after the loss. */
const lifeOf = async (device: Device) => {
  const run = async <A>(effect: Effect.Effect<A, unknown>) => {
    const exit = await Effect.runPromiseExit(effect)
    return Exit.isSuccess(exit) ? exit.value : "lost"
  }
  const buffer = device.upload("x", Uint32Array.of(1, 2, 3, 4))
  dispatch(device, buffer)
  const alive = await run(device.read(buffer, 0, 16))
  const pending = device.startRead(buffer, 0, 16).collect
  const waiting = run(pending)
  await Promise.resolve()
  device.raw.destroy()
  const atOnce = await waiting
  const later = [await run(device.read(buffer, 0, 16)), await run(device.idle)]
  // Nothing that is still done to it troubles anybody.
  device.write(buffer, 0, Uint32Array.of(9, 9, 9, 9))
  dispatch(device, buffer)
  const fresh = device.buffer("late", 16, USAGE.mapRead | USAGE.copyTarget)
  later.push(await run(device.mapped(fresh, 1)))
  return { alive, atOnce, later, lost: device.lost !== undefined }
}

describe("a mortal device", () => {
  it("loses what a real one loses", async () => {
    const real = await Effect.runPromise(Effect.flatMap(nodeGpu("software"), openDevice))
    const { device } = await mortalDevice()
    const life = await lifeOf(device)
    expect(life).toEqual(await lifeOf(real))
    expect(life.alive).toEqual(new Uint8Array(Uint32Array.of(2, 4, 6, 8).buffer))
    expect(life).toMatchObject({ atOnce: "lost", later: ["lost", "lost", "lost"], lost: true })
  })

  it("leaves the next one as it was", async () => {
    const { device: first } = await mortalDevice()
    first.upload("x", Uint32Array.of(1))
    first.raw.destroy()
    const { gpu, device } = await mortalDevice()
    const buffer = device.upload("x", Uint32Array.of(5, 6, 7, 8))
    dispatch(device, buffer)
    const another = await Effect.runPromise(openDevice(gpu))
    another.close()
    const bytes = await Effect.runPromise(device.read(buffer, 0, 16))
    expect(bytes).toEqual(new Uint8Array(Uint32Array.of(10, 12, 14, 16).buffer))
    expect(device.lost).toBeUndefined()
    device.close()
  })
})
