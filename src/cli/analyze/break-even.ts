import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type BreakEven, breakEven } from "../../planning/analysis/break-even.ts"
import type { GridAxis } from "../../planning/sweep/axis.ts"
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
import { breakEvenFigure, settingText } from "./figures.ts"

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

/** What the rows come to: "VeriCache beats full-kv above 26.8 GB/s at context_tokens 8,192, 12.7 GB/s at 32,768." */
const inShort = (
  names: readonly [a: string, b: string],
  rows: GridAxis | undefined,
  along: string,
  found: readonly BreakEven[]
): string => {
  const [a, b] = names
  const place = ({ row }: BreakEven): string => (row === undefined ? "" : settingText(rows!, row))
  const changing = found.filter(({ crossings }) => crossings.length > 0)
  const [first, ...others] = changing
  if (first === undefined) {
    const all = new Set(found.map((one) => sentence(names, along, one)))
    return all.size === 1 ? `${[...all][0]!}.` : "Nowhere in the range does the better method change."
  }
  const { above } = first.crossings[0]!
  const alike = changing.every(({ crossings }) => crossings.length === 1 && crossings[0]!.above === above)
  if (rows === undefined || !alike)
    return `${changing.map((one) => `${sentence(names, along, one)}${rows === undefined ? "" : `, at ${rows.column} ${place(one)}`}`).join("; ")}.`
  const at = (one: BreakEven): string => figureText(along, one.crossings[0]!.at)
  return `${a} beats ${b} ${above ? "above" : "below"} ${[`${at(first)} at ${rows.column} ${place(first)}`, ...others.map((one) => `${at(one)} at ${place(one)}`)].join(", ")}.`
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
              text: ({ row }: BreakEven) => settingText(rows, row!),
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
        before: [
          `Break-even of ${names[0]} with ${names[1]} in ${figure.name}. ${inShort(names, rows, along.column, found)}`
        ],
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
        flags: [`--metric=${metric}`, `--method=${names[0]}`, `--against=${names[1]}`],
        figures: breakEvenFigure(rows, along, found)
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
