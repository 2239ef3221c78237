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

/** What one prompt's rounds came to. */
export interface PromptFigure {
  readonly prompt: number
  readonly rounds: number
  readonly accepted: number
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
  /** Prompts that have rounds, ascending. */
  readonly perPrompt: readonly PromptFigure[]
}

/** How much longer accepted lengths are than another cell's, over the prompts both have. */
export interface PairedDifference {
  readonly prompts: number
  /** Mean accepted tokens of a round less the other's. */
  readonly meanLength: number
  /** Percentile bootstrap over prompts, each drawn with its rounds in both cells. Undefined with fewer than two prompts. */
  readonly interval: Interval | undefined
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
const byPrompt = (rounds: readonly Round[]): readonly PromptFigure[] =>
  [...Map.groupBy(rounds, ({ prompt }) => prompt)]
    .map(([prompt, own]) => ({
      prompt,
      rounds: own.length,
      accepted: own.reduce((sum, { accepted }) => sum + accepted, 0)
    }))
    .toSorted((a, b) => a.prompt - b.prompt)

const meanOf = (prompts: readonly PromptFigure[]): number =>
  prompts.reduce((sum, { accepted }) => sum + accepted, 0) /
  prompts.reduce((sum, { rounds }) => sum + rounds, 0)

/**
 * 95 % of what a statistic comes to over prompts drawn with replacement: rounds of one prompt resemble each other, so prompts
 * are what is drawn. Undefined with fewer than two.
 */
const bootstrap = <One>(
  prompts: readonly One[],
  statistic: (drawn: readonly One[]) => number
): Interval | undefined => {
  if (prompts.length < 2) return undefined
  // A fixed sequence (Numerical Recipes' LCG): the same rounds give the same interval.
  let state = 1
  const draw = (): One => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return prompts[Math.floor((state / 2 ** 32) * prompts.length)]!
  }
  const values = Array.from({ length: RESAMPLES }, () => statistic(prompts.map(draw))).toSorted(
    (a, b) => a - b
  )
  return { low: values[Math.floor(0.025 * RESAMPLES)]!, high: values[Math.ceil(0.975 * RESAMPLES) - 1]! }
}

/** Two cells of the same prompts beside each other. What prompts differ in cancels, so small differences show. */
export const pairedDifference = (
  cell: Pick<AcceptanceFigures, "perPrompt">,
  other: Pick<AcceptanceFigures, "perPrompt">
): PairedDifference => {
  const others = new Map(other.perPrompt.map((one) => [one.prompt, one]))
  const pairs = cell.perPrompt.flatMap((one) => {
    const beside = others.get(one.prompt)
    return beside === undefined ? [] : [[one, beside] as const]
  })
  const difference = (drawn: readonly (typeof pairs)[number][]): number =>
    meanOf(drawn.map(([one]) => one)) - meanOf(drawn.map(([, beside]) => beside))
  return {
    prompts: pairs.length,
    meanLength: pairs.length === 0 ? 0 : difference(pairs),
    interval: bootstrap(pairs, difference)
  }
}

/** Figures of rounds that each drafted exactly `window` tokens. */
export const acceptanceFigures = (rounds: readonly Round[], window: number): AcceptanceFigures => {
  const lengths = Array.from({ length: window + 1 }, () => 0)
  for (const { accepted } of rounds) lengths[accepted]!++
  const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0)
  const positions: PositionFigure[] = []
  const perPrompt = byPrompt(rounds)
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
    meanLengthInterval: bootstrap(perPrompt, meanOf),
    lengths,
    positions,
    perPrompt
  }
}

/**
 * P(token i + 1 agrees | all before it agreed), as acceptance models take it: the survival they make of it has exactly the
 * mean accepted length of the rounds (S(i) = share of the rounds with at least i accepted).
 */
export const curveOf = ({ positions }: AcceptanceFigures): readonly number[] =>
  positions.map(({ agreed, reached }) => agreed / reached)
