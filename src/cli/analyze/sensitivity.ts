import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { isFigure, type FigureOutcome } from "../../planning/analysis/evaluate.ts"
import { type Influence, sensitivity, sensitivityCost, swing } from "../../planning/analysis/sensitivity.ts"
import { type Index, MAX_INPUTS } from "../../planning/analysis/sobol-indices.ts"
import { barChart } from "../../planning/report/charts/bars.ts"
import { Usage } from "../exit.ts"
import { figureText } from "../output/figure.ts"
import type { Column } from "../output/grid.ts"
import {
  figureOf,
  formatFlag,
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

const shown = (name: string, outcome: FigureOutcome): string =>
  isFigure(outcome) ? figureText(name, outcome) : "–"

/** Two decimals; what rounds to nothing has no sign. */
const decimals = (value: number): string => value.toFixed(2).replace(/^-(?=0\.00$)/, "")

const share = ({ value, low, high }: Index): string =>
  `${decimals(value)} (${decimals(low)} … ${decimals(high)})`

const BAR = 24

/** A bar from the figure at the low end to that at the high one, on the scale of the widest swing. */
const bar = (influence: Influence, widest: number): string =>
  Number.isFinite(swing(influence)) && widest > 0
    ? "█".repeat(Math.max(1, Math.round((BAR * swing(influence)) / widest)))
    : ""

/** `widest`: the widest swing, where bars are drawn of characters. */
const columns = (metric: string, widest?: number): readonly Column<Influence>[] => [
  {
    title: "input",
    key: "input",
    left: true,
    text: ({ axis }) => axis.column,
    value: ({ axis }) => axis.column
  },
  {
    title: "from",
    key: "low",
    text: ({ axis, low }) => figureText(axis.column, Number(low.shown)),
    value: ({ low }) => low.shown
  },
  {
    title: "to",
    key: "high",
    text: ({ axis, high }) => figureText(axis.column, Number(high.shown)),
    value: ({ high }) => high.shown
  },
  {
    title: "figure from",
    key: `${metric}_at_low`,
    text: ({ atLow }) => shown(metric, atLow),
    value: ({ atLow }) => (isFigure(atLow) ? atLow : undefined)
  },
  {
    title: "to",
    key: `${metric}_at_high`,
    text: ({ atHigh }) => shown(metric, atHigh),
    value: ({ atHigh }) => (isFigure(atHigh) ? atHigh : undefined)
  },
  {
    title: "swing",
    key: "swing",
    left: true,
    // A page has a chart of them.
    text: (influence) =>
      widest === undefined
        ? Number.isFinite(swing(influence))
          ? figureText(metric, swing(influence))
          : ""
        : bar(influence, widest),
    value: (influence) => swing(influence)
  },
  {
    title: "alone",
    key: "first_order",
    text: ({ indices }) => (indices === undefined ? "–" : share(indices.first)),
    value: ({ indices }) => indices?.first.value
  },
  {
    title: "in all",
    key: "total_order",
    text: ({ indices }) => (indices === undefined ? "–" : share(indices.total)),
    value: ({ indices }) => indices?.total.value
  }
]

export const sensitivityCommand = Command.make(
  "sensitivity",
  {
    file: sweepArgument,
    metric: metricFlag,
    method: Flag.String("method").pipe(
      Flag.withAlias("m"),
      Flag.withDescription("Method; the last the sweep simulates by default"),
      Flag.optional
    ),
    format: formatFlag,
    report: reportFlag,
    workers: workersFlag
  },
  Effect.fnUntraced(function* ({ file: given, metric, method, format, report, workers }) {
    const note = yield* reporting(report, given)
    const { file } = note
    const figure = yield* figureOf(metric)
    const sweep = yield* readSweep(file, note.files.read)
    const { sample, seeds } = sweep.design
    if (sample === undefined || sample.axes.length > MAX_INPUTS)
      return yield* new Usage({
        problem: `${file}: expected a sample: of at most ${MAX_INPUTS} axes, the inputs that are not known for sure`
      })
    const place = yield* methodPlace(sweep, Option.getOrUndefined(method), "last")
    const n = sample.places.length
    const { layer, caveats, clear } = simulating(
      figure,
      workers,
      "sensitivity",
      sensitivityCost(sample.axes.length, n, seeds.length)
    )
    const result = yield* sensitivity(sweep, sample.axes, n, place).pipe(
      Effect.provide(layer),
      Effect.ensuring(clear)
    )
    const { influences, base, range, points, missing } = result
    const widest = Math.max(0, ...influences.map(swing).filter(Number.isFinite))
    const name = sweep.methodNames[place]!
    const most = influences[0]!
    yield* print(
      format,
      columns(figure.name, widest),
      influences,
      {
        caveats,
        before: [
          `${figure.name} of ${name} depends most on ${most.axis.column}: ${shown(figure.name, base)} as the scenario has it${range === undefined ? "" : `; ${figureText(figure.name, range.min)} to ${figureText(figure.name, range.max)} over all inputs, ${figureText(figure.name, range.mean)} on average`}.`
        ],
        after: [
          `from, to: one input at its ends, the others as the scenario has them.`,
          missing > 0
            ? `${missing} of ${points} points of the sample have no figure (they do not fit): no shares of the variance.`
            : `alone, in all: share of the variance over the whole space that the input accounts for by itself, and with all it takes part in (Sobol indices, ${points} points, 95 % by resampling).`,
          "All modelled."
        ]
      },
      { method: name, metric: figure.name, base: isFigure(base) ? base : undefined, range, points, missing },
      note,
      {
        kind: "sensitivity",
        title: `${sweep.name}: what ${figure.name} of ${name} depends on`,
        scenario: yield* scenarioOf(sweep, note.files.read),
        flags: [`--metric=${metric}`, `--method=${name}`],
        columns: columns(figure.name),
        figures: [
          {
            kind: "figure",
            title: "Swing of one input at a time",
            caption:
              "From one end of an input's range to the other, the others as the scenario has them. Modelled.",
            svg: barChart(
              "Swing of one input at a time",
              influences.map((one) => ({
                name: one.axis.column,
                value: Number.isFinite(swing(one)) ? swing(one) : undefined,
                text: Number.isFinite(swing(one))
                  ? figureText(figure.name, swing(one))
                  : "does not fit at an end",
                basis: "modelled"
              }))
            )
          }
        ]
      }
    )
  })
).pipe(
  Command.withDescription("What a result depends on most: tornado and Sobol indices over a sweep's sample"),
  Command.withExamples([
    {
      command: "vericache analyze sensitivity scenarios/sweeps/what-we-do-not-know.yaml",
      description: "Which unknown matters to throughput"
    }
  ])
)
