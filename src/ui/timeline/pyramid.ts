/**
 * What a range of rows comes to, at the cost of a few look-ups: level `k` groups 2^(k+1) neighbours. Built once a lane;
 * what a frame costs depends on its pixels, not on the rows behind them.
 */

/** Slices of one lane: none overlaps another, so both columns ascend. Times in ns. */
export interface Lane {
  readonly start: Float64Array
  readonly end: Float64Array
}

/** By level: the row of the longest slice of each group; of equals the first. */
export type LongestPyramid = readonly Uint32Array[]

export const longestPyramid = ({ start, end }: Lane): LongestPyramid => {
  const levels: Uint32Array[] = []
  let below = new Uint32Array(start.length)
  for (let row = 0; row < below.length; row++) below[row] = row
  while (below.length > 1) {
    const level = new Uint32Array(Math.ceil(below.length / 2))
    for (let i = 0; i < level.length; i++) {
      const a = below[2 * i]!
      const b = below[2 * i + 1] ?? a
      level[i] = end[b]! - start[b]! > end[a]! - start[a]! ? b : a
    }
    levels.push(level)
    below = level
  }
  return levels
}

/** Row of the longest slice of rows `from` to before `to`; of equals the first. The range is not empty. */
export const longestOf = ({ start, end }: Lane, levels: LongestPyramid, from: number, to: number): number => {
  let best = from
  let row = from
  while (row < to) {
    // The largest aligned group that begins here and ends in the range.
    let level = 0
    while (level < levels.length && row % 2 ** (level + 1) === 0 && row + 2 ** (level + 1) <= to) level++
    const longest = level === 0 ? row : levels[level - 1]![row / 2 ** level]!
    if (end[longest]! - start[longest]! > end[best]! - start[best]!) best = longest
    row += 2 ** level
  }
  return best
}

/** Index of the first value that is `x` or more, of values that ascend; looks from `from` on, near places first. */
export const firstFrom = (values: Float64Array, x: number, from = 0): number => {
  let step = 1
  while (from + step < values.length && values[from + step]! < x) step *= 2
  let low = from + Math.floor(step / 2)
  let high = Math.min(values.length, from + step + 1)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (values[middle]! < x) low = middle + 1
    else high = middle
  }
  return low
}
