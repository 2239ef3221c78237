import type { Kernel } from "../webgpu/device.ts"
import source from "./scores.wgsl?raw"
import { type EngineShape, headPairs, sizeConstants, withViews } from "./shape.ts"

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

/** One row of one head: its query with every key it sees, oldest first; `window`: tokens it looks back, 0 for all. */
export const scoresReference = (
  query: Float32Array,
  keys: readonly Float32Array[],
  window: number
): number[] =>
  keys.map((key, entry) => {
    if (window > 0 && entry + window < keys.length) return -3e38
    return query.reduce((sum, value, i) => sum + value * key[i]!, 0) / Math.sqrt(query.length)
  })

/** Workgroups for `entries` entries of `rows` rows: 32 threads of four entries; packed part and tail may each end in fewer. */
export const scoresGroups = (
  shape: EngineShape,
  entries: number,
  rows: number
): readonly [number, number, number] => [Math.ceil((entries / 4 + 1) / 32), headPairs(shape), rows]
