import { existsSync, readdirSync, rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { Console, Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { TABLE_FORMATS } from "../../planning/files/formats.ts"
import { type PointOptions, readBase } from "../../planning/points.ts"
import { axesOf, dealt, type Shard, WHOLE } from "../../planning/sweep/design.ts"
import type { JournalHeader } from "../../planning/sweep/journal.ts"
import { loadSweep, type Sweep } from "../../planning/sweep/load-sweep.ts"
import { resolveFields } from "../../scenario/load.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readCatalog } from "../files.ts"
import { pointWorkers } from "../points/pool.ts"
import { checkReport, fileArgument, filesRead, fromHere, type Ran, writeReport } from "../report/recording.ts"
import { sweepDocument } from "../report/sweep.ts"
import { JournalFile } from "../sweep/journal-file.ts"
import { outputFormat, readTable, writeTable } from "../sweep/output.ts"
import { headerOf, MemoryStore, simulateMissing, Tally } from "../sweep/run-sweep.ts"
import { listPoints, showRows } from "../sweep/show.ts"
import { failOnFlag, readThresholds, rowsBeyond } from "../thresholds.ts"

/** Results on stdout. */
const FORMATS = ["table", "csv", "jsonl", "md"] as const

const shardOf = (text: string): Effect.Effect<Shard, Usage> => {
  const match = /^(\d+)\/(\d+)$/.exec(text)
  const [index, count] = [Number(match?.[1]), Number(match?.[2])]
  return match !== null && index >= 1 && index <= count
    ? Effect.succeed({ index, count })
    : Effect.fail(
        new Usage({
          problem: `--shard ${text}: expected i/n, the i-th of n parts, counted from 1: 1/4 to 4/4`
        })
      )
}

/** Nothing came of any point: that is a mistake in the sweep, and scripts should learn of it. */
const checkAny = (tally: Tally): Effect.Effect<void, Usage> =>
  tally.points > 0 && tally.simulated === 0
    ? Effect.fail(new Usage({ problem: "no point could be simulated" }))
    : Effect.void

/** Without a file: all rows at the end, on stdout. */
const toScreen = (sweep: Sweep, header: JournalHeader, format: (typeof FORMATS)[number]) =>
  Effect.gen(function* () {
    const store = new MemoryStore()
    yield* simulateMissing(sweep, header, store)
    const tally = new Tally(header.columns)
    const table = { columns: header.columns, rows: [...tally.counting(store.rows())] }
    const screen = process.stdout.isTTY ? process.stdout.columns : undefined
    yield* Console.log(
      format === "table" || format === "md"
        ? showRows(format, table, axesOf(sweep.design), screen)
        : [...TABLE_FORMATS[`.${format}`]!.encode(table.columns, table.rows)].join("").trimEnd()
    )
    yield* Console.error(tally.words())
    yield* checkAny(tally)
    return table
  })

/** Whether the results are there already; an error if those of another sweep are. */
const isThere = (path: string, header: JournalHeader): Effect.Effect<boolean, Usage> =>
  Effect.gen(function* () {
    if (!existsSync(path)) return false
    const { columns, rows } = yield* readTable(path)
    const cells = (name: string): ReadonlySet<unknown> => {
      const at = columns.findIndex((one) => one.name === name)
      return new Set(rows.map((row) => row[at]))
    }
    const points = cells("point")
    const mine = dealt(header.points, header.shard)
    if (
      cells("sweep").has(header.sweep) &&
      points.size === mine.length &&
      mine.every((point) => points.has(point))
    )
      return true
    return yield* new Usage({
      problem: `${path} is there already and holds other results (another sweep, another version or another shard); --restart replaces it`
    })
  })

/** Drafts of the results that a process left which was killed while it wrote them. */
const dropDrafts = (path: string): void => {
  const folder = dirname(path)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder))
    if (name.startsWith(`${basename(path)}.`) && /\.\d+\.part$/.test(name))
      rmSync(join(folder, name), { force: true })
}

/** Into a file, by way of a journal beside it that outlives interruptions. */
const toFile = (sweep: Sweep, header: JournalHeader, path: string, restart: boolean) =>
  Effect.gen(function* () {
    const format = yield* outputFormat(path)
    dropDrafts(path)
    const journalPath = `${path}.journal`
    if (restart) rmSync(journalPath, { force: true })
    else if (!existsSync(journalPath) && (yield* isThere(path, header))) {
      yield* Console.error(
        `${path} is there already, with all ${dealt(header.points, header.shard).length} points`
      )
      return
    }
    const journal = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new JournalFile(journalPath, header),
        catch: (error) =>
          error instanceof Usage
            ? error
            : new Usage({ problem: `${journalPath} cannot be used: ${String(error)}` })
      }),
      (journal) => Effect.sync(() => journal.close())
    )
    if (journal.mended !== undefined) yield* Console.error(journal.mended)
    if (journal.done.size > 0) yield* Console.error(`${journal.done.size} points are done already`)
    yield* simulateMissing(sweep, header, journal).pipe(
      Effect.onInterrupt(() =>
        Console.error(
          `${journal.done.size} points are kept in ${journalPath}; the same command goes on from there`
        )
      )
    )
    const { size, rows } = journal.rows()
    if (size < journal.done.size)
      return yield* new Usage({
        problem: `${journalPath} has lost rows; is another vericache at work on it? Give the command again`
      })
    const tally = new Tally(header.columns)
    yield* writeTable(path, format, header.columns, tally.counting(rows), sweep.recipe)
    journal.remove()
    yield* Console.error(`${path}: ${tally.words()}`)
    yield* checkAny(tally)
  }).pipe(Effect.scoped)

export const sweepCommand = Command.make(
  "sweep",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Sweep file, YAML or JSON")),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription(
        "Results: .parquet, .csv or .jsonl; what is interrupted goes on when the command is given again"
      ),
      Flag.optional
    ),
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format of the results on stdout, without --output"),
      Flag.withDefault("table")
    ),
    workers: Flag.Int("workers").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Threads; as many as there are cores by default"),
      Flag.optional
    ),
    shard: Flag.String("shard").pipe(
      Flag.withDescription("Only the i-th of n parts, as i/n, counted from 1; merge joins them"),
      Flag.optional
    ),
    theory: Flag.Boolean("theory").pipe(
      Flag.withDescription("Columns of what the closed forms say"),
      Flag.withDefault(false)
    ),
    digest: Flag.Boolean("digest").pipe(
      Flag.withDescription("A column with the fingerprint of each run's trace; takes about a third longer"),
      Flag.withDefault(false)
    ),
    list: Flag.Boolean("list").pipe(
      Flag.withDescription("Check the sweep and list its points; simulate none"),
      Flag.withDefault(false)
    ),
    restart: Flag.Boolean("restart").pipe(
      Flag.withDescription("Drop what was done before and begin anew"),
      Flag.withDefault(false)
    ),
    failOn: failOnFlag("tokens_per_s < 200"),
    report: Flag.String("report").pipe(
      Flag.withDescription("Write a report: .html, one page with everything, or .md; rerun makes it again"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* (given) {
    const { output, format, workers, shard, theory, digest, list, restart, report } = given
    const thresholds = yield* readThresholds(given.failOn, false)
    if (Option.isSome(report)) yield* checkReport(report.value)
    const file = Option.isSome(report) ? fromHere(given.file) : given.file
    const most = Option.getOrUndefined(workers)
    if (most !== undefined && most < 1) return yield* new Usage({ problem: "--workers: expected at least 1" })
    const part = Option.isSome(shard) ? yield* shardOf(shard.value) : WHOLE
    const files = filesRead()
    const catalog = yield* readCatalog
    const sweep = yield* Effect.fromResult(loadSweep(file, files.read, catalog))
    const options: PointOptions = { theory, digest }
    const header = headerOf(sweep, part, options)
    if (list) {
      const points = dealt(header.points, part).toSorted((a, b) => a - b)
      yield* Console.log(listPoints(sweep, points))
      return
    }
    const inWorkers = Effect.provide(pointWorkers(most))
    const table = Option.isSome(output)
      ? yield* Effect.andThen(
          toFile(sweep, header, output.value, restart).pipe(inWorkers),
          Option.isSome(report) || thresholds.length > 0 ? readTable(output.value) : Effect.undefined
        )
      : yield* toScreen(sweep, header, format).pipe(inWorkers)
    const missed = table === undefined ? [] : rowsBeyond(thresholds, table)
    const judged = missed.length === 0 ? Effect.void : Effect.fail(new ObjectiveMissed({ missed }))
    if (Option.isNone(report) || table === undefined) return yield* judged
    const scenario = Result.getOrThrow(
      Result.flatMap(readBase(sweep.base, files.read), (fields) => resolveFields(fields, files.read, catalog))
    )
    const ran: Ran = {
      command: "sweep",
      arguments: [
        fileArgument(file),
        `--format=${format}`,
        ...(Option.isSome(shard) ? [`--shard=${shard.value}`] : []),
        ...(theory ? ["--theory"] : []),
        ...(digest ? ["--digest"] : [])
      ],
      scenario,
      files,
      results: TABLE_FORMATS[".csv"]!.encode(header.columns, table.rows)
    }
    const text = new TextDecoder().decode(files.read(file))
    yield* writeReport(report.value, ran, sweepDocument(sweep, part, scenario, table, text))
    yield* judged
  })
).pipe(
  Command.withDescription(
    "Simulate a scenario over ranges, lists and samples of any of its fields, on all cores"
  ),
  Command.withExamples([
    {
      command: "vericache sweep scenarios/sweeps/link-and-context.yaml -o link.parquet",
      description: "Every point a row; give it again to go on after an interruption"
    },
    {
      command: "vericache sweep scenarios/sweeps/link-and-context.yaml --report link.html",
      description: "Curves, maps and rows as a page to hand on"
    }
  ])
)
