/**
 * The n-gram drafter (prompt lookup): what followed the last few tokens where they stood before is proposed to follow again.
 * It costs no weights and no KV; its proposals are right where the output repeats the text before it.
 */

/** In vLLM's words (`speculative_config` with method ngram). */
export interface Ngram {
  /** Tokens proposed at most, ≥ 1. */
  readonly numSpeculativeTokens: number
  /** Shortest and longest run of last tokens that is looked for: 1 ≤ min ≤ max. */
  readonly promptLookupMin: number
  readonly promptLookupMax: number
}

/** vLLM's, where a `speculative_config` gives neither bound. */
const USUAL_LOOKUP = 5

/** Both bounds from those given: one alone stands for both, as in vLLM. */
export const lookupBounds = (
  min: number | undefined,
  max: number | undefined
): Pick<Ngram, "promptLookupMin" | "promptLookupMax"> => ({
  promptLookupMin: min ?? max ?? USUAL_LOOKUP,
  promptLookupMax: max ?? min ?? USUAL_LOOKUP
})

/** Whether `length` tokens that begin at `at` are the last ones. */
const isSuffix = (tokens: readonly number[], at: number, length: number): boolean => {
  const last = tokens.length - length
  for (let i = length - 1; i >= 0; i--) if (tokens[at + i] !== tokens[last + i]) return false
  return true
}

/**
 * Up to `most` tokens that followed the longest run of last tokens which stands earlier in the text, and there at its first
 * place, as vLLM looks it up; none if no run of `promptLookupMin` tokens does.
 */
export const proposeNgram = (
  tokens: readonly number[],
  { numSpeculativeTokens, promptLookupMin, promptLookupMax }: Ngram,
  most = numSpeculativeTokens
): readonly number[] => {
  const count = Math.min(most, numSpeculativeTokens)
  if (count <= 0) return []
  for (let length = Math.min(promptLookupMax, tokens.length - 1); length >= promptLookupMin; length--)
    for (let at = 0; at + length < tokens.length; at++)
      if (isSuffix(tokens, at, length)) return tokens.slice(at + length, at + length + count)
  return []
}
