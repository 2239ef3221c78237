import type { Kernel } from "../webgpu/device.ts"
import source from "./merge.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Spans added up. Bindings: parts, views, rows, pass, layer, attended. */
export const merge = (shape: EngineShape): Kernel => ({
  name: "merge",
  source: withViews(source),
  constants: sizeConstants(shape)
})
