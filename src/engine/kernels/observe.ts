import type { Kernel } from "../webgpu/device.ts"
import source from "./observe.wgsl?raw"
import { type EngineShape, sizeConstants, withSizes } from "./shape.ts"

/** Attention each position received. Bindings: scores, chunks, rows, pass, layer, observed. */
export const observe = (shape: EngineShape): Kernel => ({
  name: "observe",
  source: withSizes(source),
  constants: { ...sizeConstants(shape), MAX_TOKENS: shape.maxTokens }
})
