/** How a weight matrix lies on the device: [in][out], four outputs in a vector, in the type it was stored in. */
import type { Dtype } from "../weights/checkpoint.ts"
import bf16Source from "./weight-bf16.wgsl?raw"
import f16NativeSource from "./weight-f16-native.wgsl?raw"
import f16Source from "./weight-f16.wgsl?raw"
import f32Source from "./weight-f32.wgsl?raw"

export type WeightType = Dtype | "F16-native"

const SOURCES: Readonly<Record<WeightType, string>> = {
  F32: f32Source,
  F16: f16Source,
  "F16-native": f16NativeSource,
  BF16: bf16Source
}

/** A kernel's source with the reader of a weight type; `enable` directives must stand first. */
export const withWeights = (type: WeightType, source: string): string => `${SOURCES[type]}\n${source}`
