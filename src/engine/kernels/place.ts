import type { Kernel } from "../webgpu/device.ts"
import source from "./place.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

/** Words before the list of rows; the same number stands in place.wgsl. */
export const PLACE_HEADER = 8

/**
 * Rows into a view's tail: those that came with their list, or (`fromPacked`) those another view's packed part holds as they
 * were. Bindings: arena, views, landing.
 */
export const place = (shape: EngineShape, fromPacked: boolean): Kernel => ({
  name: "place",
  source: withViews(source),
  constants: { ...sizeConstants(shape), FROM_PACKED: fromPacked ? 1 : 0 }
})
