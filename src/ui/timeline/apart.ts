/** Rows of the trace sorted onto lanes, so that the slices of a lane never overlap. Pure; made for a million rows. */

/** Rows by what they belong to: row `i` belongs to `of[i]`, one of `count`. */
export const grouped = (of: Uint32Array, count: number): readonly Uint32Array[] => {
  const sizes = new Uint32Array(count)
  for (const id of of) sizes[id]!++
  const groups = Array.from(sizes, (size) => new Uint32Array(size))
  sizes.fill(0)
  for (let row = 0; row < of.length; row++) {
    const id = of[row]!
    groups[id]![sizes[id]!++] = row
  }
  return groups
}

/** The rows by their time; most are in order, and looking is cheaper than sorting. Of equals the lower row first. */
export const byTime = (rows: Uint32Array, at: Float64Array): Uint32Array => {
  for (let i = 1; i < rows.length; i++)
    if (at[rows[i - 1]!]! > at[rows[i]!]!) return rows.toSorted((a, b) => at[a]! - at[b]! || a - b)
  return rows
}

interface Times {
  readonly start: Float64Array
  readonly end: Float64Array
}

/** Each row on the first lane that is free when it starts; of those that start together the longest first. */
export const apart = ({ start, end }: Times, rows: Uint32Array): readonly Uint32Array[] => {
  if (rows.length === 0) return []
  if (follow({ start, end }, rows)) return [rows]
  const lanes: number[][] = []
  for (const row of rows.toSorted((a, b) => start[a]! - start[b]! || end[b]! - end[a]! || a - b)) {
    const free = lanes.find((lane) => end[lane.at(-1)!]! <= start[row]!)
    if (free === undefined) lanes.push([row])
    else free.push(row)
  }
  return lanes.map((lane) => Uint32Array.from(lane))
}

/** Whether each row starts when the one before it is over. */
const follow = ({ start, end }: Times, rows: Uint32Array): boolean => {
  for (let i = 1; i < rows.length; i++) if (end[rows[i - 1]!]! > start[rows[i]!]!) return false
  return true
}
