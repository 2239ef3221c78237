import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { readEngineSettings } from "../../planning/import/engine-settings.ts"
import type { MeasuredRun } from "../../planning/import/measured-run.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { asJsonLines, readRun } from "../../planning/import/read-run.ts"
import { ScenarioInvalid } from "../../scenario/document.ts"
import { readText } from "../../scenario/files.ts"
import { Usage } from "../exit.ts"
import { readFile, writeWhole } from "../files.ts"
import { seconds, significant } from "../output/number.ts"

/** A text file, or why it cannot be read. */
const textOf = (file: string): Effect.Effect<string, Usage> => {
  const text = readText(file, readFile)
  return typeof text === "string"
    ? Effect.succeed(text)
    : Effect.fail(new Usage({ problem: `${file} ${text.message}` }))
}

/** Reads a run of another tool; every fault of the file, or the run. */
export const readMeasured = Effect.fnUntraced(function* (
  file: string,
  options: { readonly rate?: number; readonly benchmark?: number } = {}
) {
  const { kind, run, faults } = readRun(file, yield* textOf(file), options)
  if (run === undefined) return yield* new ScenarioInvalid({ faults })
  return { kind, run }
})

const settingsOf = Effect.fnUntraced(function* (file: string) {
  const text = yield* textOf(file)
  const value = yield* Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => new Usage({ problem: `${file}: expected JSON` })
  })
  const read = readEngineSettings(value)
  if (Object.keys(read.settings).length === 0)
    return yield* new Usage({ problem: `${file}: expected engine_kwargs of a vLLM engine, found none` })
  return read
})

const words = (kind: string, { requests, latencies, notes }: MeasuredRun): string => {
  const mean = (of: (one: (typeof requests)[number]) => number): string =>
    significant(requests.reduce((sum, one) => sum + of(one), 0) / requests.length)
  const measured = Object.entries(latencies).map(
    ([name, { mean: average, p99 }]) =>
      `${name.toUpperCase()} ${average === undefined ? "" : `mean ${seconds(average)}`}${p99 === undefined ? "" : `, p99 ${seconds(p99)}`}`
  )
  return [
    requests.length === 0
      ? `${kind}: a summary without requests`
      : `${kind}: ${requests.length} requests over ${seconds(requests.at(-1)!.arrival)}; mean input ${mean(({ input }) => input)}, output ${mean(({ output }) => output)} tokens`,
    ...(measured.length > 0 ? [`measured: ${measured.join("; ")}`] : []),
    ...notes.map((note) => `note: ${note}`)
  ].join("\n")
}

export const importCommand = Command.make(
  "import",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription(
        "vLLM benchmark JSON, GuideLLM JSON, vLLM engine log, Azure or BurstGPT CSV, Mooncake JSON lines, lengths, ShareGPT JSON"
      )
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription(
        "Write the workload: .jsonl, or .yaml, a scenario beside its .jsonl; prints a summary if absent"
      ),
      Flag.optional
    ),
    rate: Flag.Finite("rate").pipe(
      Flag.withDescription("Requests per second, for files that have lengths only"),
      Flag.optional
    ),
    benchmark: Flag.Int("benchmark").pipe(
      Flag.withDescription("Which benchmark of a GuideLLM file, from 0"),
      Flag.withDefault(0)
    ),
    meta: Flag.String("meta").pipe(
      Flag.withDescription("Settings of the engine that ran it (meta.json of an engine log), for a .yaml"),
      Flag.optional
    ),
    model: Flag.String("model").pipe(
      Flag.withDescription("Model of the scenario, or a Hugging Face config.json, for a .yaml"),
      Flag.optional
    ),
    hardware: Flag.String("hardware").pipe(
      Flag.withDescription("Hardware of the scenario, or a profile.yaml, for a .yaml"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, output, rate, benchmark, meta, model, hardware }) {
    if (Option.isSome(rate) && !(rate.value > 0))
      return yield* new Usage({
        problem: `--rate: expected requests per second above 0, found ${rate.value}`
      })
    const { kind, run } = yield* readMeasured(file, {
      benchmark,
      ...(Option.isSome(rate) ? { rate: rate.value } : {})
    })
    yield* Console.error(words(kind, run))
    if (Option.isNone(output)) return
    if (run.requests.length === 0)
      return yield* new Usage({ problem: `${file} has no requests: there is no workload to write` })
    const target = output.value
    const lines = join(dirname(target), basename(target).replace(/\.ya?ml$/, ".jsonl"))
    if ([target, lines].some((written) => resolve(written) === resolve(file)))
      return yield* new Usage({ problem: `${file} would be written over; give another name with -o` })
    if (target.endsWith(".jsonl")) {
      yield* writeWhole(target, [asJsonLines(run.requests)])
      return yield* Console.error(`${target}: a trace of format mooncake-jsonl`)
    }
    if (!/\.ya?ml$/.test(target))
      return yield* new Usage({ problem: `${target}: expected a name that ends in .jsonl or .yaml` })
    const engine = Option.isSome(meta) ? yield* settingsOf(meta.value) : undefined
    const used = Option.getOrUndefined(hardware)
    // A scenario names files from where it lies.
    const beside = (path: string): string => (isAbsolute(path) ? path : relative(dirname(target), path))
    const scenario = {
      name: basename(target).replace(/\.ya?ml$/, ""),
      ...(Option.isSome(model)
        ? { model: model.value.endsWith(".json") ? { config: beside(model.value) } : model.value }
        : {}),
      ...(used === undefined ? {} : { hardware: /\.ya?ml$/.test(used) ? { profile: beside(used) } : used }),
      ...(engine === undefined ? {} : { engine: engine.settings }),
      workload: {
        context: "prefill",
        trace: { file: basename(lines), format: "mooncake-jsonl", source: `${kind}: ${basename(file)}` }
      },
      methods: ["full-kv"],
      assumptions: [...run.notes, ...(engine?.notes ?? [])]
    }
    yield* writeWhole(lines, [asJsonLines(run.requests)])
    yield* writeWhole(target, [yamlText(scenario)])
    const missing = [Option.isNone(model) ? "model" : "", used === undefined ? "hardware" : ""].filter(
      (one) => one !== ""
    )
    yield* Console.error(
      `${target} and ${lines}${missing.length > 0 ? `; extend it, or add ${missing.join(" and ")}, to simulate it` : ""}`
    )
  })
).pipe(
  Command.withDescription(
    "Read workloads and measured runs of other tools; write them as a workload to simulate"
  ),
  Command.withExamples([
    {
      command: "vericache import result.json -o workload.yaml --model llama-3.1-8b --hardware h100-sxm",
      description: "Replay a vLLM benchmark"
    }
  ])
)
