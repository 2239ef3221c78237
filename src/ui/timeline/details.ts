/** What a trace says of one slice, as a table. */
import { passShares } from "../../trace/pass-limits.ts"
import { EVENT_ARGS, EVENT_KINDS, SHARE_ARGS } from "../../trace/recorder.ts"
import { judgedOf } from "../../trace/rounds.ts"
import { argValue } from "../../trace/store.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import { covered } from "./covered.ts"
import { DEFINITIONS, judgedText } from "./hover.ts"
import { limitsText } from "./limit-words.ts"
import { kindName, type Place } from "./model.ts"
import { bytesText, rateText, timeText } from "./numbers.ts"
import type { Prepared } from "./prepare.ts"
import { statisticsOf } from "./statistics.ts"

const NAMES: Partial<Readonly<Record<(typeof EVENT_ARGS)[number], string>>> = {
  kvTokens: "KV entries attended to",
  members: "requests in each pass",
  steps: "equal passes it stands for"
}

const SHARES: ReadonlySet<string> = new Set(SHARE_ARGS)

export const details = (
  { trace, model, rounds }: Prepared,
  roundAt: ReadonlyMap<number, number>,
  place: Place
): readonly HTMLElement[] => {
  const { row, slice } = place
  const { slices } = trace
  const source = row.source[slice]!
  const [start, end] = [row.start[slice]!, row.end[slice]!]
  const name = kindName(trace, row, slice)
  const facts: (readonly [string, string])[] = [
    ["starts at", timeText(start, 9)],
    ["takes", timeText(end - start)]
  ]
  for (const arg of EVENT_ARGS) {
    const stored = slices[arg][source]!
    if (stored === 0) continue
    // Shares are told together, below.
    if (SHARES.has(arg)) continue
    const value = argValue(arg, stored)
    facts.push([NAMES[arg] ?? arg, arg === "bytes" ? bytesText(value) : value.toLocaleString("en")])
  }
  const round = roundAt.get(source)
  if (round !== undefined) facts.push(["its tokens", judgedText(judgedOf(rounds, round))])
  const { bytes, busy, roofline } = statisticsOf(trace, [place], model.rows)[0]!
  if (bytes > 0 && busy > 0)
    facts.push([row.what === "gpu" ? "HBM read and written" : "achieved", rateText(bytes, busy)])
  if (roofline !== undefined) facts.push(["share of the roofline", `${(roofline * 100).toFixed(1)} %`])
  const limits = passShares(slices, source)
  if (limits !== undefined) facts.push(["bounded by", limitsText(limits)])
  else if (row.what === "gpu" && row.basis === "measured")
    facts.push(["bounded by", "not known of a measured pass"])
  if (row.exposed !== undefined)
    facts.push(["of it exposed (no pass ran)", timeText(covered(row.exposed, start, end))])
  const kind = EVENT_KINDS[row.kind[slice]!]!
  return [
    element("h2", {}, `${name} on ${row.label}`),
    ...(name === kind && DEFINITIONS[kind] !== undefined
      ? [element("p", { class: "muted" }, DEFINITIONS[kind])]
      : []),
    element(
      "table",
      { class: "facts", "data-provenance": row.basis },
      element("caption", {}, `All ${row.basis}`),
      element(
        "tbody",
        {},
        ...facts.map(([label, value]) =>
          element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, value))
        )
      )
    ),
    exportButtons({ name: "slice", table: () => [["what", "value"], ...facts] })
  ]
}
