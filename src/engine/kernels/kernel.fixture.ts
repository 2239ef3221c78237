/** Runs one kernel alone on the software adapter: buffers up, one dispatch, buffers back. */
import { Effect } from "effect"
import { softwareDevice, tinyConfig } from "../engine.fixture.ts"
import type { ModelConfig } from "../model/config.ts"
import type { Device, Kernel } from "../webgpu/device.ts"
import { USAGE } from "../webgpu/usage.ts"
import type { EngineShape } from "./shape.ts"

export interface Uniform {
  readonly uniform: Uint32Array
}

/** What stands at a binding: contents of its own, or a buffer another kernel also sees. */
export type Binding = Float32Array | Uint32Array | Uint8Array | Uniform | GPUBuffer

/** Dispatches a kernel over `groups` workgroups and reads these of its bindings back, as words. */
export const runKernel = async (
  kernel: Kernel,
  bindings: readonly Binding[],
  groups: readonly [number, number?, number?],
  reads: readonly number[]
): Promise<readonly Uint32Array[]> => {
  const { device } = await softwareDevice()
  const own: GPUBuffer[] = []
  const buffers = bindings.map((binding) => {
    if ("mapAsync" in binding) return binding
    const buffer =
      "uniform" in binding ? uniformBuffer(device, binding.uniform) : device.upload("test", binding)
    own.push(buffer)
    return buffer
  })
  const { pipeline, group } = device.bind(kernel, buffers)
  const encoder = device.raw.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(groups[0], groups[1] ?? 1, groups[2] ?? 1)
  pass.end()
  device.raw.queue.submit([encoder.finish()])
  const results = reads.map((binding) => device.startRead(buffers[binding]!, 0, buffers[binding]!.size))
  const words: Uint32Array[] = []
  for (const { collect } of results) words.push(new Uint32Array((await Effect.runPromise(collect)).buffer))
  for (const buffer of own) device.destroy(buffer)
  return words
}

const uniformBuffer = (device: Device, words: Uint32Array): GPUBuffer => {
  const buffer = device.buffer("test", words.byteLength, USAGE.uniform | USAGE.copyTarget)
  device.write(buffer, 0, words)
  return buffer
}

export const floatsOf = (words: Uint32Array): Float32Array => new Float32Array(words.buffer)

/** Sizes kernels are compiled for, around a tiny model. */
export const tinyShape = (
  config: Partial<ModelConfig> = {},
  fields: Partial<Omit<EngineShape, "config">> = {}
): EngineShape => ({
  config: tinyConfig(config),
  kvBits: 32,
  pageTokens: 16,
  maxTokens: 128,
  slots: 2,
  maxRows: 8,
  queryRows: 4,
  lanes: 1,
  subgroups: false,
  ...fields
})

/** Numbers in [-scale, scale) that look random; the same seed gives the same. */
export const noise = (length: number, seed: number, scale = 1): Float32Array => {
  let state = Math.imul(seed + 1, 2654435761) >>> 0
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 31 - 1) * scale
  })
}

/** The words of a pass. */
export const passWords = (rows: number, choices = 0, entries = 0, step = 0): Uint32Array =>
  Uint32Array.of(rows, choices, step, entries)

/** Largest distance of two vectors over the largest magnitude of the second. */
export const distance = (found: ArrayLike<number>, expected: ArrayLike<number>): number => {
  if (found.length < expected.length) return Infinity
  let most = 0
  let magnitude = 1e-6
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(found[i]! - expected[i]!)
    most = gap > most || Number.isNaN(gap) ? gap : most
    magnitude = Math.max(magnitude, Math.abs(expected[i]!))
  }
  return most / magnitude
}

/** Cases per property; VERICACHE_FUZZ multiplies them. */
export const runs = (cases: number) => ({
  numRuns: Math.ceil((cases * Number(process.env["VERICACHE_FUZZ"] ?? 12)) / 12),
  seed: Number(process.env["VERICACHE_FUZZ_SEED"] ?? 1)
})
