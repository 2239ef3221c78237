import type { Kernel } from "../webgpu/device.ts"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"
import source from "./values.wgsl?raw"

/** Weighted values span by span. Bindings: scores, chunks, arena, views, rows, pass, layer, parts. */
export const values = (shape: EngineShape): Kernel => ({
  name: "values",
  source: withViews(source, true),
  constants: sizeConstants(shape)
})
