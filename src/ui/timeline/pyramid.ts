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

/** Smaller groups are not kept: to look at their slices costs no more, and making and keeping groups of two would cost as much as the slices. */
const FIRST_LEVEL = 2

/** By level, from `FIRST_LEVEL` on; of what would be before there is nothing. */
export type LongestPyramid = readonly Longest[]

export const longestPyramid = ({ start, end }: Lane): LongestPyramid => {
  const size = 1 << FIRST_LEVEL
  const groups = Math.ceil(start.length / size)
  let below: Longest = { row: new Uint32Array(groups), length: new Float64Array(groups) }
  for (let i = 0; i < groups; i++) {
    const stop = Math.min(start.length, (i + 1) * size)
    let longest = i * size
    for (let row = longest + 1; row < stop; row++)
      if (end[row]! - start[row]! > end[longest]! - start[longest]!) longest = row
    below.row[i] = longest
    below.length[i] = end[longest]! - start[longest]!
  }
  const levels = [below]
  while (below.row.length > 1) {
    const half = Math.ceil(below.row.length / 2)
    const level = { row: new Uint32Array(half), length: new Float64Array(half) }
    for (let i = 0; i < half; i++) {
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
export const longestOf = ({ start, end }: Lane, levels: LongestPyramid, from: number, to: number): number => {
  let best = from
  let most = -1
  for (let row = from; row < to;) {
    // The largest aligned group that begins here and ends in the range.
    const level = Math.min(trailingZeros(row), 31 - Math.clz32(to - row))
    if (level < FIRST_LEVEL) {
      const length = end[row]! - start[row]!
      if (length > most) {
        most = length
        best = row
      }
      row++
      continue
    }
    const { row: rows, length } = levels[level - FIRST_LEVEL]!
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
