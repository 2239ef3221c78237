/** Rows of slices and counters as columns of pixels. What is drawn is bounded by the pixels there are, whatever is behind. */
import type { CounterRow, SliceRow } from "./model.ts"
import { firstFrom, type Lane, longestOf } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

/** Something drawn from column `x0` to before `x1`, in the colour of `slice`; `merged`: slices it stands for. */
type DrawSlice = (x0: number, x1: number, slice: number, merged: number) => void

/**
 * Draws the slices of a row, at most two to a column: those that begin in one column are drawn as the longest of them, the last
 * one going on as itself. None is ever thinner than a column. Returns how many were drawn.
 */
export const drawSlices = (row: SliceRow, { from, to }: Viewport, width: number, draw: DrawSlice): number => {
  const { start, end, longest } = row
  const perColumn = (to - from) / width
  const columnOf = (slice: number): number =>
    Math.max(0, Math.min(width - 1, Math.floor((start[slice]! - from) / perColumn)))
  // Times are whole, and what begins where the view ends is in its last column.
  const stop = firstFrom(start, Math.floor(to) + 1)
  let slice = firstFrom(end, from)
  let column = slice < stop ? columnOf(slice) : width
  let drawn = 0
  while (slice < stop) {
    const nextColumn = column === width - 1 ? stop : firstFrom(start, from + (column + 1) * perColumn, slice)
    const next = Math.max(slice + 1, Math.min(stop, nextColumn))
    draw(column, column + 1, longestOf(row, longest, slice, next), next - slice)
    drawn++
    const following = next < stop ? columnOf(next) : width
    // What begins in the next column hides what goes on there.
    if (following > column + 1) {
      const last = Math.min(width, Math.ceil((end[next - 1]! - from) / perColumn))
      if (last > column + 1) {
        draw(column + 1, last, next - 1, 1)
        drawn++
      }
    }
    slice = next
    column = following
  }
  return drawn
}

/** Draws where something stands: columns that hold one of the instants, once each, with the first there and how many. */
export const drawInstants = (
  at: Float64Array,
  { from, to }: Viewport,
  width: number,
  draw: (x: number, instant: number, count: number) => void
): number => {
  // Multiplied before it is divided: an instant on the edge of a column is in the column that begins there.
  const span = to - from
  const stop = firstFrom(at, Math.floor(to) + 1)
  let drawn = 0
  for (let instant = firstFrom(at, from); instant < stop; drawn++) {
    const x = Math.min(width - 1, Math.floor(((at[instant]! - from) * width) / span))
    const next = x === width - 1 ? stop : firstFrom(at, from + ((x + 1) * span) / width, instant)
    const after = Math.max(instant + 1, Math.min(stop, next))
    draw(x, instant, after - instant)
    instant = after
  }
  return drawn
}

/** Draws what parts cover, columns side by side at once: at most one in two columns. Parts ascend and do not overlap. */
export const drawCover = (
  { start, end }: Lane,
  { from, to }: Viewport,
  width: number,
  draw: (x0: number, x1: number) => void
): number => {
  const perColumn = (to - from) / width
  let drawn = 0
  let [x0, x1] = [-1, -1]
  const flush = (): void => {
    if (x1 <= x0) return
    draw(x0, x1)
    drawn++
  }
  for (let part = firstFrom(end, from); part < start.length && start[part]! < to;) {
    const first = Math.min(width - 1, Math.max(0, Math.floor((start[part]! - from) / perColumn)))
    const last = Math.min(width, Math.max(first + 1, Math.ceil((end[part]! - from) / perColumn)))
    if (first > x1) {
      flush()
      x0 = first
    }
    x1 = Math.max(x1, last)
    // Parts that end in columns covered already add nothing.
    part = firstFrom(end, from + x1 * perColumn, part + 1)
  }
  flush()
  return drawn
}

/** Draws a counter, once a column: the least and the most it was in the column. Returns how often it drew. */
export const drawCounter = (
  { at, value }: CounterRow,
  { from, to }: Viewport,
  width: number,
  draw: (x: number, least: number, most: number) => void
): number => {
  const perColumn = (to - from) / width
  let sample = firstFrom(at, from)
  let held = sample > 0 ? value[sample - 1]! : undefined
  let drawn = 0
  for (let x = 0; x < width; x++) {
    const until = from + (x + 1) * perColumn
    let least = held ?? Number.POSITIVE_INFINITY
    let most = held ?? Number.NEGATIVE_INFINITY
    for (; sample < at.length && at[sample]! < until; sample++) {
      held = value[sample]!
      least = Math.min(least, held)
      most = Math.max(most, held)
    }
    if (held === undefined) continue
    draw(x, least, most)
    drawn++
  }
  return drawn
}
