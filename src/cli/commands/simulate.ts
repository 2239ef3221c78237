import { Console, Effect, Exit, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { caveatsOf } from "../../planning/caveats.ts"
import { peaksOf } from "../../sim/peaks.ts"
import { Infeasible } from "../../sim/setup.ts"
import { prepare, type Simulation } from "../../sim/simulate.ts"
import { TraceStore } from "../../trace/store.ts"
import { ObjectiveMissed, Usage } from "../exit.ts"
import { readScenario, writeWhole } from "../files.ts"
import { FORMATS } from "../output/grid.ts"
import { missedObjectives, type MethodResult, type Report } from "../output/report.ts"
import { renderMeasured } from "../output/measured.ts"
import { renderReport } from "../output/screen.ts"
import { readMeasured } from "./import.ts"
import { Progress } from "../progress.ts"
import { checkReport, fileArgument, filesRead, fromHere, type Ran, writeReport } from "../report/recording.ts"
import { simulationDocument } from "../report/simulate.ts"
import { beyond, failOnFlag, readThresholds } from "../thresholds.ts"
import { traceChunks } from "../trace-file.ts"

/** Kernel events between two looks at signals and the progress line. */
const SLICE = 20_000

/** Simulates one method; on Ctrl-C the simulated program is interrupted and cleans up. */
const runMethod = (
  scenario: Scenario,
  method: NamedMethod,
  recorder: TraceStore | undefined,
  progress: Progress
): Effect.Effect<MethodResult> =>
  Effect.callback<MethodResult>((resume) => {
    const total =
      scenario.workload.kind === "trace" ? scenario.workload.requests.length : scenario.workload.requests
    progress.begin(method.name, total)
    const prepared = prepare(scenario, method, {
      onProgress: (ended) => progress.at(ended),
      ...(recorder === undefined ? {} : { recorder })
    })
    if (prepared instanceof Infeasible) {
      resume(Effect.succeed({ method, infeasible: prepared }))
      return undefined
    }
    const abort = new AbortController()
    const { time, program } = prepared
    time
      .simulateAsync(program, {
        events: SLICE,
        signal: abort.signal,
        pause: () => new Promise((done) => setImmediate(done))
      })
      .then((exit: Exit.Exit<Simulation, unknown>) => {
        resume(
          Exit.isSuccess(exit)
            ? Effect.succeed({
                method,
                metrics: exit.value.metrics,
                caveats: caveatsOf(scenario.hardware, exit.value.extrapolated)
              })
            : Effect.failCause(exit.cause).pipe(Effect.orDie)
        )
      })
      .catch((defect: unknown) => resume(Effect.die(defect)))
    return Effect.sync(() => abort.abort())
  })

/** The method a trace shows unless one is named: the first VeriCache one, else the last. */
export const tracedMethod = (methods: readonly NamedMethod[]): string =>
  (methods.find(({ method }) => method.kind === "vericache") ?? methods.at(-1)!).name

export const select = (
  scenario: Scenario,
  names: readonly string[]
): Effect.Effect<readonly NamedMethod[], Usage> => {
  const unknown = names.find((name) => !scenario.methods.some((method) => method.name === name))
  if (unknown !== undefined) {
    return Effect.fail(
      new Usage({
        problem: `no method is called ${unknown}; the scenario has ${scenario.methods.map(({ name }) => name).join(", ")}`
      })
    )
  }
  return Effect.succeed(
    names.length === 0 ? scenario.methods : scenario.methods.filter(({ name }) => names.includes(name))
  )
}

const screenWidth = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined)

export const simulateCommand = Command.make(
  "simulate",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Scenario file, YAML or JSON")),
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
    measured: Flag.String("measured").pipe(
      Flag.withDescription("A measured run to show beside the simulation; any file that import reads"),
      Flag.optional
    ),
    report: Flag.String("report").pipe(
      Flag.withDescription("Write a report: .html, one page with everything, or .md; rerun makes it again"),
      Flag.optional
    ),
    failOn: failOnFlag("ttft_p99 > 2 s"),
    traceLimit: Flag.Int("trace-limit").pipe(
      Flag.withDescription("Most records a trace keeps"),
      Flag.withDefault(2_000_000)
    )
  },
  Effect.fnUntraced(function* (options) {
    const { format, method, seed, trace, traceMethod, traceLimit, report: page } = options
    const thresholds = yield* readThresholds(options.failOn, false)
    if (Option.isSome(page)) yield* checkReport(page.value)
    const [file, measured] = Option.isSome(page)
      ? [fromHere(options.file), Option.map(options.measured, fromHere)]
      : [options.file, options.measured]
    const files = filesRead()
    const loaded = yield* readScenario(file, files.read)
    const scenario = Option.isSome(seed) ? { ...loaded, seed: seed.value } : loaded
    const methods = yield* select(scenario, method)
    const traced = Option.getOrElse(traceMethod, () => tracedMethod(methods))
    if (Option.isSome(traceMethod)) yield* select(scenario, [traced])
    const real = Option.isSome(measured) ? yield* readMeasured(measured.value) : undefined
    const toFile = Option.isSome(trace) ? yield* traceChunks(trace.value) : undefined

    const progress = new Progress(process.stderr)
    const results: MethodResult[] = []
    let store: TraceStore | undefined
    for (const one of methods) {
      const recorder =
        toFile !== undefined && one.name === traced
          ? new TraceStore(
              {
                name: `${scenario.name}: ${one.name}`,
                scenario: scenario.name,
                method: one.name,
                seed: scenario.seed,
                clock: "virtual",
                basis: "modelled",
                clockOffset: 0,
                peaks: peaksOf(scenario)
              },
              { limit: traceLimit }
            )
          : undefined
      store ??= recorder
      results.push(
        yield* runMethod(scenario, one, recorder, progress).pipe(
          Effect.onExit(() => Effect.sync(() => progress.clear()))
        )
      )
    }
    const report: Report = { scenario, results }
    yield* Console.log(renderReport(format, report, screenWidth()))
    if (real !== undefined) {
      const print = format === "table" || format === "md" ? Console.log : Console.error
      yield* print(`\n${renderMeasured(format === "json" ? "jsonl" : format, report, real.run)}`)
      for (const note of real.run.notes) yield* Console.error(`${real.run.name}: ${note}`)
    }
    const ran = results.some(({ method: { name }, metrics }) => name === traced && metrics !== undefined)
    if (Option.isSome(trace) && !ran) yield* Console.error(`no trace: ${traced} did not run`)
    if (store !== undefined && toFile !== undefined && Option.isSome(trace) && ran) {
      yield* writeWhole(trace.value, toFile(store))
      yield* Console.error(
        `trace of ${traced}: ${trace.value} (open it at ui.perfetto.dev)${store.dropped > 0 ? `; ${store.dropped} records beyond --trace-limit were not kept` : ""}`
      )
    }
    if (Option.isSome(page)) {
      if (Option.isSome(measured)) files.read(measured.value)
      const ran: Ran = {
        command: "simulate",
        arguments: [
          fileArgument(file),
          `--format=${format}`,
          ...method.map((name) => `--method=${name}`),
          ...(Option.isSome(seed) ? [`--seed=${seed.value}`] : []),
          ...(Option.isSome(measured) ? [`--measured=${measured.value}`] : [])
        ],
        scenario,
        files,
        results: [renderReport("json", report)]
      }
      yield* writeReport(page.value, ran, simulationDocument(report, real?.run))
    }
    const infeasible = results.flatMap((result) =>
      result.infeasible === undefined ? [] : [result.infeasible]
    )
    const last = infeasible.length === results.length ? infeasible.pop() : undefined
    for (const one of infeasible) yield* Console.error(one.message)
    if (last !== undefined) return yield* last
    const missed = [...missedObjectives(report), ...beyond(thresholds, report)]
    if (missed.length > 0) return yield* new ObjectiveMissed({ missed })
  })
).pipe(
  Command.withDescription("Simulate a scenario under each of its serving methods and compare them"),
  Command.withExamples([
    {
      command: "vericache simulate scenarios/llama-70b-2xh100-long-context.yaml",
      description: "Compare the methods of the demo"
    },
    {
      command: "vericache simulate scenarios/llama-70b-2xh100-long-context.yaml --report demo.html",
      description: "The same as a page to hand on"
    }
  ])
)
