import { Effect, Exit, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type SteadyMean, steadyMean } from "../../planning/analysis/batch-means.ts"
import { type Figure, FIGURES } from "../../planning/analysis/figure.ts"
import { RequestSeries } from "../../planning/analysis/request-series.ts"
import { type Interval, meanInterval } from "../../planning/analysis/student.ts"
import { evaluate } from "../../planning/points.ts"
import { simulate } from "../../sim/simulate.ts"
import { isBeyond } from "../../planning/compare/threshold.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readScenario } from "../files.ts"
import { figureText, intervalText } from "../output/figure.ts"
import type { Column } from "../output/grid.ts"
import { seconds } from "../output/number.ts"
import { pointWorkers } from "../points/pool.ts"
import { failOnFlag, readThresholds } from "../thresholds.ts"
import { figureOf, formatFlag, print, reportFlag, reporting, workersFlag } from "./common.ts"

/** Shown unless figures are named. */
const SHOWN: ReadonlySet<string> = new Set([
  "tokens_per_s",
  "ttft_mean_s",
  "ttft_p99_s",
  "tpot_mean_s",
  "tpot_p99_s",
  "e2el_mean_s"
])

interface Row {
  readonly method: string
  readonly figure: string
  readonly interval: Interval
}

const columns: readonly Column<Row>[] = [
  { title: "method", key: "method", left: true, text: ({ method }) => method, value: ({ method }) => method },
  { title: "figure", key: "figure", left: true, text: ({ figure }) => figure, value: ({ figure }) => figure },
  {
    title: "mean, 95 %",
    key: "mean",
    text: ({ figure, interval }) => intervalText(figure, interval),
    value: ({ interval }) => interval.mean
  },
  {
    title: "",
    key: "half_width",
    text: () => "",
    value: ({ interval }) => interval.half,
    detail: true
  },
  {
    title: "runs",
    key: "runs",
    text: ({ interval }) => `${interval.count}`,
    value: ({ interval }) => interval.count
  }
]

const steadyWords = (method: string, mean: SteadyMean | undefined): string =>
  mean === undefined
    ? `${method}: too few requests finished for a steady state`
    : `${method}: end-to-end latency in the steady state of one run ${seconds(mean.mean)}${mean.half === undefined ? "" : ` ± ${seconds(mean.half)}`}; the first ${mean.warmUp.drop} requests are warm-up${mean.trusted ? "" : "; not to be trusted: the run is too short or has not settled"}`

export const replicateCommand = Command.make(
  "replicate",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Scenario file")),
    seeds: Flag.Int("seeds").pipe(
      Flag.withDescription("Independent runs, from the scenario's seed on"),
      Flag.withDefault(10)
    ),
    metric: Flag.String("metric").pipe(
      Flag.withDescription("Only this figure; may be given again"),
      Flag.atLeast(0)
    ),
    failOn: failOnFlag("ttft_p99 > 2 s"),
    format: formatFlag,
    report: reportFlag,
    workers: workersFlag
  },
  Effect.fnUntraced(function* ({ file: given, seeds, metric, failOn, format, report, workers }) {
    const thresholds = yield* readThresholds(failOn, false)
    const note = yield* reporting(report, given)
    const { file } = note
    if (seeds < 2) return yield* new Usage({ problem: "--seeds: at least 2 runs make an interval" })
    const figures: readonly Figure[] =
      metric.length === 0
        ? FIGURES.filter(({ name }) => SHOWN.has(name))
        : yield* Effect.forEach(metric, figureOf)
    const scenario = yield* readScenario(file, note.files.read)
    const points = scenario.methods.flatMap(({ name }) =>
      Array.from({ length: seeds }, (_, i) => ({ overrides: [], method: name, seed: scenario.seed + i }))
    )
    const outcomes = yield* evaluate({ file }, points).pipe(
      Effect.provide(pointWorkers(Option.getOrUndefined(workers)))
    )
    const rows: Row[] = []
    const caveats = new Set(outcomes.flatMap((one) => (one.kind === "simulated" ? one.caveats : [])))
    const notes: string[] = []
    const beyond: string[] = []
    for (const [m, named] of scenario.methods.entries()) {
      const own = outcomes.slice(m * seeds, (m + 1) * seeds)
      const metrics = own.flatMap((one) => (one.kind === "simulated" ? [one.metrics] : []))
      if (metrics.length < own.length) {
        const failed = own.find((one) => one.kind !== "simulated")!
        notes.push(`${named.name}: ${failed.reason}`)
        continue
      }
      for (const { name, of } of figures)
        rows.push({ method: named.name, figure: name, interval: meanInterval(metrics.map(of)) })
      for (const threshold of thresholds) {
        const { text, figure } = threshold
        const { mean } = meanInterval(metrics.map(figure.of))
        if (isBeyond(threshold, mean))
          beyond.push(`fail-on ${text}: ${named.name}, ${figureText(figure.name, mean)} in the mean`)
      }
      const series = new RequestSeries()
      const exit = simulate(scenario, named, { recorder: series })
      if (Exit.isSuccess(exit)) notes.push(steadyWords(named.name, steadyMean(series.residences)))
    }
    if (rows.length === 0) return yield* new Usage({ problem: notes.join("\n") })
    yield* print(
      format,
      columns,
      rows,
      {
        caveats,
        after: [
          ...notes,
          `Means of ${seeds} independent runs ± 95 % confidence (Student's t). Steady state: warm-up cut where the standard error of the rest is least (MSER-5), then 20 batch means. All modelled.`
        ]
      },
      { scenario: scenario.name, seeds, notes },
      note,
      {
        kind: "replicate",
        title: `${scenario.name}: how much is chance`,
        scenario,
        flags: [`--seeds=${seeds}`, ...metric.map((one) => `--metric=${one}`)]
      }
    )
    if (beyond.length > 0) return yield* new ObjectiveMissed({ missed: beyond })
  })
).pipe(
  Command.withDescription(
    "Run a scenario with many seeds: means with confidence intervals, and the steady state"
  ),
  Command.withExamples([
    {
      command: "vericache analyze replicate scenarios/llama-8b-h100-chat.yaml --seeds 20",
      description: "How much of a figure is chance"
    }
  ])
)
