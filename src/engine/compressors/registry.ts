/** The methods that come with the engine, by name; `a+b` drops like a and stores what is left like b. */
import { Schema } from "effect"
import type { Compressor } from "./compressor.ts"
import { expectedAttention, h2o, identity, pyramidkv, snapkv, streamingLlm, verifyFed } from "./drop.ts"
import { int4, int8, k8v4, kivi2, kivi4, rotateKv } from "./quantize.ts"
import { random } from "./random.ts"

export const COMPRESSORS: readonly Compressor[] = [
  streamingLlm,
  h2o,
  snapkv,
  pyramidkv,
  expectedAttention,
  verifyFed,
  int8,
  int4,
  k8v4,
  kivi4,
  kivi2,
  rotateKv,
  identity,
  random
]

/** No method has this name. */
export class UnknownCompressor extends Schema.TaggedError<UnknownCompressor>()("UnknownCompressor", {
  name: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `no compressor is named ${JSON.stringify(this.name)}; there are ${this.known.join(", ")}`
  }
}

/** The method of a name. */
export const findCompressor = (name: string): Compressor | UnknownCompressor =>
  COMPRESSORS.find((one) => one.name === name) ??
  new UnknownCompressor({ name, known: COMPRESSORS.map((one) => one.name) })
