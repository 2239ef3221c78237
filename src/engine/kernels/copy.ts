import type { Kernel } from "../webgpu/device.ts"
import source from "./copy.wgsl?raw"
import hadamardSource from "./hadamard.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"
import { hadamardReference } from "./unrotate.ts"

/** Copies tokens' rows between tails, or (`linear`) side by side into a buffer. Bindings: arena, views, moves, linear, layers. */
export const copy = (shape: EngineShape, linear: boolean): Kernel => ({
  name: "copy",
  source: withViews(`${hadamardSource}\n${source}`),
  constants: { ...sizeConstants(shape), LINEAR: linear ? 1 : 0 }
})

/** A token's row, [layer][side][kv head][channel], as it arrives in a view. */
export const copyReference = (row: Float32Array, headDim: number, rotated: boolean): Float32Array => {
  const result = row.slice()
  if (rotated)
    for (let at = 0; at < row.length; at += headDim)
      result.set(hadamardReference(row.subarray(at, at + headDim)), at)
  return result
}
