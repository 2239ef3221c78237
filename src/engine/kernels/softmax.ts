import type { Kernel } from "../webgpu/device.ts"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"
import source from "./softmax.wgsl?raw"

/** Exponentials chunk by chunk. Bindings: scores, views, rows, pass, layer, chunks. */
export const softmax = (shape: EngineShape): Kernel => ({
  name: "softmax",
  source: withViews(source),
  constants: sizeConstants(shape)
})
