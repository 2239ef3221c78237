import type { Kernel } from "../webgpu/device.ts"
import source from "./merge.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Spans added up. Bindings: parts, views, rows, pass, layer, attended. */
export const merge = (shape: EngineShape): Kernel => ({
  name: "merge",
  source: withViews(source),
  constants: sizeConstants(shape)
})

/** One row of one head: the sum of its spans. */
export const mergeReference = (parts: readonly Float64Array[]): Float64Array =>
  parts.reduce((sum, part) => sum.map((value, i) => value + part[i]!))
