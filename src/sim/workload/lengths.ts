/** Prompt and output lengths: draws, means, extremes. */
import type { Lengths } from "../../scenario/resolved.ts"
import { normalCdf } from "../kernel/normal.ts"
import type { Random } from "../kernel/random.ts"

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value))

/** One length, tokens. */
export const drawLength = (lengths: Lengths, random: Random): number => {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens
    case "uniform":
      return lengths.min + random.integer(lengths.max - lengths.min + 1)
    case "lognormal":
      return Math.round(clamp(random.lognormal(lengths.median, lengths.sigma), lengths.min, lengths.max))
    case "empirical":
      return lengths.values[random.integer(lengths.values.length)]!
  }
}

/** Expected length, tokens; exact but for the rounding of a lognormal to whole tokens. */
export const meanLength = (lengths: Lengths): number => {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens
    case "uniform":
      return (lengths.min + lengths.max) / 2
    case "lognormal":
      return clampedLognormalMean(lengths)
    case "empirical":
      return lengths.values.reduce((sum, value) => sum + value, 0) / lengths.values.length
  }
}

/** The longest a length can be, tokens. */
export const longestLength = (lengths: Lengths): number => {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens
    case "uniform":
    case "lognormal":
      return lengths.max
    case "empirical":
      return lengths.values.reduce((max, value) => Math.max(max, value), 0)
  }
}

/** E[clamp(X, min, max)] of X lognormal: the two ends with the mass beyond them, and the partial mean between. */
const clampedLognormalMean = ({
  median,
  sigma,
  min,
  max
}: Extract<Lengths, { kind: "lognormal" }>): number => {
  if (sigma === 0) return clamp(median, min, max)
  const low = Math.log(min / median) / sigma
  const high = Math.log(max / median) / sigma
  const inside = median * Math.exp(sigma ** 2 / 2) * (normalCdf(high - sigma) - normalCdf(low - sigma))
  return min * normalCdf(low) + inside + max * normalCdf(-high)
}
