import type { Kernel } from "../webgpu/device.ts"
import source from "./queries.wgsl?raw"
import { type EngineShape, sizeConstants, withSizes } from "./shape.ts"

/** Keeps the queries of rows that are asked for. Bindings: projected, rows, layer, queries. */
export const queries = (shape: EngineShape): Kernel => ({
  name: "queries",
  source: withSizes(source),
  constants: { ...sizeConstants(shape), QUERY_ROWS: shape.queryRows }
})
