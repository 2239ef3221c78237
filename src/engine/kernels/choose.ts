import type { Kernel } from "../webgpu/device.ts"
import source from "./choose.wgsl?raw"
import { type EngineShape, withPass } from "./shape.ts"

/** How a request's tokens are drawn, in vLLM's words. */
export interface Sampling {
  /** 0 = greedy. */
  readonly temperature: number
  /** Tokens to choose among, the likeliest first; 0 = all. */
  readonly topK: number
  /** Least mass of the tokens to choose among; 1 = all. */
  readonly topP: number
  /** Divides positive and multiplies negative logits of tokens seen before; 1 = off. */
  readonly repetitionPenalty: number
  readonly seed: number
  /**
   * `coupled`: draft and verify draw a position's token with the same random numbers, so the output is the seeded full-KV
   * run's, token by token. `speculative`: accept with probability min(1, p/q), so only its distribution is.
   */
  readonly mode: "coupled" | "speculative"
}

export const GREEDY: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  seed: 0,
  mode: "coupled"
}

/** Words of one request's sampler on the device. */
export const SAMPLER_WORDS = 8

/** A request's sampler as choose.wgsl reads it. */
export const samplerWords = (sampling: Sampling): Uint32Array => {
  const words = new Uint32Array(SAMPLER_WORDS)
  const floats = new Float32Array(words.buffer)
  floats[0] = sampling.temperature
  words[1] = sampling.topK
  floats[2] = sampling.topP
  floats[3] = sampling.repetitionPenalty
  words[4] = sampling.seed >>> 0
  words[5] = sampling.mode === "speculative" ? 1 : 0
  return words
}

/** Draft distributions kept per request; windows are shorter. */
export const KEPT_DISTRIBUTIONS = 64

/** Draws tokens from logits. Bindings: logits, rows, chosen, pass, tokens, samplers, seen, drafted, out. */
export const choose = ({ config, maxTokens, lanes }: EngineShape): Kernel => ({
  name: "choose",
  source: withPass(source),
  constants: {
    VOCAB: config.vocab,
    VOCAB_STRIDE: Math.ceil(config.vocab / 4) * 4,
    MAX_TOKENS: maxTokens,
    LANES: lanes,
    KEPT: KEPT_DISTRIBUTIONS
  }
})
