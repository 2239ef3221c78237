import type { ModelConfig } from "../model/config.ts"
import type { Kernel } from "../webgpu/device.ts"
import { normReference } from "./norm.ts"
import source from "./rope.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"
import turnSource from "./turn.wgsl?raw"
import { hadamardReference } from "./unrotate.ts"

/** Norms and rotates queries and keys, appends keys and values. Bindings: projected, arena, views, rows, pass, turns, gains, layer. */
export const rope = (shape: EngineShape): Kernel => ({
  name: "rope",
  source: withViews(`${turnSource}\n${source}`),
  constants: {
    ...sizeConstants(shape),
    QK_NORM: shape.config.qkNorm ? 1 : 0,
    EPSILON: shape.config.normEps
  }
})

/**
 * One projected row, [head][channel] of queries, keys and values, as it leaves the kernel. `turns`: (cos, sin) of its position;
 * `gains`: of the query norm, then of the key norm; `rotated`: its view is.
 */
export const ropeReference = (
  { heads, kvHeads, headDim, qkNorm, normEps }: ModelConfig,
  row: Float32Array,
  turns: Float32Array,
  gains: Float32Array,
  rotated: boolean
): Float32Array => {
  const result = new Float32Array(row.length)
  const half = headDim / 2
  for (let head = 0; head < heads + 2 * kvHeads; head++) {
    let values = row.slice(head * headDim, (head + 1) * headDim)
    if (head < heads + kvHeads) {
      const from = head < heads ? 0 : headDim
      const x = qkNorm ? normReference(values, gains.subarray(from, from + headDim), normEps) : values
      values = x.map((value, i) => {
        const cos = turns[2 * (i % half)]!
        const sin = turns[2 * (i % half) + 1]!
        return i < half ? value * cos - x[i + half]! * sin : value * cos + x[i - half]! * sin
      })
    }
    result.set(rotated ? hadamardReference(values) : values, head * headDim)
  }
  return result
}
