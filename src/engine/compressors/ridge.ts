/** Linear regression with a penalty on large weights. */

/** Penalty on a weight of a standardised feature, in samples. */
const PENALTY = 0.1

/** Predicts one number of a row of features. */
export type Predictor = (features: ArrayLike<number>) => number

/** Least squares over rows of features, all equally many; with no rows, always 0. */
export const fitRidge = (rows: readonly ArrayLike<number>[], targets: ArrayLike<number>): Predictor => {
  const n = rows.length
  if (n === 0) return () => 0
  const width = rows[0]!.length
  const mean = new Float64Array(width)
  const deviation = new Float64Array(width)
  let level = 0
  for (const [i, row] of rows.entries()) {
    level += targets[i]! / n
    for (let c = 0; c < width; c++) mean[c]! += row[c]! / n
  }
  for (const row of rows) for (let c = 0; c < width; c++) deviation[c]! += (row[c]! - mean[c]!) ** 2 / n
  for (let c = 0; c < width; c++) deviation[c] = Math.sqrt(deviation[c]!) || 1
  const standard = (row: ArrayLike<number>, c: number): number => (row[c]! - mean[c]!) / deviation[c]!

  const matrix = Array.from({ length: width }, (_, c) => {
    const line = new Float64Array(width)
    line[c] = PENALTY * n
    return line
  })
  const right = new Float64Array(width)
  for (const [i, row] of rows.entries()) {
    const x = Float64Array.from({ length: width }, (_, c) => standard(row, c))
    for (let a = 0; a < width; a++) {
      right[a]! += x[a]! * (targets[i]! - level)
      for (let b = 0; b <= a; b++) matrix[a]![b]! += x[a]! * x[b]!
    }
  }
  const weights = solve(matrix, right)
  return (features) => {
    let sum = level
    for (let c = 0; c < width; c++) sum += weights[c]! * standard(features, c)
    return sum
  }
}

/** Solves a symmetric positive definite system, of which the lower half is given, by Cholesky; both arguments are overwritten. */
const solve = (lower: readonly Float64Array[], right: Float64Array): Float64Array => {
  const n = right.length
  for (let a = 0; a < n; a++)
    for (let b = 0; b <= a; b++) {
      let sum = lower[a]![b]!
      for (let c = 0; c < b; c++) sum -= lower[a]![c]! * lower[b]![c]!
      lower[a]![b] = a === b ? Math.sqrt(sum) : sum / lower[b]![b]!
    }
  for (let a = 0; a < n; a++) {
    for (let c = 0; c < a; c++) right[a]! -= lower[a]![c]! * right[c]!
    right[a]! /= lower[a]![a]!
  }
  for (let a = n - 1; a >= 0; a--) {
    for (let c = a + 1; c < n; c++) right[a]! -= lower[c]![a]! * right[c]!
    right[a]! /= lower[a]![a]!
  }
  return right
}
