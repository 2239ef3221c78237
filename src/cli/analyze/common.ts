/** What all analyses of the command line share: their flags, reading of sweeps, figures simulated with progress, output. */
import { Console, Effect, Layer, Option, Stream } from "effect"
import { Argument, Flag } from "effect/cli"
import { Figures } from "../../planning/analysis/evaluate.ts"
import { type Figure, figureNamed } from "../../planning/analysis/figure.ts"
import { PointRunner } from "../../planning/points.ts"
import type { GridAxis } from "../../planning/sweep/axis.ts"
import { loadSweep, type Sweep } from "../../planning/sweep/load-sweep.ts"
import { Usage } from "../exit.ts"
import { readCatalog, readFile } from "../files.ts"
import { type Column, FORMATS, type Format, objects, renderGrid } from "../output/grid.ts"
import { pointWorkers } from "../points/pool.ts"
import { Progress } from "../progress.ts"

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
export const workersFlag = Flag.Int("workers").pipe(
  Flag.withAlias("w"),
  Flag.withDescription("Threads; as many as there are cores by default"),
  Flag.optional
)

export const readSweep = (path: string) =>
  Effect.flatMap(readCatalog, (catalog) => Effect.fromResult(loadSweep(path, readFile, catalog)))

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
  const counting = Layer.effect(
    PointRunner,
    Effect.map(PointRunner, (runner) => {
      let done = 0
      if (total !== undefined) progress.begin(label, total)
      return PointRunner.of({
        run: (base, points, options) =>
          runner
            .run(base, points, options)
            .pipe(Stream.tap(() => Effect.sync(() => total !== undefined && progress.at(++done))))
      })
    })
  ).pipe(Layer.provide(pointWorkers(Option.getOrUndefined(workers))))
  return {
    layer: Figures.simulated(figure).pipe(Layer.provide(counting)),
    clear: Effect.sync(() => progress.clear())
  }
}

/** Rows to stdout; words for people before and after. */
export const print = <Row>(
  format: Format,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { before = [], after = [] }: { readonly before?: readonly string[]; readonly after?: readonly string[] },
  whole: object
) =>
  Effect.gen(function* () {
    if (format === "json") {
      const json = { basis: "modelled", ...whole, rows: objects(columns, rows) }
      return yield* Console.log(JSON.stringify(json, undefined, 2))
    }
    const forPeople = format === "table" || format === "md"
    const parts = forPeople
      ? [before.join("\n"), renderGrid(format, columns, rows), after.join("\n")]
      : [renderGrid(format, columns, rows)]
    yield* Console.log(parts.filter((part) => part !== "").join("\n\n"))
  })
