import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { figureNamed } from "../../planning/analysis/figure.ts"
import {
  type Comparison,
  compareRuns,
  type Delta,
  failures,
  figuresOf,
  type Figures,
  type Runs,
  runsOf
} from "../../planning/compare/compare.ts"
import { tableFormat } from "../../planning/files/formats.ts"
import { evaluate } from "../../planning/points.ts"
import type { ReadFile } from "../../scenario/files.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readScenario } from "../files.ts"
import { type Column, FORMATS, renderGrid } from "../output/grid.ts"
import { changeText, figureText } from "../output/figure.ts"
import { pointWorkers } from "../points/pool.ts"
import { comparisonDocument, type Side, sideWords } from "../report/compare.ts"
import { checkReport, fileArgument, filesRead, fromHere, writeReport } from "../report/recording.ts"
import { tableOf } from "../report/scenario.ts"
import { readTable } from "../sweep/output.ts"
import { failOnFlag, readThresholds } from "../thresholds.ts"

/** What the table shows unless figures are named; programs get all. */
const SHOWN: ReadonlySet<string> = new Set([
  "tokens_per_s",
  "tokens_per_s_per_user",
  "ttft_mean_s",
  "ttft_p95_s",
  "ttft_p99_s",
  "tpot_mean_s",
  "tpot_p95_s",
  "tpot_p99_s",
  "e2el_mean_s",
  "e2el_p99_s",
  "accepted_mean",
  "reload_bytes",
  "preemptions"
])

/** One side, simulated or read. */
interface Read extends Side {
  readonly runs: Runs
  /** Of rows: which sweep they are of. */
  readonly sweep?: string
}

/** Every method of a scenario with every seed. */
const simulated = Effect.fnUntraced(function* (
  file: string,
  seeds: number,
  only: readonly string[],
  read: ReadFile
) {
  const scenario = yield* readScenario(file, read)
  const names = scenario.methods.map(({ name }) => name)
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined)
    return yield* new Usage({
      problem: `no method of ${file} is called ${unknown}; it has ${names.join(", ")}`
    })
  const points = names
    .filter((name) => only.length === 0 || only.includes(name))
    .flatMap((method) =>
      Array.from({ length: seeds }, (_, i) => ({ overrides: [], method, seed: scenario.seed + i }))
    )
  const outcomes = yield* evaluate({ file }, points)
  const runs = new Map<string, Map<number, Figures>>()
  const caveats = new Set<string>()
  for (const [i, outcome] of outcomes.entries()) {
    const { method, seed } = points[i]!
    if (outcome.kind !== "simulated") {
      if (seed === scenario.seed) yield* Console.error(`${file}, ${method}: ${outcome.reason}`)
      continue
    }
    const own = runs.get(method) ?? new Map<number, Figures>()
    own.set(seed, figuresOf(outcome.metrics))
    runs.set(method, own)
    for (const caveat of outcome.caveats) caveats.add(caveat)
  }
  const side: Read = { file, scenario, runs, caveats: [...caveats] }
  return side
})

const isTable = (file: string): boolean => tableFormat(file) !== undefined

/** The rows of a sweep; `read` takes note of the file. */
const rows = (file: string, only: readonly string[], read: ReadFile) =>
  Effect.map(readTable(file), (table): Read => {
    read(file)
    const at = (name: string): number => table.columns.findIndex((column) => column.name === name)
    const [sweep, caveats] = [at("sweep"), at("caveats")]
    const said = table.rows.flatMap((row) => (typeof row[caveats] === "string" ? [row[caveats]] : []))
    return {
      file,
      runs: narrowed(runsOf(table), only),
      caveats: [...new Set(said)],
      sweep: String(table.rows[0]?.[sweep] ?? file)
    }
  })

const readSide = (file: string, seeds: number, only: readonly string[], read: ReadFile) =>
  isTable(file) ? rows(file, only, read) : simulated(file, seeds, only, read)

const narrowed = (runs: Runs, only: readonly string[]): Runs =>
  new Map(
    [...runs].filter(
      ([run]) => only.length === 0 || only.some((name) => run === name || run.startsWith(`${name}, `))
    )
  )

const columnsOf = (a: Side, b: Side): readonly Column<Delta>[] => [
  { title: "method", key: "run", left: true, text: ({ run }) => run, value: ({ run }) => run },
  { title: "figure", key: "figure", left: true, text: ({ figure }) => figure, value: ({ figure }) => figure },
  { title: "A", key: "a", text: ({ figure, a }) => figureText(figure, a), value: ({ a }) => a },
  { title: "B", key: "b", text: ({ figure, b }) => figureText(figure, b), value: ({ b }) => b },
  {
    title: "change",
    key: "change",
    text: ({ change, difference }) =>
      change === undefined ? (difference.mean === 0 ? "0 %" : "") : changeText(change),
    value: ({ change }) => change?.mean
  },
  {
    title: "",
    key: "significant",
    left: true,
    text: (delta) => verdict(delta),
    value: ({ significant }) => significant
  },
  { title: "", key: "difference", text: () => "", value: ({ difference }) => difference.mean, detail: true },
  {
    title: "",
    key: "difference_half_width",
    text: () => "",
    value: ({ difference }) => difference.half,
    detail: true
  },
  { title: "", key: "change_half_width", text: () => "", value: ({ change }) => change?.half, detail: true },
  { title: "", key: "pairs", text: () => "", value: ({ difference }) => difference.count, detail: true },
  { title: "", key: "basis", text: () => "", value: () => "modelled", detail: true },
  {
    title: "",
    key: "a_caveats",
    text: () => "",
    value: () => a.caveats.join("; ") || undefined,
    detail: true
  },
  {
    title: "",
    key: "b_caveats",
    text: () => "",
    value: () => b.caveats.join("; ") || undefined,
    detail: true
  }
]

/** Nobody acts upon a smaller change. */
const NEGLIGIBLE = 0.001

const verdict = ({ figure, difference, change, significant }: Delta): string => {
  if (difference.mean === 0 && (difference.half ?? 0) === 0) return "same"
  if (change !== undefined && Math.abs(change.mean) + (change.half ?? 0) < NEGLIGIBLE) return "negligible"
  if (significant === false) return "within chance"
  const known = figureNamed(figure)
  const better = "better" in known ? known.better : undefined
  if (better === undefined) return significant === undefined ? "" : "differs"
  return difference.mean > 0 === (better === "more") ? "better" : "worse"
}

/** What became of throughput, method by method. */
const reportVerdict = ({ deltas }: Comparison): string => {
  const throughput = deltas.filter(({ figure }) => figure === "tokens_per_s")
  return throughput
    .map((delta) => {
      const change = delta.change === undefined ? "" : ` ${changeText(delta.change)}`
      return `${delta.run}: throughput${change}, ${verdict(delta)}.`
    })
    .join(" ")
}

/** The least seed there is. */
const seedOf = (runs: Runs): number => Math.min(...[...runs.values()].flatMap((own) => [...own.keys()]))

/** Which deltas are shown. */
const selected = (
  { deltas }: Comparison,
  metrics: readonly string[],
  everything: boolean
): readonly Delta[] => {
  if (metrics.length > 0) return deltas.filter(({ figure }) => metrics.includes(figure))
  if (everything) return deltas
  return deltas.filter(({ figure, a, b }) => SHOWN.has(figure) && (a !== 0 || b !== 0))
}

const metricNames = (texts: readonly string[]): Effect.Effect<readonly string[], Usage> => {
  const found = texts.map((text) => ({ text, figure: figureNamed(text) }))
  const problems = found.flatMap(({ text, figure }) =>
    "suggestion" in figure ? [`--metric ${text}: no figure is called so; ${figure.suggestion ?? ""}`] : []
  )
  return problems.length > 0
    ? Effect.fail(new Usage({ problem: problems.join("\n") }))
    : Effect.succeed(found.flatMap(({ figure }) => ("name" in figure ? [figure.name] : [])))
}

export const compareCommand = Command.make(
  "compare",
  {
    a: Argument.String("a").pipe(
      Argument.withDescription("Scenario file, or results of a sweep: .parquet, .csv, .jsonl")
    ),
    b: Argument.String("b").pipe(Argument.withDescription("What is compared with it")),
    seeds: Flag.Int("seeds").pipe(
      Flag.withDescription("Simulate each so many times, both with the same seeds"),
      Flag.withDefault(5)
    ),
    method: Flag.String("method").pipe(
      Flag.withAlias("m"),
      Flag.withDescription("Only this method; may be given again"),
      Flag.atLeast(0)
    ),
    metric: Flag.String("metric").pipe(
      Flag.withDescription("Only this figure, as ttft_p99 or throughput; may be given again"),
      Flag.atLeast(0)
    ),
    all: Flag.Boolean("all").pipe(Flag.withDescription("Every figure in the table"), Flag.withDefault(false)),
    failOn: failOnFlag("throughput < -2%"),
    report: Flag.String("report").pipe(
      Flag.withDescription("Write a report: .html, one page with everything, or .md; rerun makes it again"),
      Flag.optional
    ),
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format on stdout; all but table and md have every figure"),
      Flag.withDefault("table")
    ),
    workers: Flag.Int("workers").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Threads; as many as there are cores by default"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (given) {
    const { seeds, method, metric, all, failOn, report, format, workers } = given
    if (Option.isSome(report)) yield* checkReport(report.value)
    const [fileA, fileB] = Option.isSome(report) ? [fromHere(given.a), fromHere(given.b)] : [given.a, given.b]
    const files = filesRead()
    if (seeds < 1) return yield* new Usage({ problem: "--seeds: expected at least 1" })
    const thresholds = yield* readThresholds(failOn, true)
    const metrics = yield* metricNames(metric)
    const [a, b] = yield* Effect.all([
      readSide(fileA, seeds, method, files.read),
      readSide(fileB, seeds, method, files.read)
    ]).pipe(Effect.provide(pointWorkers(Option.getOrUndefined(workers))))
    const comparison = compareRuns(a.runs, b.runs)
    for (const text of comparison.unpaired) yield* Console.error(text)
    if (comparison.deltas.length === 0)
      return yield* new Usage({
        problem: `${fileA} and ${fileB} have no run in common, by name of the method`
      })
    const forPeople = format === "table" || format === "md"
    const shown = selected(comparison, metrics, all || !forPeople)
    const columns = columnsOf(a, b)
    if (format === "json")
      yield* Console.log(
        JSON.stringify(
          {
            a: fileA,
            b: fileB,
            basis: "modelled",
            caveats: { a: a.caveats, b: b.caveats },
            confidence: 0.95,
            deltas: shown
          },
          undefined,
          2
        )
      )
    else yield* Console.log(renderGrid(format, columns, shown))
    if (forPeople)
      yield* Console.log(
        `\nA: ${sideWords(a)}\nB: ${sideWords(b)}\nchange: B against A, mean of ${comparison.deltas[0]!.difference.count} runs paired by seed, ± 95 % confidence. All modelled.`
      )
    if (Option.isSome(report)) {
      const one = [a, b].find(({ scenario }) => scenario !== undefined)
      yield* writeReport(
        report.value,
        {
          command: "compare",
          arguments: [
            fileArgument(fileA),
            fileArgument(fileB),
            `--seeds=${seeds}`,
            ...method.map((name) => `--method=${name}`),
            ...metric.map((name) => `--metric=${name}`)
          ],
          scenario: one?.scenario ?? { sweep: [a.sweep, b.sweep].join(" and "), seed: seedOf(a.runs) },
          files,
          results: [JSON.stringify(comparison.deltas)]
        },
        comparisonDocument(
          a,
          b,
          comparison,
          reportVerdict(comparison),
          tableOf("Figures", columns, selected(comparison, metrics, true))
        )
      )
    }
    const failed = failures(comparison, thresholds)
    if (failed.length > 0)
      return yield* new ObjectiveMissed({
        missed: failed.map(
          ({ threshold, delta, value }) =>
            `fail-on ${threshold.text}: ${delta.run}, ${delta.figure} ${threshold.isChange ? changeText({ mean: value, half: delta.change?.half, count: 0 }) : figureText(delta.figure, value)}`
        )
      })
  })
).pipe(
  Command.withDescription(
    "Compare two scenarios, or two sweeps' results, seed by seed, with confidence intervals"
  ),
  Command.withExamples([
    {
      command: "vericache compare before.yaml after.yaml --fail-on 'throughput < -2%'",
      description: "In continuous integration: exit code 3 if a change costs throughput"
    }
  ])
)
