/** The stretch of time that was selected, in words and tables: what it went to, statistics by kind, and the slices themselves. */
import { OCCUPATIONS, type Occupations } from "../../trace/occupation.ts"
import { PASS_LIMITS } from "../../trace/pass-limits.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { TraceView } from "../shell/traces.ts"
import { limitsText } from "./limit-words.ts"
import { basisText, type Row } from "./model.ts"
import { amountText, bytesText, rateText, timeText } from "./numbers.ts"
import { slicesTable } from "./slices-table.ts"
import { countersIn, instantsIn, slicesIn, statisticsOf, transfersIn } from "./statistics.ts"
import { type Column, table } from "./table.ts"
import type { Viewport } from "./viewport.ts"

const KIND_COLUMNS: readonly Column[] = [
  { name: "kind", text: true },
  { name: "where", text: true },
  { name: "slices" },
  { name: "total", title: "durations added up, also of slices that run side by side" },
  { name: "mean" },
  { name: "p50", title: "half of them take no longer" },
  { name: "p95", title: "95 % of them take no longer" },
  { name: "p99", title: "99 % of them take no longer" },
  {
    name: "moved",
    title: "bytes of transfers; of passes what they read and wrote in HBM, from the HBM bandwidth"
  },
  { name: "achieved", title: "moved, over the time in which at least one of them ran" },
  {
    name: "of roofline",
    title: "achieved, over the peak bandwidth of what carried it: HBM for passes, the link for transfers"
  },
  {
    name: "bounded by",
    text: true,
    title: "what the time of passes went to, as the model priced them; measured passes do not say"
  }
]
const COUNTER_COLUMNS: readonly Column[] = [
  { name: "counter", text: true },
  { name: "least" },
  { name: "mean", title: "over time" },
  { name: "most" }
]

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

/** The panel of a selected stretch; `shown`: rows whose slices count, `all`: rows of the model. */
export const areaPanel = (
  trace: TraceView,
  shown: readonly Row[],
  all: readonly Row[],
  occupations: Occupations,
  area: Viewport
): readonly HTMLElement[] => {
  const places = slicesIn(shown, area)
  const kinds = statisticsOf(trace, places, all)
  const counters = countersIn(shown, area)
  const basis = basisText(all)
  return [
    element("h2", {}, `${timeText(area.from, 9)} to ${timeText(area.to, 9)}`),
    element(
      "p",
      { "data-area": "", "data-provenance": basis },
      summary(trace, shown, occupations, area, places.length, basis)
    ),
    region(
      "Statistics by kind",
      table(
        `By kind; durations are whole, also of slices that reach beyond the stretch. ${peaksText(trace)}`,
        KIND_COLUMNS,
        kinds.map((one) => [
          one.name,
          one.where,
          one.count.toLocaleString("en"),
          ...[one.total, one.mean, one.p50, one.p95, one.p99].map((ns) => timeText(ns, 4)),
          one.bytes > 0 ? bytesText(one.bytes) : "–",
          one.bytes > 0 && one.busy > 0 ? rateText(one.bytes, one.busy) : "–",
          one.roofline === undefined ? "–" : percent(one.roofline),
          one.limits === undefined ? "–" : limitsText(one.limits)
        ]),
        basis
      )
    ),
    exportButtons({
      name: "statistics",
      table: () => [
        [
          "kind",
          "where",
          "slices",
          "total_ns",
          "mean_ns",
          "p50_ns",
          "p95_ns",
          "p99_ns",
          "bytes",
          "busy_ns",
          "roofline_share",
          ...PASS_LIMITS.map((limit) => `limit_${limit}`)
        ],
        ...kinds.map((one) => [
          one.name,
          one.where,
          one.count,
          one.total,
          one.mean,
          one.p50,
          one.p95,
          one.p99,
          one.bytes,
          one.busy,
          one.roofline ?? "",
          ...PASS_LIMITS.map((limit) => one.limits?.[limit] ?? "")
        ])
      ]
    }),
    ...(counters.length === 0
      ? []
      : [
          region(
            "Counters",
            table(
              "Counters",
              COUNTER_COLUMNS,
              counters.map(({ label, unit, least, mean, most }) => [
                label,
                ...[least, mean, most].map((value) => amountText(value, unit))
              ]),
              basis
            )
          ),
          exportButtons({
            name: "counters",
            table: () => [
              ["counter", "unit", "least", "mean", "most"],
              ...counters.map(({ label, unit, least, mean, most }) => [label, unit, least, mean, most])
            ]
          })
        ]),
    slicesTable(trace, places, basis)
  ]
}

const region = (label: string, ...content: readonly HTMLElement[]): HTMLElement =>
  element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...content)

const summary = (
  trace: TraceView,
  shown: readonly Row[],
  occupations: Occupations,
  area: Viewport,
  slices: number,
  basis: string
): string => {
  const shares = occupations.shares(area.from, area.to)
  const went = OCCUPATIONS.filter((name) => shares[name] > 0).map(
    (name) => `${name} ${percent(shares[name])}`
  )
  const { busy, exposed } = transfersIn(shown, area)
  const instants = instantsIn(shown, area).map(({ name, count }) => `${count.toLocaleString("en")} ${name}`)
  return [
    `${timeText(area.to - area.from)}, ${slices.toLocaleString("en")} slices in the rows shown, all ${basis}.`,
    ...(trace.names === undefined ? [`GPU time: ${went.join(" · ")}.`] : []),
    ...(busy > 0
      ? [
          `Links moved something for ${timeText(busy, 4)}: ${percent(1 - exposed / busy)} of it hidden behind passes, ${percent(exposed / busy)} exposed.`
        ]
      : []),
    ...(instants.length > 0 ? [`Instants: ${instants.join(", ")}.`] : [])
  ].join(" ")
}

const peaksText = ({ meta: { peaks } }: TraceView): string =>
  peaks === undefined
    ? "This trace does not say what its hardware could reach, so there is no share of the roofline."
    : `Peaks (${peaks.basis}): HBM ${rateText(peaks.hbm, 1e9)}, link ${rateText(peaks.hostToDevice, 1e9)} in ${peaks.deviceToHost === undefined ? "" : ` and ${rateText(peaks.deviceToHost, 1e9)} out`}.`
