import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Figures, isFigure } from "../../planning/analysis/evaluate.ts"
import { figureNamed } from "../../planning/analysis/figure.ts"
import { optimumWindows, type WindowCell } from "../../planning/analysis/optimum-window.ts"
import { Usage } from "../exit.ts"
import { readCatalog } from "../files.ts"
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
import { settingText, windowFigure } from "./figures.ts"

interface Row {
  readonly simulated: WindowCell
  readonly theory: WindowCell
}

export const windowCommand = Command.make(
  "window",
  {
    file: sweepArgument,
    metric: metricFlag,
    method: Flag.String("method").pipe(
      Flag.withAlias("m"),
      Flag.withDescription("Method that drafts; the last the sweep simulates by default"),
      Flag.optional
    ),
    most: Flag.Int("most").pipe(
      Flag.withDescription("Longest window to try; the scheduler's horizon bounds it too"),
      Flag.withDefault(96)
    ),
    format: formatFlag,
    report: reportFlag,
    workers: workersFlag
  },
  Effect.fnUntraced(function* ({ file: given, metric, method, most, format, report, workers }) {
    const note = yield* reporting(report, given)
    const { file } = note
    const { read } = note.files
    const figure = yield* figureOf(metric)
    const sweep = yield* readSweep(file, read)
    const axes = yield* gridAxes(sweep, 1, 2)
    const place = yield* methodPlace(sweep, Option.getOrUndefined(method), "last")
    const name = sweep.methodNames[place]!
    const catalog = yield* readCatalog
    const scenario = yield* scenarioOf(sweep, read)
    const kind = scenario.methods[place]!.method.kind
    if (kind !== "vericache" && kind !== "sparse")
      return yield* new Usage({ problem: `${name} has no draft window; say --method` })
    const longest = Math.min(most, scenario.engine.horizon - 1)
    const more = figure.better !== "less"
    const { layer, caveats, clear } = simulating(figure, workers, "optimum window")
    const simulated = yield* optimumWindows(sweep, axes, { method: place, kind }, longest, more).pipe(
      Effect.provide(layer),
      Effect.ensuring(clear)
    )
    const theory = yield* optimumWindows(sweep, axes, { method: place, kind }, longest, true).pipe(
      Effect.provide(Figures.theory(read, catalog))
    )
    // The longest tried may not be the best there is.
    const tokens = (best: WindowCell["best"]): string =>
      best === undefined ? "–" : `${best.at === longest ? "≥ " : ""}${best.at}`
    const bests = simulated.flatMap(({ best }) => (best === undefined ? [] : [best.at]))
    const range =
      bests.length === 0
        ? ": none can serve"
        : `: ${[...new Set([Math.min(...bests), Math.max(...bests)])].join(" to ")} tokens`
    const rows = simulated.map((one, i): Row => ({ simulated: one, theory: theory[i]! }))
    const throughput = figureNamed("throughput")
    const comparable = "name" in throughput && throughput.name === figure.name
    const columns: readonly Column<Row>[] = [
      ...axes.map((axis, i): Column<Row> => ({
        title: axis.column,
        key: axis.column,
        text: ({ simulated: { settings } }) => settingText(axis, settings[i]!),
        value: ({ simulated: { settings } }) => settings[i]!.shown
      })),
      {
        title: "best window",
        key: "window",
        text: ({ simulated: { best } }) => tokens(best),
        value: (row) => row.simulated.best?.at
      },
      {
        title: figure.name,
        key: figure.name,
        text: ({ simulated: { best } }) => (best === undefined ? "–" : figureText(figure.name, best.value)),
        value: (row) => row.simulated.best?.value
      },
      {
        title: "of theory",
        key: "window_theory",
        text: ({ theory: { best } }) => tokens(best),
        value: (row) => row.theory.best?.at
      },
      ...(comparable
        ? [
            {
              title: "its window, simulated",
              key: "loss_of_theory",
              text: ({ simulated: { best, optimal } }: Row) =>
                best === undefined || !isFigure(optimal) ? "–" : `${times(optimal / best.value)} of the best`,
              value: ({ simulated: { best, optimal } }: Row) =>
                best === undefined || !isFigure(optimal) ? undefined : optimal / best.value
            }
          ]
        : [])
    ]
    yield* print(
      format,
      columns,
      rows,
      {
        caveats,
        before: [`Draft windows of ${name} that serve best, in ${figure.name}${range}.`],
        after: [
          "best window: fixed, simulated; of theory: the optimum of (11) of arXiv:2605.17613, in whole tokens. All modelled."
        ]
      },
      { method: name, metric: figure.name, most: longest },
      note,
      {
        kind: "window",
        title: `${sweep.name}: draft windows of ${name}`,
        scenario,
        flags: [`--metric=${metric}`, `--method=${name}`, `--most=${most}`],
        figures: windowFigure(axes, simulated)
      }
    )
  })
).pipe(
  Command.withDescription("The draft window that serves best, over one or two fields of a sweep"),
  Command.withExamples([
    {
      command: "vericache analyze window scenarios/sweeps/link-and-context.yaml",
      description: "The best window by link and context, simulated beside theory"
    }
  ])
)
