/**
 * The mean of one long run in its steady state, with an interval: neighbours in a run resemble each other, means of long
 * batches hardly do. A. M. Law and W. D. Kelton, Simulation Modeling and Analysis, ch. 9: few batches, and long ones.
 */
import { CONFIDENCE, type Interval, meanInterval, meanOf, varianceOf } from "./student.ts"
import { type WarmUp, warmUpOf } from "./warm-up.ts"

const BATCHES = 20
/** Batches whose means still resemble their neighbours so much are too short. */
const CORRELATED = 0.25

export interface SteadyMean extends Interval {
  readonly warmUp: WarmUp
  /** Correlation of neighbouring batch means. */
  readonly correlation: number
  /** The run is long enough for the interval to be taken at its word. */
  readonly trusted: boolean
}

/** Correlation of each value with the next. */
export const lagOne = (values: readonly number[]): number => {
  if (values.length < 3) return 0
  const mean = meanOf(values)
  let product = 0
  for (let i = 1; i < values.length; i++) product += (values[i]! - mean) * (values[i - 1]! - mean)
  const variance = varianceOf(values) * (values.length - 1)
  return variance > 0 ? product / variance : 0
}

/** Means of equally long batches; what does not fill one is left out at the beginning. */
const batchMeans = (values: readonly number[], batches: number): readonly number[] => {
  const length = Math.floor(values.length / batches)
  const start = values.length - length * batches
  return Array.from({ length: batches }, (_, i) =>
    meanOf(values.slice(start + i * length, start + (i + 1) * length))
  )
}

/** The steady-state mean of values in their order; undefined of fewer than two batches of one. */
export const steadyMean = (
  values: readonly number[],
  confidence: number = CONFIDENCE
): SteadyMean | undefined => {
  const warmUp = warmUpOf(values)
  const kept = values.slice(warmUp.drop)
  const batches = Math.min(BATCHES, kept.length)
  if (batches < 2) return undefined
  const means = batchMeans(kept, batches)
  const correlation = lagOne(means)
  const trusted = warmUp.settled && kept.length >= 10 * BATCHES && correlation < CORRELATED
  return { ...meanInterval(means, confidence), warmUp, correlation, trusted }
}
