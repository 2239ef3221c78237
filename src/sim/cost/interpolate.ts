/** Linear interpolation in measured tables; beyond the ends the last slope goes on, since times grow about linearly there. */

import type { KernelTables } from "../../scenario/resolved.ts"

export type TableName = Exclude<keyof KernelTables, "origin">

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

/** Whether `x` lies between the ends of a grid, so that a table answers without extrapolating. */
export const covers = (grid: readonly number[], x: number): boolean => x >= grid[0]! && x <= grid.at(-1)!

/** Value at `x` of a function sampled at an ascending `grid`; never below zero. A single sample holds everywhere. */
export const interpolate = (grid: readonly number[], values: readonly number[], x: number): number => {
  if (grid.length === 1) return values[0]!
  const i = segment(grid, x)
  return Math.max(0, between(grid, i, x, values[i]!, values[i + 1]!))
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
  const low = interpolate(columns, values[i]!, column)
  const high = interpolate(columns, values[i + 1]!, column)
  return Math.max(0, between(rows, i, row, low, high))
}

/** The same over any number of variables: `values` nests as deep as there are `axes`, and `at` has a place for each. */
export const interpolateGrid = (
  axes: readonly (readonly number[])[],
  values: Nested,
  at: readonly number[]
): number => {
  const [axis, ...inner] = axes
  const [x, ...rest] = at
  const within = (i: number): number => {
    const value = (values as readonly Nested[])[i]!
    return typeof value === "number" ? value : interpolateGrid(inner, value, rest)
  }
  if (axis!.length === 1) return within(0)
  const i = segment(axis!, x!)
  return Math.max(0, between(axis!, i, x!, within(i), within(i + 1)))
}

/** Numbers in lists of lists. */
type Nested = number | readonly Nested[]

/** Exact at both ends of the segment. */
const between = (grid: readonly number[], i: number, x: number, low: number, high: number): number => {
  const t = (x - grid[i]!) / (grid[i + 1]! - grid[i]!)
  return low * (1 - t) + high * t
}
