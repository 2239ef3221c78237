/** The serving methods side by side. */
import { LIMITS, type RunMetrics } from "../../trace/metrics.ts"
import { element } from "../components/element.ts"
import type { MethodOutcome, ScenarioSummary } from "../workers/protocol.ts"
import { limitBar } from "./limit-bar.ts"
import { LIMIT_WORDS, mainLimit } from "./verdict.ts"

/** What weakens the figures, and whose. */
export const caveatLines = (
  { methods }: ScenarioSummary,
  outcomes: readonly (MethodOutcome | undefined)[]
): readonly string[] => {
  const whose = new Map<string, string[]>()
  for (const [i, outcome] of outcomes.entries())
    for (const caveat of outcome?.kind === "simulated" ? outcome.caveats : [])
      whose.set(caveat, [...(whose.get(caveat) ?? []), methods[i]!.name])
  return [...whose].map(
    ([caveat, names]) => `${caveat}${names.length === methods.length ? "" : ` (${names.join(", ")})`}`
  )
}

const seconds = (value: number): string =>
  value < 1 ? `${(value * 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`

const COLUMNS: readonly (readonly [
  title: string,
  definition: string,
  of: (metrics: RunMetrics) => string
])[] = [
  ["tok/s", "Output tokens per second of the run", (m) => m.throughput.tokensPerSecond.toPrecision(3)],
  ["TTFT p50", "Arrival to first token, median", (m) => seconds(m.ttft.p50)],
  ["TTFT p95", "Arrival to first token, 95th percentile", (m) => seconds(m.ttft.p95)],
  ["TPOT p50", "(last − first token) / (tokens − 1), median over requests", (m) => seconds(m.tpot.p50)],
  ["E2EL p50", "Arrival to last token, median", (m) => seconds(m.e2el.p50)],
  [
    "limited by",
    "What most of the time went to, and its share",
    (m) => `${LIMIT_WORDS[mainLimit(m.limits)]} ${Math.round(m.limits[mainLimit(m.limits)] * 100)} %`
  ]
]

/** The same as rows of a file; times in seconds. */
export const methodsRows = (
  summary: ScenarioSummary | undefined,
  outcomes: readonly (MethodOutcome | undefined)[]
): readonly (readonly (string | number)[])[] => [
  [
    "method",
    "tokens_per_s",
    "ttft_p50_s",
    "ttft_p95_s",
    "tpot_p50_s",
    "e2el_p50_s",
    ...LIMITS,
    "output",
    "basis",
    "caveats"
  ],
  ...(summary?.methods ?? []).flatMap(({ name, lossless }, i) => {
    const outcome = outcomes[i]
    if (outcome?.kind !== "simulated") return []
    const { metrics, caveats } = outcome
    const { throughput, ttft, tpot, e2el, limits } = metrics
    return [
      [
        name,
        throughput.tokensPerSecond,
        ttft.p50,
        ttft.p95,
        tpot.p50,
        e2el.p50,
        ...LIMITS.map((limit) => limits[limit]),
        lossless ? "identical" : "lossy",
        "modelled",
        caveats.join("; ")
      ]
    ]
  })
]

export const methodsTable = (
  { methods }: ScenarioSummary,
  outcomes: readonly (MethodOutcome | undefined)[]
): HTMLTableElement =>
  element(
    "table",
    {},
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "method"),
        ...COLUMNS.map(([title, definition]) =>
          element("th", { scope: "col", class: "number", title: definition }, title)
        ),
        element("th", { scope: "col" }, "output")
      )
    ),
    element(
      "tbody",
      {},
      ...methods.map(({ name, lossless }, i) => {
        const outcome = outcomes[i]
        const cells =
          outcome?.kind === "simulated"
            ? COLUMNS.map(([title, definition, of]) =>
                element(
                  "td",
                  {
                    class: outcome.extrapolated ? "number extrapolated" : "number",
                    "data-provenance": "modelled",
                    title: [definition, "modelled", ...outcome.caveats].join("; ")
                  },
                  of(outcome.metrics),
                  ...(title === "limited by" ? [limitBar(outcome.metrics.limits)] : [])
                )
              )
            : [element("td", { colspan: COLUMNS.length, class: "muted" }, outcome?.reason ?? "…")]
        return element(
          "tr",
          {},
          element("th", { scope: "row" }, name),
          ...cells,
          element("td", {}, lossless ? "identical" : "LOSSY")
        )
      })
    )
  )
