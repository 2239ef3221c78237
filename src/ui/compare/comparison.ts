/** Everything that is computed about two runs, and the sentence that answers. */
import { type Pairing, pair, type Run } from "./pairing.ts"
import { type PhaseDelta, phaseDeltas, spanOf } from "./phases.ts"
import { type Waterfall, waterfall } from "./waterfall.ts"

export interface Comparison {
  readonly pairing: Pairing
  readonly phases: readonly PhaseDelta[]
  readonly waterfall: Waterfall
  /** First begin to last end, ns. */
  readonly duration: { readonly a: number; readonly b: number }
}

export const compareRuns = (a: Run, b: Run): Comparison => {
  const length = (run: Run): number => spanOf(run).to - spanOf(run).from
  return {
    pairing: pair(a, b),
    phases: phaseDeltas(a, b),
    waterfall: waterfall(a, b),
    duration: { a: length(a), b: length(b) }
  }
}

/** Percent below which two times are called the same. */
const SAME = 0.05

/** "B takes 12.3 % longer per round; exposed transfer explains 9.1 points of it." */
export const verdictOf = ({ waterfall: { per, a, b, steps }, duration }: Comparison): string => {
  if (a === 0 || b === 0) return "One of the two runs holds no slices, so there is nothing to compare."
  const unit = per === "run" ? "for the run" : `per ${per}`
  const percent = (100 * (b - a)) / a
  const run = (100 * (duration.b - duration.a)) / duration.a
  const whole =
    per === "run" ? "" : ` The whole run takes ${Math.abs(run) < SAME ? "the same time" : spoken(run)}.`
  if (Math.abs(percent) < SAME) {
    const moved = steps.some(({ change }) => change !== 0) ? "" : "; no part of it differs"
    return `B takes the same time as A ${unit}${moved}.${whole}`
  }
  const sign = Math.sign(percent)
  const ranked = steps.toSorted((x, y) => sign * (y.change - x.change))
  const points = (at: number): string => Math.abs((100 * ranked.at(at)!.change) / a).toFixed(1)
  // What goes the other way is told where it matters.
  const against = ranked.at(-1)!
  const back =
    sign * against.change * -100 > (a * Math.abs(percent)) / 5
      ? `, and ${against.what} takes ${points(-1)} back`
      : ""
  return `B takes ${spoken(percent)} ${unit} than A; ${ranked[0]!.what} explains ${points(0)} points of it${back}.${whole}`
}

const spoken = (percent: number): string =>
  `${Math.abs(percent).toFixed(1)} % ${percent > 0 ? "longer" : "less time"}`

/** What could not be paired, in words. */
export const unpairedOf = ({ pairing: { rounds, slices } }: Comparison): string => {
  const alone = ({ onlyA, onlyB }: Pairing["rounds"]): string =>
    onlyA + onlyB === 0 ? "none only in one run" : `${onlyA} only in A, ${onlyB} only in B`
  const some = rounds.paired + rounds.onlyA + rounds.onlyB > 0
  return [
    some
      ? `${rounds.paired} rounds are in both runs, ${alone(rounds)}.`
      : "Neither run has rounds of drafting.",
    `${slices.paired} slices are paired, ${alone(slices)}; those count in the table and the waterfall, and have no residual.`
  ].join(" ")
}
