/** What a result depends on most: one input at a time, and all of them together. */
import { Effect } from "effect"
import type { SampleAxis, Setting } from "../sweep/axis.ts"
import type { Sweep } from "../sweep/load-sweep.ts"
import { type FigureOutcome, isFigure, meanAt } from "./evaluate.ts"
import { saltelliPoints, type Sensitivity, sobolIndices } from "./sobol-indices.ts"

/** An input and what it does to the figure. */
export interface Influence {
  readonly axis: SampleAxis
  readonly low: Setting
  readonly high: Setting
  /** The figure with this input at its ends and all others as the scenario has them. */
  readonly atLow: FigureOutcome
  readonly atHigh: FigureOutcome
  /** Over the whole space; undefined if some point of the sample has no figure. */
  readonly indices: Sensitivity | undefined
}

export interface SensitivityOf {
  /** Of the scenario as it is. */
  readonly base: FigureOutcome
  /** Largest swing first. */
  readonly influences: readonly Influence[]
  /** Points of the sample, and how many had no figure. */
  readonly points: number
  readonly missing: number
  /** Smallest, mean and largest of the sample's figures. */
  readonly range: { readonly min: number; readonly mean: number; readonly max: number } | undefined
}

/** The end of an axis: values are drawn from [0, 1), ranges include their end. */
const endOf = ({ listed, settingAt }: SampleAxis): Setting => settingAt(listed.length > 0 ? 1 - 1e-12 : 1)

export const swing = ({ atLow, atHigh }: Influence): number =>
  isFigure(atLow) && isFigure(atHigh) ? Math.abs(atHigh - atLow) : Number.POSITIVE_INFINITY

/** How many simulations `sensitivity` takes, for one method. */
export const sensitivityCost = (axes: number, n: number, seeds: number): number =>
  (1 + 2 * axes + n * (axes + 2)) * seeds

/**
 * Tornado and Sobol indices over the ranges of a sweep's sample, `n` being its points. Figures are means over the sweep's seeds,
 * the same ones everywhere, so that chance is common to all points and no input's share of the variance.
 */
export const sensitivity = Effect.fnUntraced(function* (
  { base, design: { seeds } }: Sweep,
  axes: readonly SampleAxis[],
  n: number,
  method: number
) {
  const point = (settings: readonly (Setting | undefined)[]) => ({
    method,
    overrides: axes.flatMap(({ field }, i) => {
      const setting = settings[i]
      return setting === undefined ? [] : [{ field, value: setting.value }]
    })
  })
  const only = (axis: number, setting: Setting) =>
    point(axes.map((_, i) => (i === axis ? setting : undefined)))
  const ends = axes.map((axis) => ({ low: axis.settingAt(0), high: endOf(axis) }))
  const sample = saltelliPoints(n, axes.length, 1)
  const outcomes = yield* meanAt(
    base,
    [
      point([]),
      ...ends.flatMap(({ low, high }, i) => [only(i, low), only(i, high)]),
      ...sample.map((places) => point(axes.map((axis, i) => axis.settingAt(places[i]!))))
    ],
    seeds
  )
  const sampled = outcomes.slice(1 + 2 * axes.length)
  const values = sampled.filter(isFigure)
  const indices = values.length === sampled.length ? sobolIndices(values, axes.length) : undefined
  const influences = axes
    .map((axis, i): Influence => ({
      axis,
      ...ends[i]!,
      atLow: outcomes[1 + 2 * i]!,
      atHigh: outcomes[2 + 2 * i]!,
      indices: indices?.[i]
    }))
    .toSorted((a, b) => swing(b) - swing(a))
  return {
    base: outcomes[0]!,
    influences,
    points: sampled.length,
    missing: sampled.length - values.length,
    range:
      values.length === 0
        ? undefined
        : {
            min: Math.min(...values),
            mean: values.reduce((sum, value) => sum + value, 0) / values.length,
            max: Math.max(...values)
          }
  } satisfies SensitivityOf
})
