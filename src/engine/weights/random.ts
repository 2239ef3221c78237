/** Made-up weights of any shape, for measuring speed and for tests: the same seed gives the same bytes. */
import { Effect } from "effect"
import type { ModelConfig } from "../model/config.ts"
import type { Checkpoint, Dtype, Part, Tensor } from "./checkpoint.ts"
import { fromFloat32 } from "./dtype.ts"
import { requiredTensors } from "./names.ts"

/** Numbers in [-1, 1) by a linear congruential generator: quality is of no matter here, sameness is. */
const fill = (target: Float32Array, seed: number, scale: number): void => {
  let state = (seed ^ 0x2545f491) >>> 0
  for (let i = 0; i < target.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    target[i] = (state / 2 ** 31 - 1) * scale
  }
}

/** Weights scaled so that activations keep their size; norms are ones. A tensor is made when it is read. */
export const randomCheckpoint = (config: ModelConfig, seed: number, dtype: Dtype): Checkpoint => {
  const tensors = new Map<string, Tensor>()
  for (const [name, shape] of requiredTensors(config)) tensors.set(name, { name, dtype, shape })
  const order = [...tensors.keys()]
  const make = (name: string): Uint8Array => {
    const { shape } = tensors.get(name)!
    const values = new Float32Array(shape.reduce((product, one) => product * one, 1))
    const isNorm = name.includes("norm")
    if (isNorm) values.fill(1)
    else fill(values, Math.imul(seed + 1, 7919) + order.indexOf(name), 1.7 / Math.sqrt(shape.at(-1)!))
    return fromFloat32(values, dtype)
  }
  // Parts of a tensor are asked for one after another.
  let last: { readonly name: string; readonly bytes: Uint8Array } | undefined
  const read = (name: string, part?: Part): Effect.Effect<Uint8Array> =>
    Effect.sync(() => {
      if (part === undefined) return make(name)
      if (last?.name !== name) last = { name, bytes: make(name) }
      part.into.set(last.bytes.subarray(part.from, part.from + part.into.length))
      return part.into
    })
  return { config, tensors, read }
}
