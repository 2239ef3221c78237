/** Kernels whose workgroup reduces over its lanes: how many there are, and where they meet. */
import type { Kernel } from "../webgpu/device.ts"
import manySource from "./lanes-many.wgsl?raw"
import memorySource from "./lanes-memory.wgsl?raw"
import oneSource from "./lanes-one.wgsl?raw"
import subgroupsSource from "./lanes-subgroups.wgsl?raw"
import { type EngineShape, withPass } from "./shape.ts"

/** A kernel that reduces; `source` calls what lanes-many.wgsl and lanes-one.wgsl both have. */
export const reducing = (
  { name, source, constants }: Kernel,
  { lanes, subgroups }: Pick<EngineShape, "lanes" | "subgroups">
): Kernel => {
  if (lanes === 1) return { name, source: withPass(oneSource, source), constants }
  const meeting = withPass(manySource, subgroups ? subgroupsSource : memorySource, source)
  return {
    // Pipelines are told apart by their names and constants.
    name: subgroups ? `${name}, subgroups` : name,
    source: subgroups ? `enable subgroups;\n${meeting}` : meeting,
    constants: { ...constants, LANES: lanes }
  }
}

/** The sum of what lanes have, a power of two of them, bit by bit as kernels add it up. */
export const addUpReference = (values: Float32Array): number => {
  if (values.length === 1) return values[0]!
  // Neighbours first: a tree over half as many.
  return addUpReference(
    Float32Array.from({ length: values.length / 2 }, (_, i) => values[2 * i]! + values[2 * i + 1]!)
  )
}
