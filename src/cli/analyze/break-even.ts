import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type BreakEven, breakEven } from "../../planning/analysis/break-even.ts"
import { Usage } from "../exit.ts"
import { figureText } from "../output/figure.ts"
import type { Column } from "../output/grid.ts"
import { times } from "../output/number.ts"
import {
  figureOf,
  formatFlag,
  gridAxes,
  methodPlace,
  metricFlag,
  print,
  readSweep,
  reportFlag,
  reporting,
  scenarioOf,
  simulating,
  sweepArgument,
  workersFlag
} from "./common.ts"

/** "VeriCache beats full-kv above 38 GB/s", or over the whole range, or nowhere in it. */
const sentence = (
  [a, b]: readonly [a: string, b: string],
  column: string,
  { crossings, first }: BreakEven
): string => {
  if (first === undefined && crossings.length === 0) return `neither ${a} nor ${b} can serve`
  if (crossings.length === 0)
    return first === 0
      ? `${a} and ${b} are equal in the whole range`
      : `${first === 1 ? a : b} is better in the whole range`
  const [only, ...more] = crossings
  const at = (value: number): string => figureText(column, value)
  if (more.length === 0) return `${a} beats ${b} ${only!.above ? "above" : "below"} ${at(only!.at)}`
  return `${first === 1 ? a : b} is better first; changes at ${crossings.map((one) => at(one.at)).join(", ")}`
}

export const breakEvenCommand = Command.make(
  "break-even",
  {
    file: sweepArgument,
    metric: metricFlag,
    method: Flag.String("method").pipe(
      Flag.withAlias("m"),
      Flag.withDescription("Method A; the last the sweep simulates by default"),
      Flag.optional
    ),
    against: Flag.String("against").pipe(
      Flag.withDescription("Method B; the first the sweep simulates by default"),
      Flag.optional
    ),
    format: formatFlag,
    report: reportFlag,
    workers: workersFlag
  },
  Effect.fnUntraced(function* ({ file: given, metric, method, against, format, report, workers }) {
    const note = yield* reporting(report, given)
    const { file } = note
    const figure = yield* figureOf(metric)
    const sweep = yield* readSweep(file, note.files.read)
    const axes = yield* gridAxes(sweep, 1, 2)
    const along = axes.at(-1)!
    const rows = axes.length === 2 ? axes[0] : undefined
    if (along.type !== "number")
      return yield* new Usage({
        problem: `${file}: the last axis has to be of numbers, ${along.column} is not`
      })
    const a = yield* methodPlace(sweep, Option.getOrUndefined(method), "last")
    const b = yield* methodPlace(sweep, Option.getOrUndefined(against), "first")
    if (a === b)
      return yield* new Usage({ problem: "break-even is between two methods: say --method, --against" })
    const names = [sweep.methodNames[a]!, sweep.methodNames[b]!] as const
    const { layer, caveats, clear } = simulating(figure, workers, "break-even")
    const found = yield* breakEven(sweep, rows, along, [a, b], figure.better !== "less").pipe(
      Effect.provide(layer),
      Effect.ensuring(clear)
    )
    const columns: readonly Column<BreakEven>[] = [
      ...(rows === undefined
        ? []
        : [
            {
              title: rows.column,
              key: rows.column,
              text: ({ row }: BreakEven) =>
                typeof row?.shown === "number" ? figureText(rows.column, row.shown) : String(row?.shown),
              value: ({ row }: BreakEven) => row?.shown
            }
          ]),
      {
        title: `along ${along.column}`,
        key: "sentence",
        left: true,
        text: (one) => sentence(names, along.column, one),
        value: (one) => sentence(names, along.column, one)
      },
      {
        title: "break-even",
        key: `${along.column}_break_even`,
        text: ({ crossings }) => crossings.map(({ at }) => figureText(along.column, at)).join(", "),
        value: ({ crossings }) => crossings[0]?.at
      },
      {
        title: `${names[0]} over ${names[1]}`,
        key: "ratio_max",
        text: ({ ratio }) => (ratio === undefined ? "–" : `${times(ratio.min)} … ${times(ratio.max)}`),
        value: ({ ratio }) => ratio?.max
      },
      { title: "", key: "ratio_min", text: () => "", value: ({ ratio }) => ratio?.min, detail: true }
    ]
    yield* print(
      format,
      columns,
      found,
      {
        caveats,
        before: [`Break-even of ${names[0]} with ${names[1]} in ${figure.name}.`],
        after: [
          `Looked for between the ${along.settings.length} places of ${along.column}, found to 1 %. All modelled.`
        ]
      },
      { a: names[0], b: names[1], metric: figure.name, along: along.column },
      note,
      {
        kind: "break-even",
        title: `${sweep.name}: where ${names[0]} beats ${names[1]}`,
        scenario: yield* scenarioOf(sweep, note.files.read),
        flags: [`--metric=${metric}`, `--method=${names[0]}`, `--against=${names[1]}`]
      }
    )
  })
).pipe(
  Command.withDescription("From where on one method beats another, along one or two fields of a sweep"),
  Command.withExamples([
    {
      command: "vericache analyze break-even scenarios/sweeps/link-and-context.yaml",
      description: "The link rate VeriCache needs to beat full KV, for each context length"
    }
  ])
)
