/** Looking for slices by name, row or request. Pure. */
import type { TraceView } from "../shell/traces.ts"
import { kindName, type Place, type Row } from "./model.ts"

/**
 * The next slice after `from`, or the one before it (`by` -1), whose name, row's name or "request N" has the words, any case; goes
 * around at the ends. Slices are in the order of rows, then of time. Undefined if there is none.
 */
export const find = (
  trace: TraceView,
  all: readonly Row[],
  words: string,
  from: Place | undefined,
  by: 1 | -1
): Place | undefined => {
  const wanted = words.trim().toLowerCase()
  if (wanted === "") return undefined
  const rows = all.filter((row) => row.type === "slices")
  const total = rows.reduce((sum, row) => sum + row.start.length, 0)
  let at = rows.findIndex((row) => row === from?.row)
  let slice = from?.slice ?? -1
  if (at < 0) {
    at = 0
    slice = by === 1 ? -1 : 0
  }
  for (let seen = 0; seen < total; seen++) {
    slice += by
    while (slice < 0 || slice >= rows[at]!.start.length) {
      at = (at + by + rows.length) % rows.length
      slice = by === 1 ? 0 : rows[at]!.start.length - 1
    }
    const row = rows[at]!
    const request = trace.slices.request[row.source[slice]!]!
    const texts = [row.label, kindName(trace, row, slice), request > 0 ? `request ${request - 1}` : ""]
    if (texts.some((text) => text.toLowerCase().includes(wanted))) return { row, slice }
  }
  return undefined
}
