/**
 * Variance-based sensitivity: what share of a result's variance each input accounts for, by itself (first order) and with all
 * it takes part in (total). Sample of A. Saltelli et al., Comput. Phys. Commun. 181 (2010): two independent samples A and
 * B, and A with one column of B at a time; n·(d + 2) points. Estimators: first order, their (b); total, Jansen's (f).
 */
import { Random } from "../../sim/kernel/random.ts"
import { MAX_DIMENSIONS, sobolPoints } from "../sweep/sobol.ts"
import { meanOf } from "./student.ts"

/** Inputs there are Sobol points for: A and B take a dimension each. */
export const MAX_INPUTS = Math.floor(MAX_DIMENSIONS / 2)

/** Points in the unit cube: A, then B, then A with the i-th column of B, for each i. Throws beyond `MAX_INPUTS`. */
export const saltelliPoints = (n: number, inputs: number, seed: number): readonly (readonly number[])[] => {
  const both = sobolPoints(n, 2 * inputs, seed)
  const a = both.map((point) => point.slice(0, inputs))
  const b = both.map((point) => point.slice(inputs))
  const mixed = Array.from({ length: inputs }, (_, i) => a.map((point, k) => point.with(i, b[k]![i]!)))
  return [...a, ...b, ...mixed.flat()]
}

/** An index and the middle 95 % of what resampling the points makes of it. */
export interface Index {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface Sensitivity {
  readonly first: Index
  readonly total: Index
}

const RESAMPLES = 200

/** Indices of every input, from the results at `saltelliPoints`, in their order. All 0 where nothing varies. */
export const sobolIndices = (results: readonly number[], inputs: number): readonly Sensitivity[] => {
  const n = results.length / (inputs + 2)
  // Taken from the mean, large numbers do not eat up small differences.
  const mean = meanOf(results)
  const part = (i: number): readonly number[] => results.slice(i * n, (i + 1) * n).map((one) => one - mean)
  const [a, b] = [part(0), part(1)]
  const mixed = Array.from({ length: inputs }, (_, i) => part(i + 2))
  const all = Array.from({ length: n }, (_, k) => k)
  const estimate = (rows: readonly number[]): readonly (readonly [first: number, total: number])[] => {
    let [sum, squares] = [0, 0]
    for (const k of rows) {
      sum += a[k]! + b[k]!
      squares += a[k]! ** 2 + b[k]! ** 2
    }
    const count = 2 * rows.length
    const variance = squares / count - (sum / count) ** 2
    return mixed.map((ab) => {
      if (!(variance > 0)) return [0, 0]
      let [first, total] = [0, 0]
      for (const k of rows) {
        first += b[k]! * (ab[k]! - a[k]!)
        total += (a[k]! - ab[k]!) ** 2
      }
      return [first / rows.length / variance, total / (2 * rows.length) / variance]
    })
  }
  const whole = estimate(all)
  const random = new Random(1, "resamples")
  const resampled = Array.from({ length: RESAMPLES }, () => estimate(all.map(() => random.integer(n))))
  const index = (input: number, order: 0 | 1): Index => {
    const values = resampled.map((one) => one[input]![order]).toSorted((x, y) => x - y)
    const at = (share: number): number => values[Math.round(share * (RESAMPLES - 1))]!
    return { value: whole[input]![order], low: at(0.025), high: at(0.975) }
  }
  return Array.from({ length: inputs }, (_, i) => ({ first: index(i, 0), total: index(i, 1) }))
}
