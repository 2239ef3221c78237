import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { loadPlan } from "../../planning/plan/load-plan.ts"
import { makePlan } from "../../planning/plan/make-plan.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readCatalog } from "../files.ts"
import { planColumns, planJson, renderPlan } from "../output/plan.ts"
import { FORMATS, renderGrid } from "../output/grid.ts"
import { pointWorkers } from "../points/pool.ts"
import { planDocument } from "../report/plan.ts"
import { checkReport, fileArgument, filesRead, fromHere, type Ran, writeReport } from "../report/recording.ts"

/** A line that says how far the search is; nothing where nobody watches. */
class SearchProgress {
  readonly #stream = process.stderr
  #count = 0

  readonly at = (what: string): void => {
    this.#count++
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[K${this.#count} simulations  ${what}`)
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\u001b[K")
  }
}

export const planCommand = Command.make(
  "plan",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Plan file, YAML or JSON")),
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format on stdout; csv and jsonl: the table of what there is to choose from"),
      Flag.withDefault("table")
    ),
    report: Flag.String("report").pipe(
      Flag.withDescription("Write a report: .html, one page with everything, or .md; rerun makes it again"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("The same as --format json"),
      Flag.withDefault(false)
    ),
    workers: Flag.Int("workers").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Threads; as many as there are cores by default"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file: given, format, json, workers, report }) {
    if (Option.isSome(report)) yield* checkReport(report.value)
    const file = Option.isSome(report) ? fromHere(given) : given
    const files = filesRead()
    const most = Option.getOrUndefined(workers)
    if (most !== undefined && most < 1) return yield* new Usage({ problem: "--workers: expected at least 1" })
    const plan = yield* Effect.fromResult(loadPlan(file, files.read, yield* readCatalog))
    const progress = new SearchProgress()
    const made = yield* makePlan(plan, progress.at).pipe(
      Effect.ensuring(Effect.sync(() => progress.clear())),
      Effect.provide(pointWorkers(most))
    )
    const screen = process.stdout.isTTY ? process.stdout.columns : undefined
    const as = json ? "json" : format
    yield* Console.log(
      as === "json"
        ? JSON.stringify(planJson(made), undefined, 2)
        : as === "table" || as === "md"
          ? renderPlan(as, made, screen)
          : renderGrid(as, planColumns(made), made.rows)
    )
    if (Option.isSome(report)) {
      const ran: Ran = {
        command: "plan",
        arguments: [fileArgument(file), `--format=${as}`],
        scenario: plan.scenario,
        files,
        results: [JSON.stringify(planJson(made))]
      }
      const text = new TextDecoder().decode(files.read(file))
      yield* writeReport(report.value, ran, planDocument(made, text))
    }
    if (made.answer === undefined)
      return yield* new ObjectiveMissed({
        missed: ["no candidate meets the objectives; what binds is said above"]
      })
  })
).pipe(
  Command.withDescription(
    "Find the fewest GPUs, or the lowest cost, that meet objectives, and how to run them"
  ),
  Command.withExamples([
    {
      command: "vericache plan scenarios/plans/llama-70b-long-context.yaml",
      description: "What to get for the demo's long documents"
    }
  ])
)
