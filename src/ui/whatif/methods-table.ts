/** The serving methods side by side. */
import type { RunMetrics } from "../../trace/metrics.ts"
import { element } from "../components/element.ts"
import type { MethodOutcome, ScenarioSummary } from "../workers/protocol.ts"
import { LIMIT_WORDS, mainLimit } from "./verdict.ts"

const seconds = (value: number): string =>
  value < 1 ? `${(value * 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`

const COLUMNS: readonly (readonly [
  title: string,
  definition: string,
  of: (metrics: RunMetrics) => string
])[] = [
  ["tok/s", "Output tokens per second of the run", (m) => m.throughput.tokensPerSecond.toPrecision(3)],
  ["TTFT p50", "Arrival to first token, median", (m) => seconds(m.ttft.p50)],
  ["TPOT p50", "(last − first token) / (tokens − 1), median over requests", (m) => seconds(m.tpot.p50)],
  [
    "limited by",
    "What most of the time went to, and its share",
    (m) => `${LIMIT_WORDS[mainLimit(m.limits)]} ${Math.round(m.limits[mainLimit(m.limits)] * 100)} %`
  ]
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
            ? COLUMNS.map(([, definition, of]) =>
                element(
                  "td",
                  { class: "number", "data-provenance": "modelled", title: `${definition}; modelled` },
                  of(outcome.metrics)
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
