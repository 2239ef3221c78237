/**
 * Robust non-linear least squares: Levenberg–Marquardt (Marquardt 1963) under Huber's weights (Huber 1964) with the scale taken
 * from the median absolute residual, and a weak pull to where it started, so that what the data do not show stays as it was.
 * Nothing is random: the same data give the same fit.
 */

import { median } from "./median.ts"

export interface Problem {
  /** Where to start. */
  readonly start: readonly number[]
  /** What parameters have that are left out; where they start if it is not given. */
  readonly kept?: readonly number[]
  /** Bounds of each parameter. */
  readonly bounds: readonly (readonly [low: number, high: number])[]
  /** Residuals at some parameters; always the same number of them. */
  readonly residuals: (parameters: readonly number[]) => Float64Array
  /** Weight of the pull of each parameter to its start, relative to one residual. */
  readonly pull: number
}

export interface Solution {
  readonly parameters: readonly number[]
  /** By parameter, the change of each residual when it changes by one: what the data see of it. */
  readonly columns: readonly Float64Array[]
}

const STEP = 1e-4
const ITERATIONS = 60
/** Huber's 95 % efficiency at the normal distribution, in standard deviations. */
const HUBER = 1.345
/** Median absolute deviation to standard deviation of the normal distribution. */
const DEVIATION = 1.4826
/** Residuals as small as this are all alike: what is rare but larger is no outlier among them. */
const LEAST_SCALE = 5e-3

const scaleOf = (residuals: Float64Array): number =>
  Math.max(LEAST_SCALE, DEVIATION * median(residuals.map(Math.abs)))

const weightsOf = (residuals: Float64Array): Float64Array => {
  const scale = scaleOf(residuals)
  return residuals.map((one) => Math.min(1, (HUBER * scale) / Math.max(Math.abs(one), LEAST_SCALE)))
}

/** Solves A·x = b for a symmetric positive definite A by Cholesky's decomposition. */
const solve = (a: readonly Float64Array[], b: Float64Array): Float64Array => {
  const n = b.length
  const lower = a.map((row) => row.slice())
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i]![j]!
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!
      lower[i]![j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / lower[j]![j]!
    }
  }
  const x = b.slice()
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!
    x[i]! /= lower[i]![i]!
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= lower[k]![i]! * x[k]!
    x[i]! /= lower[i]![i]!
  }
  return x
}

export const leastSquares = ({ start, bounds, residuals, pull }: Problem): Solution => {
  const within = (values: readonly number[]): number[] =>
    values.map((value, i) => Math.min(bounds[i]![1], Math.max(bounds[i]![0], value)))
  const columnsAt = (at: readonly number[], base: Float64Array): Float64Array[] =>
    at.map((value, i) => {
      // Away from a bound, so that the difference is one.
      const step = value + STEP > bounds[i]![1] ? -STEP : STEP
      const moved = residuals(at.with(i, value + step))
      return moved.map((one, row) => (one - base[row]!) / step)
    })
  const loss = (errors: Float64Array, weights: Float64Array, at: readonly number[]): number =>
    errors.reduce((sum, one, row) => sum + weights[row]! * one * one, 0) +
    at.reduce((sum, value, i) => sum + pull * (value - start[i]!) ** 2, 0)

  let at = within(start)
  let errors = residuals(at)
  let columns = columnsAt(at, errors)
  let damping = 1e-3
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const weights = weightsOf(errors)
    const before = loss(errors, weights, at)
    const normal = columns.map((a) =>
      Float64Array.from(columns, (b) => a.reduce((sum, one, row) => sum + weights[row]! * one * b[row]!, 0))
    )
    const gradient = Float64Array.from(
      columns,
      (a, i) =>
        -a.reduce((sum, one, row) => sum + weights[row]! * one * errors[row]!, 0) -
        pull * (at[i]! - start[i]!)
    )
    let moved = false
    while (damping < 1e9) {
      const damped = normal.map((row, i) => row.with(i, row[i]! * (1 + damping) + pull + 1e-12))
      const step = solve(damped, gradient)
      const next = within(at.map((value, i) => value + step[i]!))
      const tried = residuals(next)
      if (loss(tried, weights, next) < before) {
        const largest = Math.max(...next.map((value, i) => Math.abs(value - at[i]!)))
        at = next
        errors = tried
        damping = Math.max(1e-9, damping / 10)
        moved = largest > 1e-8
        break
      }
      damping *= 10
    }
    columns = columnsAt(at, errors)
    if (!moved) break
  }
  return { parameters: at, columns }
}

/** Root mean square of some changes. */
const size = (column: Float64Array): number =>
  Math.sqrt(column.reduce((sum, one) => sum + one * one, 0) / Math.max(1, column.length))

/** A figure a fit does not tell, and why: no residual moves with it, or it runs into a bound. */
export type Untold = "unseen" | "at a bound"

export interface ToldSolution {
  readonly parameters: readonly number[]
  /** By parameter; undefined: told. */
  readonly untold: readonly (Untold | undefined)[]
}

/** As close to a bound as this a parameter has run into it. */
const AT_BOUND = 1e-3
/** A fit is as good as another whose loss is smaller by no more than this share of it, and by what residuals of this size come to. */
const AS_GOOD = { share: 0.01, residual: 1e-3 }

/** Huber's loss of residuals whose standard deviation is `scale`. */
const huberLoss = (residuals: Float64Array, scale: number): number => {
  const reach = HUBER * scale
  return residuals.reduce((sum, one) => {
    const size = Math.abs(one)
    return sum + (size <= reach ? size ** 2 / 2 : reach * (size - reach / 2))
  }, 0)
}

/**
 * A fit of what the data tell. Parameters that run into a bound are left out, and so are those that hardly move the residuals when they change
 * by one (less than `least`, all together), if those that they do move are as small without them; the others are fitted again.
 */
export const fitTold = (problem: Problem, least: number): ToldSolution => {
  const { start, kept = start, bounds, residuals } = problem
  const untold: (Untold | undefined)[] = start.map(() => undefined)
  const fit = (): {
    readonly parameters: readonly number[]
    readonly errors: Float64Array
    /** Parameters that are hardly seen, the least first, and what they move. */
    readonly unseen: readonly { readonly parameter: number; readonly column: Float64Array }[]
  } => {
    const free = [...start.keys()].filter((i) => untold[i] === undefined)
    const whole = (some: readonly number[]): readonly number[] => {
      const all = [...kept]
      for (const [at, i] of free.entries()) all[i] = some[at]!
      return all
    }
    const { parameters, columns } = leastSquares({
      ...problem,
      start: free.map((i) => start[i]!),
      bounds: free.map((i) => bounds[i]!),
      residuals: (some) => residuals(whole(some))
    })
    const all = whole(parameters)
    return {
      parameters: all,
      errors: residuals(all),
      unseen: free
        .map((parameter, at) => ({ parameter, column: columns[at]! }))
        .filter(({ column }) => size(column) < least)
        .toSorted((a, b) => size(a.column) - size(b.column))
    }
  }
  let found = fit()
  type Unseen = (typeof found)["unseen"]
  /** Leaves out as many of some parameters as the fit is as good without: over all, and where they count. */
  const leaveOut = (some: Unseen): void => {
    if (some.length === 0) return
    for (const { parameter } of some) untold[parameter] = "unseen"
    const again = fit()
    const moved = (row: number): boolean => some.some(({ column }) => Math.abs(column[row]!) >= least)
    const scale = scaleOf(found.errors)
    const asGood = (counts: (row: number) => boolean): boolean => {
      const [without, before] = [again.errors, found.errors].map((errors) =>
        errors.filter((_, row) => counts(row))
      )
      return (
        huberLoss(without!, scale) <=
        huberLoss(before!, scale) * (1 + AS_GOOD.share) + (before!.length * AS_GOOD.residual ** 2) / 2
      )
    }
    if (asGood(() => true) && asGood(moved)) {
      found = again
      return
    }
    for (const { parameter } of some) untold[parameter] = undefined
    if (some.length === 1) return
    const half = some.length >> 1
    leaveOut(some.slice(0, half))
    leaveOut(some.slice(half))
  }
  leaveOut(found.unseen)
  for (;;) {
    const atBound = [...start.keys()].filter((i) => {
      const [low, high] = bounds[i]!
      const value = found.parameters[i]!
      return untold[i] === undefined && (value - low < AT_BOUND || high - value < AT_BOUND)
    })
    if (atBound.length === 0) return { parameters: found.parameters, untold }
    for (const i of atBound) untold[i] = "at a bound"
    found = fit()
  }
}
