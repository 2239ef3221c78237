/** What counted rounds say about acceptance: shares, lengths, and how sure they are. Pure. */

/** One verified round of a full draft window. */
export interface Round {
  /** Which prompt it belongs to; rounds of one prompt are alike. */
  readonly prompt: number
  /** Drafted tokens the verifier agreed with, 0…window. */
  readonly accepted: number
}

/** Bounds of a 95 % interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Drafted token `position` (from 1) of the rounds in which all before it agreed. */
export interface PositionFigure {
  readonly position: number
  readonly reached: number
  readonly agreed: number
  /** Wilson score interval of agreed / reached, as if rounds were independent. */
  readonly interval: Interval
}

export interface AcceptanceFigures {
  readonly rounds: number
  readonly drafted: number
  readonly accepted: number
  /** Mean accepted tokens of a round, 0…window; 0 without rounds. */
  readonly meanLength: number
  /** Of `meanLength`: percentile bootstrap over prompts. Undefined with fewer than two prompts. */
  readonly meanLengthInterval: Interval | undefined
  /** `lengths[i]`: rounds of which exactly i tokens were accepted; window + 1 values. */
  readonly lengths: readonly number[]
  /** Up to the last position that any round reached. */
  readonly positions: readonly PositionFigure[]
}

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959964
const RESAMPLES = 2000

/** Wilson score interval of a share (Wilson 1927), 95 %. `of` ≥ 1. */
export const wilson = (hits: number, of: number): Interval => {
  const share = hits / of
  const middle = (share + (Z * Z) / (2 * of)) / (1 + (Z * Z) / of)
  const reach = (Z / (1 + (Z * Z) / of)) * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of))
  // At the ends the bounds are the ends themselves, but for rounding.
  return { low: hits === 0 ? 0 : middle - reach, high: hits === of ? 1 : middle + reach }
}

/** Rounds and accepted tokens of each prompt that has any. */
const byPrompt = (rounds: readonly Round[]): { readonly rounds: number; readonly accepted: number }[] =>
  [...Map.groupBy(rounds, ({ prompt }) => prompt).values()].map((own) => ({
    rounds: own.length,
    accepted: own.reduce((sum, { accepted }) => sum + accepted, 0)
  }))

/** Means of prompts drawn with replacement: rounds of one prompt resemble each other, so prompts are what is drawn. */
const bootstrap = (rounds: readonly Round[]): Interval | undefined => {
  const prompts = byPrompt(rounds)
  if (prompts.length < 2) return undefined
  // A fixed sequence (Numerical Recipes' LCG): the same rounds give the same interval.
  let state = 1
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * prompts.length)
  }
  const means = Array.from({ length: RESAMPLES }, () => {
    let [count, accepted] = [0, 0]
    for (let i = 0; i < prompts.length; i++) {
      const one = prompts[draw()]!
      count += one.rounds
      accepted += one.accepted
    }
    return accepted / count
  }).toSorted((a, b) => a - b)
  return { low: means[Math.floor(0.025 * RESAMPLES)]!, high: means[Math.ceil(0.975 * RESAMPLES) - 1]! }
}

/** Figures of rounds that each drafted exactly `window` tokens. */
export const acceptanceFigures = (rounds: readonly Round[], window: number): AcceptanceFigures => {
  const lengths = Array.from({ length: window + 1 }, () => 0)
  for (const { accepted } of rounds) lengths[accepted]!++
  const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0)
  const positions: PositionFigure[] = []
  let reached = rounds.length
  for (let position = 1; position <= window && reached > 0; position++) {
    const agreed = reached - lengths[position - 1]!
    positions.push({ position, reached, agreed, interval: wilson(agreed, reached) })
    reached = agreed
  }
  return {
    rounds: rounds.length,
    drafted: rounds.length * window,
    accepted,
    meanLength: rounds.length === 0 ? 0 : accepted / rounds.length,
    meanLengthInterval: bootstrap(rounds),
    lengths,
    positions
  }
}

/**
 * P(token i + 1 agrees | all before it agreed), as acceptance models take it: the survival they make of it has exactly the
 * mean accepted length of the rounds (S(i) = share of the rounds with at least i accepted).
 */
export const curveOf = ({ positions }: AcceptanceFigures): readonly number[] =>
  positions.map(({ agreed, reached }) => agreed / reached)
