import type { Kernel } from "../webgpu/device.ts"
import source from "./scores.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Query times key for every entry a row sees. Bindings: projected, arena, views, rows, pass, layer, scores. */
export const scores = (shape: EngineShape): Kernel => ({
  name: "scores",
  source: withViews(source, true),
  constants: {
    ...sizeConstants(shape),
    SCALE: 1 / Math.sqrt(shape.config.headDim),
    WINDOW: shape.config.slidingWindow ?? 0
  }
})
