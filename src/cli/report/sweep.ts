/** The report of a sweep, in the words and numbers of the screen. */
import type { Cell, Table } from "../../planning/files/table.ts"
import type { ReportBlock, ReportDocument } from "../../planning/report/document.ts"
import { type SweepView, type SweptField, sweepFigures, sweepVerdict } from "../../planning/report/sweep.ts"
import type { Axis } from "../../planning/sweep/axis.ts"
import { axesOf, type Shard } from "../../planning/sweep/design.ts"
import type { Sweep } from "../../planning/sweep/load-sweep.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { seconds, significant, times } from "../output/number.ts"
import { setting } from "../output/screen.ts"
import { Tally } from "../sweep/run-sweep.ts"
import { gridOf, showOf } from "../sweep/show.ts"
import { inputsOf, tableOf } from "./scenario.ts"

/** Most rows of the table in a report; files of results have all. */
const ROWS = 200

const fieldOf = ({ column, unit }: Axis): SweptField => {
  const show = showOf(unit)
  return {
    column,
    title: column.slice(0, column.length - unit.length),
    show: (cell: Cell) => (typeof cell === "number" ? show(cell) : String(cell ?? ""))
  }
}

const tallyOf = (table: Table): string => {
  const tally = new Tally(table.columns)
  for (const row of table.rows) tally.add(row)
  return tally.words()
}

/** `sweepText`: the sweep file; `scenario`: its base, resolved. */
export const sweepDocument = (
  sweep: Sweep,
  shard: Shard,
  scenario: Scenario,
  table: Table,
  sweepText: string
): Omit<ReportDocument, "manifest"> => {
  const { grid, sample, seeds } = sweep.design
  const view: SweepView = {
    table,
    grid: grid.flatMap((group) => group.slice(0, 1)).map(fieldOf),
    sampled: (sample?.axes ?? []).map(fieldOf),
    baseline: scenario.baseline,
    amount: significant,
    seconds,
    times
  }
  const part = shard.count === 1 ? "" : `, part ${shard.index} of ${shard.count}`
  const rows = tableOf("Points", gridOf(table, axesOf(sweep.design)), table.rows.slice(0, ROWS))
  const cut: readonly ReportBlock[] =
    table.rows.length <= ROWS
      ? []
      : [
          {
            kind: "text",
            text: `The first ${ROWS} of ${table.rows.length.toLocaleString("en-US")} rows; vericache sweep with --output, or rerun, gives all.`
          }
        ]
  return {
    title: sweep.name,
    setting: `${tallyOf(table)}${part}${seeds.length > 1 ? `; ${seeds.length} seeds each, figures are their means` : ""}. Base: ${scenario.name}; ${setting(scenario)}`,
    verdict: sweepVerdict(view),
    sections: [
      { heading: "Figures", blocks: sweepFigures(view) },
      { heading: "Rows", blocks: [...cut, rows] },
      {
        heading: "What it rests on",
        blocks: [
          { kind: "source", title: "The sweep", language: "yaml", text: sweepText },
          ...inputsOf(scenario)
        ]
      }
    ]
  }
}
