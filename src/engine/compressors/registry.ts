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
import { kvzap } from "./kvzap.ts"
import { int4, int8, k8v4, kivi2, kivi4, kvquant, type Quantizing, rotateKv, rotateKv2 } from "./quantize.ts"
import { random } from "./random.ts"

const DROPPING: readonly Dropping[] = [
  streamingLlm,
  h2o,
  snapkv,
  pyramidkv,
  kvzip,
  kvzap,
  expectedAttention,
  verifyFed
]
const QUANTIZING: readonly Quantizing[] = [int8, int4, k8v4, kivi4, kivi2, kvquant, rotateKv, rotateKv2]

export const COMPRESSORS: readonly Compressor[] = [
  ...DROPPING,
  ...QUANTIZING,
  hybrid(snapkv, int4),
  identity,
  random
]

/** No method has this name. */
export class UnknownCompressor extends Schema.TaggedError<UnknownCompressor>()("UnknownCompressor", {
  name: Schema.String,
  /** Every name there is, pairs too. */
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `no compressor is named ${JSON.stringify(this.name)}`
  }
}

/** The method of a name, or of a pair of names. */
export const findCompressor = (name: string): Compressor | UnknownCompressor => {
  const single = COMPRESSORS.find((one) => one.name === name)
  if (single !== undefined) return single
  const pairs = DROPPING.flatMap((drops) => QUANTIZING.map((stores) => hybrid(drops, stores)))
  return (
    pairs.find((one) => one.name === name) ??
    new UnknownCompressor({ name, known: [...COMPRESSORS, ...pairs].map((one) => one.name) })
  )
}
