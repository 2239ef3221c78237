/** The report of a simulation, in the words and numbers of the screen. */
import type { MeasuredRun } from "../../planning/import/measured-run.ts"
import type { ReportDocument } from "../../planning/report/document.ts"
import { simulationFigures } from "../../planning/report/simulation.ts"
import { measuredColumns, measuredRows } from "../output/measured.ts"
import { percent, seconds, significant } from "../output/number.ts"
import { caveatLines, objectiveLines, type Report, reportColumns, verdict } from "../output/report.ts"
import { LEGEND, setting } from "../output/screen.ts"
import { inputsOf, tableOf } from "./scenario.ts"
import type { Column } from "../output/grid.ts"
import type { MethodResult } from "../output/report.ts"

const LATENCIES = ["ttft", "tpot", "itl", "e2el"] as const
const STATISTICS = ["mean", "p50", "p90", "p99"] as const

/** Every latency in full, a line for each method and latency. */
const latencyTable = ({ results }: Report) => {
  const rows = results.flatMap((result) => LATENCIES.map((latency) => ({ result, latency })))
  const columns: readonly Column<{ result: MethodResult; latency: (typeof LATENCIES)[number] }>[] = [
    { title: "method", key: "method", left: true, text: (row) => row.result.method.name, value: () => "" },
    {
      title: "latency",
      key: "latency",
      left: true,
      text: (row) => row.latency.toUpperCase(),
      value: () => ""
    },
    ...STATISTICS.map((statistic) => ({
      title: statistic,
      key: statistic,
      text: ({ result, latency }: (typeof rows)[number]) =>
        result.metrics === undefined ? "–" : seconds(result.metrics[latency][statistic]),
      value: () => ""
    }))
  ]
  return tableOf("Latencies", columns, rows)
}

export const simulationDocument = (
  report: Report,
  measured: MeasuredRun | undefined
): Omit<ReportDocument, "manifest"> => {
  const { scenario, results } = report
  const objectives = objectiveLines(report)
  const caveats = caveatLines(report)
  return {
    title: scenario.name,
    setting: setting(scenario),
    verdict: verdict(report),
    sections: [
      {
        heading: "Methods side by side",
        blocks: [
          tableOf("Methods", reportColumns(report), results),
          { kind: "list", items: LEGEND },
          ...(caveats.length === 0
            ? []
            : ([
                { kind: "text", text: "Weaker evidence than the rest:" },
                { kind: "list", items: caveats }
              ] as const)),
          ...(objectives.length === 0
            ? []
            : ([
                { kind: "text", text: "Objectives:" },
                { kind: "list", items: objectives }
              ] as const)),
          ...simulationFigures(
            results.map(({ method, metrics }) => ({ name: method.name, metrics })),
            scenario.objectives.map(({ metric, percentile, atMost }) => ({
              metric,
              name: `at most ${seconds(atMost)} at ${percentile === 100 ? "the most" : `p${percentile}`}`,
              value: atMost
            })),
            measured,
            { amount: significant, seconds, percent }
          ),
          latencyTable(report)
        ]
      },
      ...(measured === undefined
        ? []
        : [
            {
              heading: `Beside the measured run ${measured.name}`,
              blocks: [
                tableOf(
                  "Measured: measured; simulated: modelled; residual: simulated over measured − 1",
                  measuredColumns,
                  measuredRows(report, measured)
                ),
                ...(measured.notes.length === 0 ? [] : ([{ kind: "list", items: measured.notes }] as const))
              ]
            }
          ]),
      { heading: "What it rests on", blocks: inputsOf(scenario) }
    ]
  }
}
