import type { Kernel } from "../webgpu/device.ts"
import source from "./copy.wgsl?raw"
import hadamardSource from "./hadamard.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Copies tokens' rows between tails, or (`linear`) side by side into a buffer. Bindings: arena, views, moves, linear. */
export const copy = (shape: EngineShape, linear: boolean): Kernel => ({
  name: "copy",
  source: withViews(`${hadamardSource}\n${source}`),
  constants: { ...sizeConstants(shape), LINEAR: linear ? 1 : 0 }
})
