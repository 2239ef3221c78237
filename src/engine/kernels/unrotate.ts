import type { Kernel } from "../webgpu/device.ts"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"
import turnSource from "./turn.wgsl?raw"
import source from "./unrotate.wgsl?raw"

/** Turns what rows of rotated views attended back. Bindings: attended, views, rows, pass. */
export const unrotate = (shape: EngineShape): Kernel => ({
  name: "unrotate",
  source: withViews(`${turnSource}\n${source}`),
  constants: { ...sizeConstants(shape), STRIDE: shape.config.heads * shape.config.headDim }
})

/** The orthonormal Walsh–Hadamard transform of a head's row, whose length is a power of two. Its own inverse. */
export const hadamardReference = (row: Float32Array): Float32Array =>
  row.map((_, channel) => {
    let sum = 0
    for (const [i, value] of row.entries()) sum += isOdd(channel & i) ? -value : value
    return sum / Math.sqrt(row.length)
  })

/** Whether an odd number of bits is set. */
const isOdd = (bits: number): boolean => {
  let odd = false
  for (let rest = bits; rest !== 0; rest &= rest - 1) odd = !odd
  return odd
}
