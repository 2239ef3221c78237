import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { paretoFront } from "../../planning/analysis/pareto.ts"
import { fixedType } from "../../planning/sweep/row.ts"
import type { Cell } from "../../planning/files/table.ts"
import { Usage } from "../exit.ts"
import { figureText } from "../output/figure.ts"
import type { Column } from "../output/grid.ts"
import { readTable } from "../sweep/output.ts"
import { figureOf, formatFlag, print } from "./common.ts"

type Row = readonly Cell[]

export const paretoCommand = Command.make(
  "pareto",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("Results of a sweep: .parquet, .csv, .jsonl")
    ),
    metric: Flag.String("metric").pipe(
      Flag.withDescription(
        "What is wanted; may be given again. Default: tokens_per_s_per_user and tokens_per_s_per_gpu"
      ),
      Flag.atLeast(0)
    ),
    format: formatFlag
  },
  Effect.fnUntraced(function* ({ file, metric, format }) {
    const wanted = metric.length === 0 ? ["tokens_per_s_per_user", "tokens_per_s_per_gpu"] : metric
    const figures = yield* Effect.forEach(wanted, figureOf)
    const table = yield* readTable(file)
    const at = (name: string): number => table.columns.findIndex((column) => column.name === name)
    const missing = figures.find(({ name }) => at(name) < 0)
    if (missing !== undefined)
      return yield* new Usage({ problem: `${file} has no column ${missing.name}; is it a sweep's results?` })
    const neutral = figures.find(({ better }) => better === undefined)
    if (neutral !== undefined)
      return yield* new Usage({ problem: `--metric ${neutral.name}: neither more nor less of it is better` })
    const places = figures.map(({ name }) => at(name))
    const rows: readonly Row[] = [...table.rows].filter((row) =>
      places.every((place) => typeof row[place] === "number")
    )
    const goods = figures.map(
      ({ better }, i) =>
        (row: Row): number =>
          Number(row[places[i]!]) * (better === "less" ? -1 : 1)
    )
    const front = paretoFront(rows, goods).toSorted((a, b) => goods[0]!(a) - goods[0]!(b))
    const inputs = table.columns.flatMap(({ name }, i) =>
      name === "method" || fixedType(name) === undefined ? [{ name, i }] : []
    )
    const column = ({ name, i }: { readonly name: string; readonly i: number }): Column<Row> => ({
      title: name,
      key: name,
      left: name === "method",
      text: (row) => {
        const cell = row[i]
        return typeof cell === "number" ? figureText(name, cell) : String(cell ?? "")
      },
      value: (row) => row[i]
    })
    const said = at("caveats")
    yield* print(
      format,
      [...inputs.map(column), ...figures.map(({ name }, k) => column({ name, i: places[k]! }))],
      front,
      {
        caveats: new Set(front.flatMap((row) => (typeof row[said] === "string" ? [row[said]] : []))),
        after: [
          `${front.length} of ${rows.length} results: the others are no better in any of ${figures.map(({ name }) => name).join(", ")} than one of these. All modelled.`
        ]
      },
      { metrics: figures.map(({ name }) => name), results: rows.length }
    )
  })
).pipe(
  Command.withDescription("The results of a sweep that no other beats in everything"),
  Command.withExamples([
    {
      command: "vericache analyze pareto results.parquet",
      description: "Throughput of a GPU against speed for a user"
    }
  ])
)
