import type { Kernel } from "../webgpu/device.ts"
import { CHUNK, type EngineShape, sizeConstants, withViews } from "./shape.ts"
import source from "./softmax.wgsl?raw"

/** Exponentials chunk by chunk. Bindings: scores, views, rows, pass, layer, chunks. */
export const softmax = (shape: EngineShape): Kernel => ({
  name: "softmax",
  source: withViews(source),
  constants: sizeConstants(shape)
})

/** (maximum, sum of exponentials) of every chunk of a row's scores, and the exponentials. */
export const softmaxReference = (
  scores: readonly number[]
): { readonly weights: number[]; readonly chunks: (readonly [number, number])[] } => {
  const weights: number[] = []
  const chunks: (readonly [number, number])[] = []
  for (let start = 0; start < scores.length; start += CHUNK) {
    const chunk = scores.slice(start, start + CHUNK)
    const most = Math.max(...chunk)
    const exponentials = chunk.map((score) => Math.exp(score - most))
    weights.push(...exponentials)
    chunks.push([most, exponentials.reduce((sum, weight) => sum + weight, 0)])
  }
  return { weights, chunks }
}
