import type { Kernel } from "../webgpu/device.ts"
import source from "./queries.wgsl?raw"
import { type EngineShape, sizeConstants, withSizes } from "./shape.ts"

/** Keeps the queries of rows that are asked for. Bindings: projected, rows, layer, queries. */
export const queries = (shape: EngineShape): Kernel => ({
  name: "queries",
  source: withSizes(source),
  constants: { ...sizeConstants(shape), QUERY_ROWS: shape.queryRows }
})

/** Float at which a slot's query of a layer and position is kept. */
export const queryAt = (
  { config, queryRows }: EngineShape,
  slot: number,
  layer: number,
  position: number
): number =>
  ((slot * config.layers + layer) * queryRows + (position % queryRows)) * config.heads * config.headDim
