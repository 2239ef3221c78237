/** The stretch of time that was selected, in words and tables: what it went to, statistics by kind, and the slices themselves. */
import { OCCUPATIONS, type Occupations } from "../../trace/occupation.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { TraceView } from "../shell/traces.ts"
import { kindName, type Row } from "./model.ts"
import { timeText } from "./numbers.ts"
import { type KindStatistics, type Place, slicesIn, statisticsOf } from "./statistics.ts"
import type { Viewport } from "./viewport.ts"

/** Rows of the table of slices at a time. */
const PAGE = 50

const rateText = ({ bytes, total }: KindStatistics): string =>
  bytes > 0 && total > 0 ? `${(bytes / total).toPrecision(3)} GB/s` : "–"

const BYTE_UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const

const bytesText = (bytes: number): string => {
  if (bytes <= 0) return "–"
  const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(4)).toLocaleString("en")} ${BYTE_UNITS[power]}`
}

const KIND_HEADER = ["kind", "slices", "total", "mean", "p50", "p95", "p99", "moved", "while it moved"]
const SLICE_HEADER = ["row", "kind", "starts", "takes", "request", "tokens", "moved"]

const table = (
  caption: string,
  header: readonly string[],
  rows: readonly (readonly string[])[]
): HTMLTableElement =>
  element(
    "table",
    {},
    element("caption", {}, caption),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...header.map((title, i) => element("th", { scope: "col", class: i > 0 ? "number" : "" }, title))
      )
    ),
    element(
      "tbody",
      {},
      ...rows.map((cells) =>
        element("tr", {}, ...cells.map((cell, i) => element("td", { class: i > 0 ? "number" : "" }, cell)))
      )
    )
  )

/** The panel of a selected stretch. */
export const areaPanel = (
  trace: TraceView,
  rows: readonly Row[],
  occupations: Occupations,
  area: Viewport
): readonly HTMLElement[] => {
  const places = slicesIn(rows, area)
  const kinds = statisticsOf(trace, places)
  const shares = occupations.shares(area.from, area.to)
  const went = OCCUPATIONS.filter((name) => shares[name] > 0)
  const { basis } = trace.meta
  return [
    element("h2", {}, `${timeText(area.from, 9)} to ${timeText(area.to, 9)}`),
    element(
      "p",
      { "data-area": "", "data-provenance": basis },
      `${timeText(area.to - area.from)}, ${places.length.toLocaleString("en")} slices in the rows shown, all ${basis}.${
        trace.names === undefined
          ? ` GPU time: ${went.map((name) => `${name} ${(100 * shares[name]).toFixed(1)} %`).join(" · ")}.`
          : ""
      }`
    ),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Statistics by kind" },
      table(
        "By kind; durations whole, also of slices that reach beyond the stretch. A share of the roofline needs what bounds a pass, which traces do not hold.",
        KIND_HEADER,
        kinds.map((one) => [
          one.name,
          one.count.toLocaleString("en"),
          ...[one.total, one.mean, one.p50, one.p95, one.p99].map((ns) => timeText(ns, 4)),
          bytesText(one.bytes),
          rateText(one)
        ])
      )
    ),
    exportButtons({
      name: "statistics",
      table: () => [
        ["kind", "slices", "total_ns", "mean_ns", "p50_ns", "p95_ns", "p99_ns", "bytes"],
        ...kinds.map(({ name, count, total, mean, p50, p95, p99, bytes }) => [
          name,
          count,
          total,
          mean,
          p50,
          p95,
          p99,
          bytes
        ])
      ]
    }),
    slicesTable(trace, places)
  ]
}

/** Every slice of the stretch, a page at a time. */
const slicesTable = (trace: TraceView, places: readonly Place[]): HTMLElement => {
  const cells = ({ row, slice }: Place): readonly (string | number)[] => {
    const source = row.source[slice]!
    const { request, tokens, bytes } = trace.slices
    return [
      row.label,
      kindName(trace, row, slice),
      row.start[slice]!,
      row.end[slice]! - row.start[slice]!,
      (request[source] ?? 0) === 0 ? "" : request[source]! - 1,
      tokens[source]!,
      bytes[source]!
    ]
  }
  const host = element("details", {}, element("summary", {}, "Slices as a table"))
  let page = 0
  const show = (): void => {
    const shown = places.slice(page * PAGE, (page + 1) * PAGE)
    const turn = (by: number, label: string, possible: boolean): HTMLButtonElement => {
      const button = element("button", { type: "button", disabled: !possible }, label)
      button.addEventListener("click", () => {
        page += by
        show()
      })
      return button
    }
    host.replaceChildren(
      host.firstElementChild!,
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Slices of the stretch" },
        table(
          `${places.length === 0 ? 0 : page * PAGE + 1} to ${page * PAGE + shown.length} of ${places.length.toLocaleString("en")}`,
          SLICE_HEADER,
          shown
            .map(cells)
            .map(([row, kind, start, took, request, tokens, bytes]) => [
              String(row),
              String(kind),
              timeText(Number(start), 9),
              timeText(Number(took), 4),
              String(request),
              Number(tokens).toLocaleString("en"),
              bytesText(Number(bytes))
            ])
        )
      ),
      element(
        "p",
        { class: "tools" },
        turn(-1, "Earlier slices", page > 0),
        turn(1, "Later slices", (page + 1) * PAGE < places.length),
        exportButtons({
          name: "slices",
          table: () => [
            ["row", "kind", "start_ns", "duration_ns", "request", "tokens", "bytes"],
            ...places.map(cells)
          ]
        })
      )
    )
  }
  show()
  return host
}
