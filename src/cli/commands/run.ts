import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SOFTWARE } from "../../planning/caveats.ts"
import { hidingOf } from "../../trace/hiding.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readScenario, writeWhole } from "../files.ts"
import { FORMATS } from "../output/grid.ts"
import { levelsOf, missedObjectives, type Report } from "../output/report.ts"
import { ONE_QUEUE, reloadWords } from "../output/reloads.ts"
import { renderReport } from "../output/screen.ts"
import { Progress } from "../progress.ts"
import { beyond, failOnFlag, readThresholds } from "../thresholds.ts"
import { traceChunks } from "../trace-file.ts"
import { checkWarmups, embeddedModel, engineFlags } from "./engine-flags.ts"
import { select, tracedMethod } from "./simulate.ts"

const screenWidth = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined)

export const runCommand = Command.make(
  "run",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Scenario file, as simulate takes it")),
    model: engineFlags.model,
    adapter: engineFlags.adapter,
    numWarmups: engineFlags.numWarmups,
    format: Flag.Literals("format", FORMATS).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Format of the results on stdout"),
      Flag.withDefault("table")
    ),
    method: Flag.String("method").pipe(
      Flag.withAlias("m"),
      Flag.withDescription("Only this method; may be given again"),
      Flag.atLeast(0)
    ),
    seed: Flag.Int("seed").pipe(Flag.withDescription("Seed in place of the scenario's"), Flag.optional),
    trace: Flag.String("trace").pipe(
      Flag.withDescription("Write a trace: .pftrace (Perfetto), .json (Chrome) or .jsonl"),
      Flag.optional
    ),
    traceMethod: Flag.String("trace-method").pipe(
      Flag.withDescription("Method the trace shows; the first VeriCache one by default"),
      Flag.optional
    ),
    failOn: failOnFlag("ttft_p99 > 2 s")
  },
  Effect.fnUntraced(function* ({
    file,
    model,
    adapter,
    numWarmups,
    format,
    method,
    seed,
    trace,
    traceMethod,
    failOn
  }) {
    yield* checkWarmups(numWarmups)
    const thresholds = yield* readThresholds(failOn, false)
    const loaded = yield* readScenario(file)
    const scenario = Option.isSome(seed) ? { ...loaded, seed: seed.value } : loaded
    const methods = yield* select(scenario, method)
    const traced = Option.getOrElse(traceMethod, () => tracedMethod(methods))
    if (Option.isSome(traceMethod)) yield* select(scenario, [traced])
    const toFile = Option.isSome(trace) ? yield* traceChunks(trace.value) : undefined
    // Loaded only here: every other command starts without WebGPU.
    const { identicalTo, runScenario } = yield* Effect.promise(() => import("../engine/run.ts"))
    const { describeAdapter } = yield* Effect.promise(() => import("../engine/generate.ts"))
    const { card, promptSource, runs } = yield* runScenario({
      scenario,
      methods,
      model: Option.getOrElse(model, embeddedModel),
      adapter,
      numWarmups,
      note: (text) => process.stderr.write(text),
      progress: new Progress(process.stderr)
    })
    const report: Report = {
      scenario,
      measuredOn: `${describeAdapter(card)}; prompts: ${promptSource}`,
      results: runs.map(({ named, metrics }) => ({
        method: named,
        metrics,
        caveats: card.kind === "software" ? [SOFTWARE] : []
      }))
    }
    yield* Console.log(renderReport(format, report, screenWidth()))
    for (const { named, metrics } of runs) {
      const levels = levelsOf(named, metrics)
      if (levels !== undefined) yield* Console.error(`${named.name}: ${levels}; measured`)
    }
    const reloads = runs.flatMap(({ named, trace: { tracks, slices } }) => {
      const words = reloadWords(hidingOf({ tracks, slices }))
      return words === undefined ? [] : [`${named.name}: ${words}; measured`]
    })
    for (const sentence of reloads) yield* Console.error(sentence)
    if (reloads.length > 0) yield* Console.error(ONE_QUEUE)
    const full = runs.find(({ named }) => named.method.kind === "full-kv")
    const differing: string[] = []
    for (const run of runs) {
      const identical = identicalTo(full, run)
      if (identical === undefined) continue
      yield* Console.error(
        `${run.named.name}: output identical to full KV, request by request: ${identical ? "yes" : "NO"}`
      )
      if (!identical && run.named.method.kind !== "lossy") differing.push(run.named.name)
    }
    if (toFile !== undefined && Option.isSome(trace)) {
      const run = runs.find(({ named }) => named.name === traced)
      if (run === undefined) return yield* new Usage({ problem: `no trace: ${traced} did not run` })
      yield* writeWhole(trace.value, toFile(run.trace))
      yield* Console.error(`trace of ${traced}: ${trace.value} (open it at ui.perfetto.dev)`)
    }
    if (differing.length > 0)
      return yield* Effect.die(
        new Error(`output differs from full-KV decoding; this must never happen: ${differing.join(", ")}`)
      )
    const missed = [...missedObjectives(report), ...beyond(thresholds, report)]
    if (missed.length > 0) return yield* new ObjectiveMissed({ missed })
  })
).pipe(
  Command.withDescription(
    "Run a scenario for real, on WebGPU: the scheduler of simulate over real passes and copies"
  ),
  Command.withExamples([
    {
      command: "vericache run scenarios/twin/embedded.yaml",
      description: "Full KV, compressed KV and VeriCache on the adapter at hand"
    }
  ])
)
