import type { Kernel } from "../webgpu/device.ts"
import source from "./normalise.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Factors that join the chunks of a row into one softmax. Bindings: chunks, views, rows, pass, layer. */
export const normalise = (shape: EngineShape): Kernel => ({
  name: "normalise",
  source: withViews(source),
  constants: sizeConstants(shape)
})

/** The factor of every chunk of a row, from its (maximum, sum). */
export const normaliseReference = (chunks: readonly (readonly [number, number])[]): number[] => {
  const most = Math.max(...chunks.map(([maximum]) => maximum))
  const total = chunks.reduce((sum, [maximum, part]) => sum + part * Math.exp(maximum - most), 0)
  return chunks.map(([maximum]) => Math.exp(maximum - most) / total)
}
