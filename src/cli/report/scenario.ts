/** What every report says of the scenario behind it. */
import type { ReportBlock, ReportTable } from "../../planning/report/document.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import type { Column } from "../output/grid.ts"
import { provenance } from "../output/report.ts"

/** Rows that people see, in the columns of the screen. */
export const tableOf = <Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[]
): ReportTable => {
  const shown = columns.filter(({ detail }) => detail !== true)
  return {
    kind: "table",
    caption,
    basis: "modelled",
    columns: shown.map(({ title, left = false }) => ({ title, left })),
    rows: rows.map((row) => shown.map(({ text }) => text(row)))
  }
}

/** Recorded requests shown of a trace; all of them would be most of the page. */
const REQUESTS = 20

const shortened = (scenario: Scenario): Readonly<Record<string, unknown>> => {
  const { workload } = scenario
  if (workload.kind !== "trace" || workload.requests.length <= REQUESTS) return { ...scenario }
  return {
    ...scenario,
    workload: {
      ...workload,
      requests: [
        ...workload.requests.slice(0, REQUESTS),
        `and ${workload.requests.length - REQUESTS} more of the trace`
      ]
    }
  }
}

/** Inputs with their sources, assumptions, and the scenario as it was simulated. */
export const inputsOf = (scenario: Scenario): readonly ReportBlock[] => [
  {
    kind: "text",
    text: "Every result here is modelled. These inputs are behind it, each measured, modelled or assumed:"
  },
  {
    kind: "list",
    items: provenance({ scenario, results: [] }).map(
      ({ what, basis, source }) => `${what}: ${basis}; ${source}`
    )
  },
  ...(scenario.assumptions.length === 0
    ? []
    : ([
        { kind: "text", text: "Assumed by the scenario:" },
        { kind: "list", items: scenario.assumptions }
      ] as const)),
  {
    kind: "source",
    title: "The scenario as it was simulated: every name looked up, in bytes, seconds and tokens",
    language: "yaml",
    text: yamlText(shortened(scenario))
  }
]
