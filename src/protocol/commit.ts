/**
 * Commit rules: what a verify pass makes of the drafted tokens. All three leave the output that full-KV decoding gives:
 * the same tokens (greedy; coupled sampling), or the same distribution (speculative sampling).
 */

export interface Commit {
  /** Tokens to commit: the accepted ones, then the correction or the bonus. */
  readonly tokens: readonly number[]
  /** Drafted tokens among them. */
  readonly accepted: number
}

/**
 * Keeps drafted tokens up to the first that differs from the verifier's, then the verifier's own (arXiv:2605.17613, one
 * round). `verifier[i]` is what full KV yields after `drafted[0…i−1]`; it has one entry more than `drafted`.
 * Serves greedy decoding, and coupled sampling when the verifier's tokens were drawn with `coupledSample`.
 */
export const matchCommit = (drafted: readonly number[], verifier: readonly number[]): Commit => {
  let accepted = 0
  while (accepted < drafted.length && drafted[accepted] === verifier[accepted]) accepted++
  return { tokens: verifier.slice(0, accepted + 1), accepted }
}

/** The token a uniform `u` in (0, 1) picks from a distribution, by its cumulative sum; the last positive one at the end. */
export const sample = (distribution: Float64Array, u: number): number => {
  let cumulative = 0
  let last = 0
  for (let token = 0; token < distribution.length; token++) {
    if (distribution[token]! <= 0) continue
    cumulative += distribution[token]!
    last = token
    if (u < cumulative) return token
  }
  return last
}

/** The random number of a position: a pure function of seed, request and position, in (0, 1). */
export type PositionRandom = (position: number) => number

/** Coupled sampling: drafter and verifier draw a position's token with the same random number, so equal distributions agree. */
export const coupledSample = (distribution: Float64Array, position: number, random: PositionRandom): number =>
  sample(distribution, random(position))

/**
 * Speculative sampling (Leviathan et al. 2023; Chen et al. 2023): accepts drafted token t with probability
 * min(1, p(t)/q(t)), and at the first refusal draws from the residual max(0, p − q), normalised. The committed tokens are
 * distributed as if drawn from the verifier alone.
 *
 * `drafter[i]`, `verifier[i]`: distributions q and p after i drafted tokens; `verifier` has one more. `random` yields
 * uniforms in (0, 1).
 */
export const speculativeCommit = (
  drafted: readonly number[],
  drafter: readonly Float64Array[],
  verifier: readonly Float64Array[],
  random: () => number
): Commit => {
  for (let i = 0; i < drafted.length; i++) {
    const token = drafted[i]!
    const p = verifier[i]!
    const q = drafter[i]!
    if (random() * q[token]! < p[token]!) continue
    return { tokens: [...drafted.slice(0, i), sample(residual(p, q), random())], accepted: i }
  }
  const bonus = sample(verifier[drafted.length]!, random())
  return { tokens: [...drafted, bonus], accepted: drafted.length }
}

const residual = (p: Float64Array, q: Float64Array): Float64Array => {
  const excess = p.map((value, token) => Math.max(0, value - q[token]!))
  const total = excess.reduce((sum, value) => sum + value, 0)
  return total > 0 ? excess.map((value) => value / total) : p
}
