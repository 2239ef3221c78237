import type { Kernel } from "../webgpu/device.ts"
import { CHUNK, type EngineShape, headPairs, SPAN, sizeConstants, withViews } from "./shape.ts"
import source from "./values.wgsl?raw"

/** Weighted values span by span. Bindings: scores, chunks, arena, views, rows, pass, layer, parts. */
export const values = (shape: EngineShape): Kernel => ({
  name: "values",
  source: withViews(source, true),
  constants: sizeConstants(shape)
})

/** One row of one head: the weighted values of every span, [span][channel]. */
export const valuesReference = (
  weights: readonly number[],
  factors: readonly number[],
  values: readonly Float32Array[]
): Float64Array[] =>
  Array.from({ length: Math.ceil(values.length / SPAN) }, (_, span) => {
    const part = new Float64Array(values[0]!.length)
    for (let entry = span * SPAN; entry < Math.min(values.length, (span + 1) * SPAN); entry++) {
      const weight = weights[entry]! * factors[Math.floor(entry / CHUNK)]!
      for (let i = 0; i < part.length; i++) part[i]! += weight * values[entry]![i]!
    }
    return part
  })

/** Workgroups for `entries` entries of `rows` rows: 16 threads of four channels. */
export const valuesGroups = (
  shape: EngineShape,
  entries: number,
  rows: number
): readonly [number, number, number] => [
  Math.ceil((headPairs(shape) * shape.config.headDim) / 64),
  Math.ceil(entries / SPAN),
  rows
]
