/** Every slice of a selected stretch as a table: the twin of what the canvas shows. */
import type { TraceView } from "../shell/traces.ts"
import { kindName, type Place } from "./model.ts"
import { bytesText, timeText } from "./numbers.ts"
import { pagedTable } from "./paged-table.ts"
import type { Column } from "./table.ts"

const COLUMNS: readonly Column[] = [
  { name: "row", text: true },
  { name: "kind", text: true },
  { name: "starts" },
  { name: "takes" },
  { name: "request" },
  { name: "tokens" },
  { name: "moved" }
]

export const slicesTable = (trace: TraceView, places: readonly Place[], basis: string): HTMLElement =>
  pagedTable({
    summary: "Slices as a table",
    label: "Slices of the stretch",
    name: "slices",
    columns: COLUMNS,
    length: places.length,
    basis,
    texts: (at) => textsOf(trace, places[at]!),
    csv: () => [
      ["row", "kind", "start_ns", "duration_ns", "request", "tokens", "bytes"],
      ...places.map((place) => cellsOf(trace, place))
    ]
  })

const cellsOf = (trace: TraceView, { row, slice }: Place): readonly (string | number)[] => {
  const source = row.source[slice]!
  const { request, tokens, bytes } = trace.slices
  return [
    row.label,
    kindName(trace, row, slice),
    row.start[slice]!,
    row.end[slice]! - row.start[slice]!,
    request[source] === 0 ? "" : request[source]! - 1,
    tokens[source]!,
    bytes[source]!
  ]
}

const textsOf = (trace: TraceView, place: Place): readonly string[] => {
  const [row, kind, start, took, request, tokens, bytes] = cellsOf(trace, place)
  return [
    String(row),
    String(kind),
    timeText(Number(start), 9),
    timeText(Number(took), 4),
    String(request),
    Number(tokens).toLocaleString("en"),
    Number(bytes) > 0 ? bytesText(Number(bytes)) : "–"
  ]
}
