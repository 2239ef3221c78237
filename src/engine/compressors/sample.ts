/** A made-up context to try methods on. */
import type { Needs, Observation } from "./compressor.ts"

/** Sizes of a made-up context. */
export type SampleShape = Pick<Observation, "layers" | "heads" | "kvHeads" | "headDim" | "tokens">

/** Numbers in [-1, 1) that look random. */
const noise = (seed: number, length: number): Float32Array => {
  let state = Math.imul(seed + 1, 2654435761) >>> 0
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

const refusing = (what: string) => (): never => {
  throw new Error(`needs does not ask for ${what}`)
}

/** What a method with these needs would see of a context of noise. */
export const sampleObservation = (shape: SampleShape, needs: Needs, seed = 1): Observation => {
  const { tokens, headDim } = shape
  const part = (salt: number, length: number) => (layer: number, head: number) =>
    noise(((seed * 5 + salt) * 64 + layer) * 64 + head, length)
  const attention = part(1, tokens)
  return {
    ...shape,
    prompt: tokens,
    attention:
      needs.attention === undefined
        ? refusing("attention")
        : (layer, head) => attention(layer, head).map(Math.abs),
    keys: needs.keys === true ? part(2, tokens * headDim) : refusing("keys"),
    values: needs.values === true ? part(3, tokens * headDim) : refusing("values"),
    queries:
      needs.queries === undefined ? refusing("queries") : part(4, Math.min(tokens, needs.queries) * headDim)
  }
}
