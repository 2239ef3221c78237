/** Linear interpolation in measured tables; beyond the ends the last slope goes on, since times grow about linearly there. */

/** Index i of the segment [i, i+1] that `x` lies in or is extrapolated from. */
const segment = (grid: readonly number[], x: number): number => {
  let low = 0
  let high = grid.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (grid[middle]! <= x) low = middle
    else high = middle - 1
  }
  return low
}

/** Value at `x` of a function sampled at an ascending `grid`; never below zero. */
export const interpolate = (grid: readonly number[], values: readonly number[], x: number): number => {
  if (grid.length === 1) return values[0]!
  const i = segment(grid, x)
  const t = (x - grid[i]!) / (grid[i + 1]! - grid[i]!)
  return Math.max(0, values[i]! + t * (values[i + 1]! - values[i]!))
}

/** The same over two variables: `values[i][j]` at `rows[i]`, `columns[j]`. */
export const interpolate2 = (
  rows: readonly number[],
  columns: readonly number[],
  values: readonly (readonly number[])[],
  row: number,
  column: number
): number => {
  if (rows.length === 1) return interpolate(columns, values[0]!, column)
  const i = segment(rows, row)
  const t = (row - rows[i]!) / (rows[i + 1]! - rows[i]!)
  const low = interpolate(columns, values[i]!, column)
  const high = interpolate(columns, values[i + 1]!, column)
  return Math.max(0, low + t * (high - low))
}
