/** What all analyses of the command line share: their flags, reading of sweeps, figures simulated with progress, output. */
import { Console, Effect, Layer, Option, Result, Stream } from "effect"
import { Argument, Flag } from "effect/cli"
import { Figures } from "../../planning/analysis/evaluate.ts"
import { type Figure, figureNamed } from "../../planning/analysis/figure.ts"
import { PointRunner, readBase } from "../../planning/points.ts"
import type { ReportBlock } from "../../planning/report/document.ts"
import type { ReadFiles } from "../../planning/report/manifest.ts"
import type { GridAxis } from "../../planning/sweep/axis.ts"
import { loadSweep, type Sweep } from "../../planning/sweep/load-sweep.ts"
import type { ReadFile } from "../../scenario/files.ts"
import { resolveFields } from "../../scenario/load.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { Usage } from "../exit.ts"
import { readCatalog } from "../files.ts"
import { type Column, FORMATS, type Format, objects, renderGrid } from "../output/grid.ts"
import { setting } from "../output/screen.ts"
import { pointWorkers } from "../points/pool.ts"
import { Progress } from "../progress.ts"
import { checkReport, fileArgument, filesRead, fromHere, writeReport } from "../report/recording.ts"
import { inputsOf, tableOf } from "../report/scenario.ts"

export const sweepArgument = Argument.String("file").pipe(
  Argument.withDescription("Sweep file: its scenario, fields and seeds are what is analysed")
)
export const metricFlag = Flag.String("metric").pipe(
  Flag.withDescription("Figure, as throughput, ttft_p99 or tpot_mean"),
  Flag.withDefault("throughput")
)
export const formatFlag = Flag.Literals("format", FORMATS).pipe(
  Flag.withAlias("f"),
  Flag.withDescription("Format of the results on stdout"),
  Flag.withDefault("table" as const)
)
export const reportFlag = Flag.String("report").pipe(
  Flag.withDescription("Write a report: .html, one page with everything, or .md; rerun makes it again"),
  Flag.optional
)
export const workersFlag = Flag.Int("workers").pipe(
  Flag.withAlias("w"),
  Flag.withDescription("Threads; as many as there are cores by default"),
  Flag.optional
)

export const readSweep = (path: string, read: ReadFile) =>
  Effect.flatMap(readCatalog, (catalog) => Effect.fromResult(loadSweep(path, read, catalog)))

/** The scenario that a sweep varies. */
export const scenarioOf = (sweep: Sweep, read: ReadFile) =>
  Effect.flatMap(readCatalog, (catalog) =>
    Effect.fromResult(
      Result.flatMap(readBase(sweep.base, read), (fields) => resolveFields(fields, read, catalog))
    )
  )

/** What an analysis needs for its report: where it goes, what it was asked, what it read. */
export interface Reporting {
  readonly page: Option.Option<string>
  readonly files: ReadFiles
  /** As named from the working directory, where there is a report. */
  readonly file: string
}

/** Begins to take note of what is read; an error if the report could not be written later. */
export const reporting = (page: Option.Option<string>, file: string): Effect.Effect<Reporting, Usage> =>
  (Option.isSome(page) ? checkReport(page.value) : Effect.void).pipe(
    Effect.map(() => ({
      page,
      files: filesRead(),
      file: Option.isSome(page) ? fromHere(file) : file
    }))
  )

/** What a report says besides its rows. */
export interface Subject<Row> {
  readonly kind: string
  readonly title: string
  readonly scenario: Scenario
  /** Flags with their values, as `--metric=throughput`. */
  readonly flags: readonly string[]
  /** Where a page shows them otherwise than a screen. */
  readonly columns?: readonly Column<Row>[]
  readonly figures?: readonly ReportBlock[]
}

export const figureOf = (name: string): Effect.Effect<Figure, Usage> => {
  const figure = figureNamed(name)
  return "of" in figure
    ? Effect.succeed(figure)
    : Effect.fail(
        new Usage({ problem: `--metric ${name}: no figure is called so; ${figure.suggestion ?? ""}` })
      )
}

/** Place of a method of the sweep's scenario; of the first one it simulates, or the last, if none is named. */
export const methodPlace = (
  { methodNames, design }: Sweep,
  name: string | undefined,
  otherwise: "first" | "last"
): Effect.Effect<number, Usage> => {
  if (name === undefined) return Effect.succeed(design.methods.at(otherwise === "first" ? 0 : -1)!)
  const place = methodNames.indexOf(name)
  return place >= 0
    ? Effect.succeed(place)
    : Effect.fail(
        new Usage({ problem: `no method is called ${name}; the scenario has ${methodNames.join(", ")}` })
      )
}

/** Axes of the sweep's grid that go by themselves; an analysis says how many it can take. */
export const gridAxes = (
  sweep: Sweep,
  least: number,
  most: number
): Effect.Effect<readonly GridAxis[], Usage> => {
  const axes = sweep.design.grid.flatMap((group) => (group.length === 1 ? [group[0]!] : []))
  return axes.length === sweep.design.grid.length && axes.length >= least && axes.length <= most
    ? Effect.succeed(axes)
    : Effect.fail(
        new Usage({
          problem: `${sweep.name}: expected ${least === most ? least : `${least} to ${most}`} axes, none of them zip; found ${sweep.design.grid.map((group) => group.map(({ column }) => column).join(" with ")).join(", ") || "none"}`
        })
      )
}

/** Figures simulated on all cores, progress on stderr. `total`: points, if it is known beforehand. */
export const simulating = (figure: Figure, workers: Option.Option<number>, label: string, total?: number) => {
  const progress = new Progress(process.stderr)
  const caveats = new Set<string>()
  const counting = Layer.effect(
    PointRunner,
    Effect.map(PointRunner, (runner) => {
      let done = 0
      if (total !== undefined) progress.begin(label, total)
      return PointRunner.of({
        run: (base, points, options) =>
          runner.run(base, points, options).pipe(
            Stream.tap(({ outcome }) =>
              Effect.sync(() => {
                if (outcome.kind === "simulated") for (const one of outcome.caveats) caveats.add(one)
                if (total !== undefined) progress.at(++done)
              })
            )
          )
      })
    })
  ).pipe(Layer.provide(pointWorkers(Option.getOrUndefined(workers))))
  return {
    layer: Figures.simulated(figure).pipe(Layer.provide(counting)),
    /** What makes the figures weaker evidence than others, of all points so far. */
    caveats,
    clear: Effect.sync(() => progress.clear())
  }
}

/** Writes the report of an analysis: words, rows, figures, and what it rests on. */
const report = <Row>(
  page: string,
  { files, file }: Reporting,
  { kind, title, scenario, flags, columns: onPage, figures = [] }: Subject<Row>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  before: readonly string[],
  after: readonly string[]
) => {
  const [verdict = after[0] ?? "", ...rest] = before
  return writeReport(
    page,
    {
      command: "analyze",
      arguments: [kind, fileArgument(file), ...flags],
      scenario,
      files,
      results: [JSON.stringify(objects(columns, rows))]
    },
    {
      title,
      setting: setting(scenario),
      verdict,
      sections: [
        {
          heading: "Results",
          blocks: [
            ...(rest.length === 0 ? [] : [{ kind: "list", items: rest } as const]),
            tableOf("Results", onPage ?? columns, rows),
            ...figures,
            { kind: "list", items: after }
          ]
        },
        { heading: "What it rests on", blocks: inputsOf(scenario) }
      ]
    }
  )
}

/** What people read beside the rows, and what makes the figures weaker evidence than others. */
export interface Words {
  readonly before?: readonly string[]
  readonly after?: readonly string[]
  /** Of all figures together: a row is made of many simulations. */
  readonly caveats: Iterable<string>
}

/** Rows to stdout, with how they came to be known; words for people before and after. */
export const print = <Row>(
  format: Format,
  shown: readonly Column<Row>[],
  rows: readonly Row[],
  words: Words,
  whole: object,
  note?: Reporting,
  subject?: Subject<Row>
) =>
  Effect.gen(function* () {
    const caveats = [...words.caveats]
    const columns: readonly Column<Row>[] = [
      ...shown,
      { title: "basis", key: "basis", text: () => "", value: () => "modelled", detail: true },
      {
        title: "caveats",
        key: "caveats",
        text: () => "",
        value: () => (caveats.length === 0 ? undefined : caveats.join("; ")),
        detail: true
      }
    ]
    const before = words.before ?? []
    const after = [...(words.after ?? []), ...caveats.map((one) => `Weaker evidence than others: ${one}.`)]
    if (note !== undefined && subject !== undefined && Option.isSome(note.page))
      yield* report(note.page.value, note, subject, columns, rows, before, after)
    if (format === "json") {
      const json = { basis: "modelled", caveats, ...whole, rows: objects(shown, rows) }
      return yield* Console.log(JSON.stringify(json, undefined, 2))
    }
    const forPeople = format === "table" || format === "md"
    const parts = forPeople
      ? [before.join("\n"), renderGrid(format, columns, rows), after.join("\n")]
      : [renderGrid(format, columns, rows)]
    yield* Console.log(parts.filter((part) => part !== "").join("\n\n"))
  })
