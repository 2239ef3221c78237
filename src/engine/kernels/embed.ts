import type { Kernel } from "../webgpu/device.ts"
import source from "./embed.wgsl?raw"
import { type EngineShape, withPass } from "./shape.ts"
import { type WeightType, withWeights } from "./weights.ts"

/** Rows of the embedding table into the activations, of `tokens` tokens from `first` on. Bindings: table, tokens, rows, pass, x. */
export const embed = (
  { config, maxTokens }: EngineShape,
  type: WeightType,
  first: number,
  tokens: number
): Kernel => ({
  name: `embed ${type}`,
  source: withWeights(type, withPass(source)),
  constants: { HIDDEN: config.hidden, FIRST: first, TOKENS: tokens, MAX_TOKENS: maxTokens }
})

/** The row of a token, from a table [hidden][stride]. */
export const embedReference = (
  table: Float32Array,
  stride: number,
  hidden: number,
  token: number
): Float32Array => Float32Array.from({ length: hidden }, (_, channel) => table[channel * stride + token]!)
