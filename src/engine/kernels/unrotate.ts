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
