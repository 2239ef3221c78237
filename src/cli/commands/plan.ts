import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { loadPlan } from "../../planning/plan/load-plan.ts"
import { isBeyond, type Threshold } from "../../planning/compare/threshold.ts"
import { type Answer, makePlan } from "../../planning/plan/make-plan.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readCatalog } from "../files.ts"
import { figureText } from "../output/figure.ts"
import { planColumns, planJson, renderPlan } from "../output/plan.ts"
import { FORMATS, renderGrid } from "../output/grid.ts"
import { pointWorkers } from "../points/pool.ts"
import { planDocument } from "../report/plan.ts"
import { failOnFlag, readThresholds } from "../thresholds.ts"
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

/** What holds of `--fail-on`, of the answer's mean over its replications. */
const beyond = (thresholds: readonly Threshold[], { verification }: Answer): readonly string[] =>
  thresholds.flatMap((threshold) => {
    const values = verification.trials.flatMap(({ metrics }) =>
      metrics === undefined ? [] : [threshold.figure.of(metrics)]
    )
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return isBeyond(threshold, mean)
      ? [`fail-on ${threshold.text}: the answer, ${figureText(threshold.figure.name, mean)}`]
      : []
  })

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
    failOn: failOnFlag("ttft_p99 > 2 s"),
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
  Effect.fnUntraced(function* ({ file: given, format, json, workers, report, failOn }) {
    const thresholds = yield* readThresholds(failOn, false)
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
    const missed = beyond(thresholds, made.answer)
    if (missed.length > 0) return yield* new ObjectiveMissed({ missed })
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
