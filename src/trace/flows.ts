/** Arrows between slices: draft → reload → verify. Pure. */
import { eventRow, type TraceColumns } from "./store.ts"

/** From one slice to another; rows of the trace. */
export interface Arrow {
  readonly from: number
  readonly to: number
}

/** Steps an arrow is followed to either side. */
const REACH = 8

/** Every arrow that leads to the slice or comes from it, over others between them, by when it begins. */
export const chainOf = (trace: TraceColumns, slice: number): readonly Arrow[] => {
  const arrows = new Set<Arrow>()
  const all = [...sliceArrows(trace)]
  const reached = new Set([slice])
  for (let step = 0; step < REACH; step++) {
    const found = all.filter(
      (arrow) => !arrows.has(arrow) && (reached.has(arrow.from) || reached.has(arrow.to))
    )
    if (found.length === 0) break
    for (const arrow of found) {
      arrows.add(arrow)
      reached.add(arrow.from).add(arrow.to)
    }
  }
  const { start } = trace.slices
  return [...arrows].toSorted((a, b) => start[a.from]! - start[b.from]!)
}

/** Arrows from slice to slice, in the order they were recorded. */
export function* sliceArrows({ flows }: TraceColumns): Generator<Arrow> {
  for (let at = 0; at < flows.length; at++) {
    const from = eventRow(flows.from[at]!)
    const to = eventRow(flows.to[at]!)
    if (from.group === "slices" && to.group === "slices") yield { from: from.row, to: to.row }
  }
}
