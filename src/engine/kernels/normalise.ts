import type { Kernel } from "../webgpu/device.ts"
import source from "./normalise.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Factors that join the chunks of a row into one softmax. Bindings: chunks, views, rows, pass, layer. */
export const normalise = (shape: EngineShape): Kernel => ({
  name: "normalise",
  source: withViews(source),
  constants: sizeConstants(shape)
})
