/**
 * Small linear programs: max w·n under A·n ≤ b and n ≥ 0, with b ≥ 0 and A ≥ 0 (so n = 0 is allowed).
 * For a handful of variables it is enough to look at every vertex.
 */

/** Solves a square system by elimination with pivoting; undefined if it is singular. Changes nothing it is given. */
const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined => {
  const n = right.length
  const rows = matrix.map((row, i) => [...row, right[i]!])
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let i = column + 1; i < n; i++) {
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i
    }
    const top = rows[pivot]!
    if (Math.abs(top[column]!) < 1e-12) return undefined
    rows[pivot] = rows[column]!
    rows[column] = top
    for (let i = 0; i < n; i++) {
      if (i === column) continue
      const factor = rows[i]![column]! / top[column]!
      for (let j = column; j <= n; j++) rows[i]![j]! -= factor * top[j]!
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!)
}

/** All ways to choose `size` of 0…count − 1. */
function* choices(count: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) return yield []
  for (let first = from; first <= count - size; first++) {
    for (const rest of choices(count, size - 1, first + 1)) yield [first, ...rest]
  }
}

/** The n that maximises `weights`·n under `rows`·n ≤ `limits`, n ≥ 0. Every variable must be bounded by some row. */
export const maximise = (
  weights: readonly number[],
  rows: readonly (readonly number[])[],
  limits: readonly number[]
): number[] => {
  const n = weights.length
  // Each row is scaled by its largest coefficient (bytes beside seconds), then n ≥ 0 joins as −n ≤ 0.
  const scales = rows.map((row) => Math.max(...row.map(Math.abs), Number.MIN_VALUE))
  const a = [
    ...rows.map((row, i) => row.map((value) => value / scales[i]!)),
    ...weights.map((_, i) => weights.map((__, j) => (i === j ? -1 : 0)))
  ]
  const b = [...limits.map((limit, i) => limit / scales[i]!), ...weights.map(() => 0)]
  const dot = (row: readonly number[], point: readonly number[]): number =>
    row.reduce((sum, value, i) => sum + value * point[i]!, 0)
  const feasible = (point: readonly number[]): boolean =>
    a.every((row, i) => dot(row, point) <= b[i]! + 1e-9 * Math.max(Math.abs(b[i]!), 1e-3))
  let best: number[] = weights.map(() => 0)
  for (const chosen of choices(a.length, n)) {
    const point = solve(
      chosen.map((i) => a[i]!),
      chosen.map((i) => b[i]!)
    )
    if (point === undefined || !feasible(point)) continue
    if (dot(weights, point) > dot(weights, best)) best = point.map((value) => Math.max(0, value))
  }
  return best
}
