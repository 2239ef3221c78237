/** Which rows are shown: those a filter names with what they are under, or all but requests with nothing in view. Pure. */
import type { Row } from "./model.ts"
import { firstFrom } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

/** Rows of requests shown while they are folded. */
const FEW = 24

/** A row and its place in the model. */
export interface ShownRow {
  readonly row: Row
  readonly place: number
}

/**
 * `filter`: words that a row's name or that of a row above it has, any case; `all`: no request is folded. Otherwise the first few
 * requests that do something in `view` are shown.
 */
export const shownRows = (
  rows: readonly Row[],
  { filter, all, view }: { readonly filter: string; readonly all: boolean; readonly view: Viewport }
): { readonly shown: readonly ShownRow[]; readonly folded: number } => {
  const wanted = filter.trim().toLowerCase()
  const placed = rows.map((row, place): ShownRow => ({ row, place }))
  const kept = wanted === "" ? placed : placed.filter(({ place }) => concerns(rows, place, wanted))
  if (all || wanted !== "") return { shown: kept, folded: 0 }
  let requests = 0
  const shown = kept.filter(({ row }) => !isRequest(row) || (isIn(row, view) && ++requests <= FEW))
  return { shown, folded: kept.length - shown.length }
}

const isIn = (row: Row, { from, to }: Viewport): boolean => {
  if (row.type !== "slices") return true
  const slice = firstFrom(row.end, from)
  return slice < row.start.length && row.start[slice]! <= to
}

const isRequest = ({ label }: Row): boolean => /^request \d+/.test(label)

/** The row, one above it or one below it has the words. */
const concerns = (rows: readonly Row[], place: number, wanted: string): boolean => {
  const has = (row: Row): boolean => row.label.toLowerCase().includes(wanted)
  if (has(rows[place]!)) return true
  let depth = rows[place]!.depth
  for (let above = place - 1; above >= 0 && depth > 0; above--)
    if (rows[above]!.depth < depth) {
      if (has(rows[above]!)) return true
      depth = rows[above]!.depth
    }
  for (let below = place + 1; below < rows.length && rows[below]!.depth > rows[place]!.depth; below++)
    if (has(rows[below]!)) return true
  return false
}
