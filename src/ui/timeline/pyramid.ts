/**
 * What a range of rows comes to, at the cost of a few look-ups: level `k` groups 2^k neighbours. Built once a lane;
 * what a frame costs depends on its pixels, not on the rows behind them.
 */

/** Slices of one lane: none overlaps another, so both columns ascend. Times in ns. */
export interface Lane {
  readonly start: Float64Array
  readonly end: Float64Array
}

/** The longest slice of each group of a level, of equals the first: its row, and its length, so that none need be looked up far away. */
interface Longest {
  readonly row: Uint32Array
  readonly length: Float64Array
}

/** By level, level 0 being the slices themselves. */
export type LongestPyramid = readonly Longest[]

export const longestPyramid = ({ start, end }: Lane): LongestPyramid => {
  let below: Longest = { row: new Uint32Array(start.length), length: new Float64Array(start.length) }
  for (let row = 0; row < start.length; row++) {
    below.row[row] = row
    below.length[row] = end[row]! - start[row]!
  }
  const levels = [below]
  while (below.row.length > 1) {
    const groups = Math.ceil(below.row.length / 2)
    const level = { row: new Uint32Array(groups), length: new Float64Array(groups) }
    for (let i = 0; i < groups; i++) {
      const a = 2 * i
      const longer = a + 1 < below.row.length && below.length[a + 1]! > below.length[a]! ? a + 1 : a
      level.row[i] = below.row[longer]!
      level.length[i] = below.length[longer]!
    }
    levels.push(level)
    below = level
  }
  return levels
}

/** Row of the longest slice of rows `from` to before `to`; of equals the first. The range is not empty. */
export const longestOf = (levels: LongestPyramid, from: number, to: number): number => {
  let best = from
  let most = -1
  for (let row = from; row < to;) {
    // The largest aligned group that begins here and ends in the range.
    const level = Math.min(trailingZeros(row), 31 - Math.clz32(to - row))
    const { row: rows, length } = levels[level]!
    const group = row >>> level
    if (length[group]! > most) {
      most = length[group]!
      best = rows[group]!
    }
    row += 1 << level
  }
  return best
}

/** Of a row number; of 0 all there are. */
const trailingZeros = (row: number): number => (row === 0 ? 31 : 31 - Math.clz32(row & -row))

/** Index of the first value that is `x` or more, of values that ascend; looks from `from` on, near places first. */
export const firstFrom = (values: Float64Array, x: number, from = 0): number => {
  let step = 1
  while (from + step < values.length && values[from + step]! < x) step *= 2
  let low = from + (step >>> 1)
  let high = Math.min(values.length, from + step + 1)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < x) low = middle + 1
    else high = middle
  }
  return low
}
