/** What happened in a stretch of time: slices of the rows shown, counted and summed by what they are. Pure. */
import { quantileSorted } from "d3"
import type { TraceView } from "../shell/traces.ts"
import { kindName, type Row, type SliceRow } from "./model.ts"
import type { Viewport } from "./viewport.ts"

/** A slice of the trace by its place in the model. */
export interface Place {
  readonly row: SliceRow
  readonly slice: number
}

/** Slices of a kind that began in the stretch or reached into it; durations are whole, not cut at its edges. ns, bytes. */
export interface KindStatistics {
  readonly name: string
  readonly count: number
  readonly total: number
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly bytes: number
}

/** Slices that overlap the stretch, row by row, in order of time. A slice of no time counts where it stands. */
export const slicesIn = (rows: readonly Row[], { from, to }: Viewport): readonly Place[] =>
  rows.flatMap((row) => {
    if (row.type !== "slices") return []
    const found: Place[] = []
    for (let slice = firstEnding(row, from); slice < row.start.length && row.start[slice]! < to; slice++)
      found.push({ row, slice })
    return found
  })

/** The first slice of a row that is not over before `time`. Slices of a row do not overlap. */
const firstEnding = ({ end }: SliceRow, time: number): number => {
  let low = 0
  let high = end.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (end[middle]! < time) low = middle + 1
    else high = middle
  }
  return low
}

/** By kind, the longest total first. */
export const statisticsOf = (trace: TraceView, places: readonly Place[]): readonly KindStatistics[] => {
  const kinds = new Map<string, { readonly durations: number[]; bytes: number }>()
  for (const { row, slice } of places) {
    const name = kindName(trace, row, slice)
    const own = kinds.get(name) ?? { durations: [], bytes: 0 }
    own.durations.push(row.end[slice]! - row.start[slice]!)
    own.bytes += trace.slices.bytes[row.source[slice]!]!
    kinds.set(name, own)
  }
  return [...kinds]
    .map(([name, { durations, bytes }]): KindStatistics => {
      const sorted = durations.toSorted((a, b) => a - b)
      const total = sorted.reduce((sum, one) => sum + one, 0)
      const at = (share: number): number => quantileSorted(sorted, share)!
      return {
        name,
        count: sorted.length,
        total,
        mean: total / sorted.length,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        bytes
      }
    })
    .toSorted((a, b) => b.total - a.total || a.name.localeCompare(b.name))
}
