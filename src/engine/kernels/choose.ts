import type { Kernel } from "../webgpu/device.ts"
import source from "./choose.wgsl?raw"
import { reducing } from "./lanes.ts"
import type { EngineShape } from "./shape.ts"

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

/** Whether drafts are accepted by comparing distributions, so that those of drafts have to be kept. */
export const speculates = ({ mode, temperature }: Sampling): boolean =>
  mode === "speculative" && temperature > 0

/** A request's sampler as choose.wgsl reads it. `keeping`: distributions of its drafts are kept. */
export const samplerWords = (sampling: Sampling, keeping = speculates(sampling)): Uint32Array => {
  const words = new Uint32Array(SAMPLER_WORDS)
  const floats = new Float32Array(words.buffer)
  floats[0] = sampling.temperature
  words[1] = sampling.topK
  floats[2] = sampling.topP
  floats[3] = sampling.repetitionPenalty
  words[4] = sampling.seed >>> 0
  words[5] = keeping ? 1 : 0
  return words
}

/** Draft distributions kept per request: no round drafts more by speculative sampling. */
export const KEPT_DISTRIBUTIONS = 64

/** Draws tokens from logits. Bindings: logits, rows, chosen, pass, tokens, samplers, seen, drafted, out. */
export const choose = (shape: EngineShape): Kernel =>
  reducing(
    {
      name: "choose",
      source,
      constants: {
        VOCAB: shape.config.vocab,
        VOCAB_STRIDE: Math.ceil(shape.config.vocab / 4) * 4,
        MAX_TOKENS: shape.maxTokens,
        KEPT: KEPT_DISTRIBUTIONS
      }
    },
    shape
  )

/** What a row's choice depends on beside its logits. */
export interface ChoiceContext {
  readonly sampling: Sampling
  readonly position: number
  /** Tokens of the request up to the row's own. */
  readonly history: readonly number[]
  readonly verify: boolean
  /** What was drafted behind the row, and the distribution it was drawn from. */
  readonly drafted?: { readonly token: number; readonly distribution: ArrayLike<number> }
}

/** What a row's choice comes to: the winner has the highest score, the lowest index on a tie. */
export interface ChoiceScores {
  readonly scores: readonly number[]
  /** Probabilities after temperature, top-k and top-p; one 1 when greedy. */
  readonly distribution: readonly number[]
}

const mix = (value: number): number => {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return (h ^ (h >>> 16)) >>> 0
}

/** A number in (0, 1), a pure function of its three keys. */
const uniform01 = (seed: number, position: number, salt: number): number =>
  ((mix(mix(mix(seed ^ 0x9e3779b9) ^ position) ^ salt) >>> 9) + 0.5) / 2 ** 23

/** One row's choice; in speculative mode a draft that is kept scores Infinity. */
export const chooseReference = (logits: Float32Array, context: ChoiceContext): ChoiceScores => {
  const { sampling, position, history, verify, drafted } = context
  const { temperature, topK, topP, repetitionPenalty, seed, mode } = sampling
  const seen = new Set(history)
  const penalised = Array.from(logits, (value, token) =>
    seen.has(token) ? (value > 0 ? value / repetitionPenalty : value * repetitionPenalty) : value
  )
  const best = penalised.indexOf(Math.max(...penalised))
  if (temperature === 0)
    return { scores: penalised, distribution: penalised.map((_, token) => (token === best ? 1 : 0)) }

  const descending = penalised.toSorted((a, b) => b - a)
  const kth = topK > 0 && topK < logits.length ? descending[topK - 1]! : -Infinity
  const weight = (value: number): number => Math.exp((value - penalised[best]!) / temperature)
  const total = descending.reduce((sum, value) => sum + (value >= kth ? weight(value) : 0), 0)
  let least = kth
  let mass = 0
  for (const value of topP < 1 ? descending : []) {
    if (value < kth) break
    mass += weight(value)
    least = value
    if (mass >= topP * total) break
  }
  const kept = penalised.reduce((sum, value) => sum + (value >= least ? weight(value) : 0), 0)
  const distribution = penalised.map((value) => (value >= least ? weight(value) / kept : 0))

  let target: readonly number[] = distribution
  const speculative = mode === "speculative"
  if (speculative && drafted !== undefined) {
    const { token, distribution: q } = drafted
    if (uniform01(seed, position, 0xacce97) * q[token]! < distribution[token]!)
      return { scores: penalised.map((_, i) => (i === token ? Infinity : -Infinity)), distribution }
    target = distribution.map((p, i) => Math.max(0, p - q[i]!))
  }
  const salt = speculative ? (verify ? 0x20000000 : 0x10000000) : 0
  const scores = target.map((p, token) =>
    p === 0 ? -Infinity : Math.log(p) - Math.log(-Math.log(1 - uniform01(seed ^ salt, position, token)))
  )
  return { scores, distribution }
}
