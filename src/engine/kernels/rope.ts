import type { Kernel } from "../webgpu/device.ts"
import source from "./rope.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"
import turnSource from "./turn.wgsl?raw"

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
