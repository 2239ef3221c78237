/** What a trace says of one slice, as a table. */
import { EVENT_ARGS } from "../../trace/recorder.ts"
import { element } from "../components/element.ts"
import type { TraceView } from "../shell/traces.ts"
import { kindName, type SliceRow } from "./model.ts"
import { timeText } from "./numbers.ts"

export const details = (trace: TraceView, row: SliceRow, slice: number): readonly HTMLElement[] => {
  const { slices, meta } = trace
  const source = row.source[slice]!
  const start = row.start[slice]!
  const took = row.end[slice]! - start
  const facts: (readonly [string, string])[] = [
    ["starts at", timeText(start, 9)],
    ["takes", timeText(took)]
  ]
  for (const name of EVENT_ARGS) {
    const stored = slices[name][source]!
    if (stored === 0) continue
    const value = name === "request" ? stored - 1 : stored
    facts.push([name === "kvTokens" ? "KV tokens attended to" : name, value.toLocaleString("en")])
  }
  const bytes = slices.bytes[source]!
  // Bytes a nanosecond are GB/s.
  if (bytes > 0 && took > 0) facts.push(["achieved", `${(bytes / took).toPrecision(4)} GB/s`])
  return [
    element("h2", {}, `${kindName(trace, row, slice)} on ${row.label}`),
    element(
      "table",
      {},
      element("caption", {}, `All ${meta.basis}`),
      ...facts.map(([name, value]) =>
        element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value))
      )
    )
  ]
}
