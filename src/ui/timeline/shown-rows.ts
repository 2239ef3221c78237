/** Which rows are shown: those a filter names with what they are under, or all, requests beyond the first few folded away. Pure. */
import type { Row } from "./model.ts"

/** Rows of requests shown while they are folded. */
const FEW = 24

/** A row and its place in the model. */
export interface ShownRow {
  readonly row: Row
  readonly place: number
}

/** `filter`: words that a row's name or that of a row above it has, any case; `all`: requests are not folded. */
export const shownRows = (
  rows: readonly Row[],
  { filter, all }: { readonly filter: string; readonly all: boolean }
): { readonly shown: readonly ShownRow[]; readonly folded: number } => {
  const wanted = filter.trim().toLowerCase()
  const placed = rows.map((row, place): ShownRow => ({ row, place }))
  const kept = wanted === "" ? placed : placed.filter(({ place }) => concerns(rows, place, wanted))
  if (all || wanted !== "") return { shown: kept, folded: 0 }
  let requests = 0
  const shown = kept.filter(({ row }) => !isRequest(row) || ++requests <= FEW)
  return { shown, folded: kept.length - shown.length }
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
