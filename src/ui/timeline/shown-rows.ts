/**
 * Which rows are shown: those a filter names with what they are under, none below a collapsed row, and of requests the first few that
 * do something in view. Pinned rows come first. Pure.
 */
import type { Looking } from "./looking.ts"
import type { Row } from "./model.ts"
import { firstFrom } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

/** Rows of requests shown while they are folded. */
const FEW = 24

export interface ShownRows {
  readonly pinned: readonly Row[]
  readonly rows: readonly Row[]
  /** Requests that are not shown because they do nothing in view or are too many. */
  readonly folded: number
}

type Choice = Pick<Looking, "filter" | "all" | "view" | "pins" | "shut">

export const shownRows = (rows: readonly Row[], { filter, all, view, pins, shut }: Choice): ShownRows => {
  const wanted = filter.trim().toLowerCase()
  const kept = wanted === "" ? rows : rows.filter((_, place) => concerns(rows, place, wanted))
  const open = withoutShut(kept, shut)
  const pinned = pins.size === 0 ? [] : rows.filter(({ key }) => pins.has(key))
  if (all || wanted !== "") return { pinned, rows: open, folded: 0 }
  let requests = 0
  const shown = open.filter((row) => row.what !== "request" || (isIn(row, view) && ++requests <= FEW))
  return { pinned, rows: shown, folded: open.length - shown.length }
}

/** Whether rows lie below this one. */
export const hasRowsBelow = (rows: readonly Row[], place: number): boolean =>
  (rows[place + 1]?.depth ?? 0) > rows[place]!.depth

const withoutShut = (rows: readonly Row[], shut: ReadonlySet<string>): readonly Row[] => {
  if (shut.size === 0) return rows
  let under = Number.POSITIVE_INFINITY
  return rows.filter(({ key, depth }) => {
    if (depth > under) return false
    under = shut.has(key) ? depth : Number.POSITIVE_INFINITY
    return true
  })
}

const isIn = (row: Row, { from, to }: Viewport): boolean => {
  if (row.type !== "slices") return true
  const slice = firstFrom(row.end, from)
  return slice < row.start.length && row.start[slice]! <= to
}

/** The row, one above it or one below it has the words. */
const concerns = (rows: readonly Row[], place: number, wanted: string): boolean => {
  const has = (row: Row): boolean => row.label.toLowerCase().includes(wanted)
  if (has(rows[place]!)) return true
  let { depth } = rows[place]!
  for (let above = place - 1; above >= 0 && depth > 0; above--)
    if (rows[above]!.depth < depth) {
      if (has(rows[above]!)) return true
      depth = rows[above]!.depth
    }
  for (let below = place + 1; below < rows.length && rows[below]!.depth > rows[place]!.depth; below++)
    if (has(rows[below]!)) return true
  return false
}
