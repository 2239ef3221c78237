/** The methods that come with the engine, by name; `a+b` drops like a and stores what is left like b. */
import { Schema } from "effect"
import type { Compressor } from "./compressor.ts"
import {
  type Dropping,
  expectedAttention,
  h2o,
  identity,
  kvzip,
  pyramidkv,
  snapkv,
  streamingLlm,
  verifyFed
} from "./drop.ts"
import { hybrid } from "./hybrid.ts"
import { int4, int8, k8v4, kivi2, kivi4, kvquant, type Quantizing, rotateKv } from "./quantize.ts"
import { random } from "./random.ts"

const DROPPING: readonly Dropping[] = [
  streamingLlm,
  h2o,
  snapkv,
  pyramidkv,
  kvzip,
  expectedAttention,
  verifyFed
]
const QUANTIZING: readonly Quantizing[] = [int8, int4, k8v4, kivi4, kivi2, rotateKv]

export const COMPRESSORS: readonly Compressor[] = [
  ...DROPPING,
  ...QUANTIZING,
  kvquant,
  hybrid(snapkv, int4),
  identity,
  random
]

/** No method has this name. */
export class UnknownCompressor extends Schema.TaggedError<UnknownCompressor>()("UnknownCompressor", {
  name: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `no compressor is named ${JSON.stringify(this.name)}; there are ${this.known.join(", ")}, and pairs such as snapkv+int4`
  }
}

/** The method of a name, or of a pair of names. */
export const findCompressor = (name: string): Compressor | UnknownCompressor => {
  const [first, second, ...more] = name.split("+")
  const drops = DROPPING.find((one) => one.name === first)
  const stores = QUANTIZING.find((one) => one.name === second)
  if (drops !== undefined && stores !== undefined && more.length === 0) return hybrid(drops, stores)
  return (
    COMPRESSORS.find((one) => one.name === name) ??
    new UnknownCompressor({ name, known: COMPRESSORS.map((one) => one.name) })
  )
}
