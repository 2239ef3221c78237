/** A measured run beside simulated ones, latency by latency. */
import {
  LATENCIES,
  type Latency,
  type MeasuredRun,
  type Statistic,
  STATISTICS
} from "../../planning/import/measured-run.ts"
import { type Column, type Format, renderGrid } from "./grid.ts"
import { percent, seconds } from "./number.ts"
import type { Report } from "./report.ts"

export interface MeasuredRow {
  readonly method: string
  readonly latency: Latency
  readonly statistic: Statistic
  readonly measured: number
  readonly simulated: number
}

const residual = ({ measured, simulated }: MeasuredRow): number => simulated / measured - 1

export const measuredColumns: readonly Column<MeasuredRow>[] = [
  { title: "method", key: "method", left: true, text: (row) => row.method, value: (row) => row.method },
  {
    title: "latency",
    key: "latency",
    left: true,
    text: (row) => row.latency.toUpperCase(),
    value: (row) => row.latency
  },
  { title: "", key: "statistic", left: true, text: (row) => row.statistic, value: (row) => row.statistic },
  {
    title: "measured",
    key: "measured_seconds",
    text: (row) => seconds(row.measured),
    value: (row) => row.measured
  },
  {
    title: "simulated",
    key: "simulated_seconds",
    text: (row) => seconds(row.simulated),
    value: (row) => row.simulated
  },
  {
    title: "residual",
    key: "residual",
    text: (row) => `${residual(row) > 0 ? "+" : ""}${percent(residual(row))}`,
    value: residual
  }
]

/** Every method that ran and every latency that was measured. */
export const measuredRows = ({ results }: Report, run: MeasuredRun): readonly MeasuredRow[] =>
  results.flatMap(({ method, metrics }) =>
    metrics === undefined
      ? []
      : LATENCIES.flatMap((latency) =>
          STATISTICS.flatMap((statistic): MeasuredRow[] => {
            const measured = run.latencies[latency]?.[statistic]
            return measured === undefined || !(measured > 0)
              ? []
              : [
                  {
                    method: method.name,
                    latency,
                    statistic,
                    measured,
                    simulated: metrics[latency][statistic]
                  }
                ]
          })
        )
  )

/** Simulated over measured − 1, for every method that ran and every latency that was measured. */
export const renderMeasured = (format: Exclude<Format, "json">, report: Report, run: MeasuredRun): string =>
  renderGrid(format, measuredColumns, measuredRows(report, run))
