import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { joinProfiles, type LayerProfile, tablesOfProfile } from "../../planning/calibrate/kernel-tables.ts"
import { type AllReduces, fitAllReduces } from "../../planning/calibrate/all-reduces.ts"
import type { Peaks } from "../../planning/calibrate/fit.ts"
import type { Experts } from "../../planning/calibrate/experts.ts"
import { heldAtFloor } from "../../planning/calibrate/floor.ts"
import {
  calibrate,
  type Calibrated,
  impossibleTimes,
  profileFields
} from "../../planning/calibrate/profile.ts"
import { samplesOfProfile } from "../../planning/calibrate/profile-samples.ts"
import { fitRun, type RunFit } from "../../planning/calibrate/run-fit.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { hardwareOf, modelOf } from "../../scenario/entries.ts"
import type { Hardware, KernelTables, Model, QueryBlock, Scenario } from "../../scenario/resolved.ts"
import { readSources } from "../calibrate/sources.ts"
import { acceptanceFromTraces, calibrateFromTraces } from "../calibrate/traces.ts"
import { Usage } from "../exit.ts"
import { readCatalog, readScenario, writeWhole } from "../files.ts"
import { type Column, plainTable } from "../output/grid.ts"
import { bytes, seconds, significant } from "../output/number.ts"

const fitColumns: readonly Column<Calibrated>[] = [
  {
    title: "operation",
    key: "operation",
    left: true,
    text: (row) => row.operation,
    value: (row) => row.operation
  },
  {
    title: "memory",
    key: "memory",
    text: (row) => row.fit.memory.toFixed(3),
    value: (row) => row.fit.memory
  },
  {
    title: "compute",
    key: "compute",
    text: (row) => row.fit.compute.toFixed(3),
    value: (row) => row.fit.compute
  },
  {
    title: "overhead",
    key: "overhead",
    text: (row) => `${significant(row.fit.overhead * 1e6)} µs`,
    value: (row) => row.fit.overhead
  },
  {
    title: "fitted to",
    key: "samples",
    text: ({ quality }) => `${quality.samples}`,
    value: ({ quality }) => quality.samples
  },
  ...(
    [
      ["median off", "medianError"],
      ["kept apart: median", "heldOutMedianError"],
      ["p90", "heldOutP90Error"],
      ["bias", "heldOutBias"]
    ] as const
  ).map(([title, key]): Column<Calibrated> => ({
    title,
    key,
    text: ({ quality }) => `${(quality[key] * 100).toFixed(1)} %`,
    value: ({ quality }) => quality[key]
  }))
]

/** The model whose layers were measured, and over how many ranks they were split. */
const modelNamed = Effect.fnUntraced(function* (name: string | undefined, scenario: Scenario | undefined) {
  if (scenario !== undefined) return scenario.model
  if (name === undefined)
    return yield* new Usage({
      problem:
        "layer profiles have no shapes: say --model, the catalog's name of the model they were measured on, or --scenario"
    })
  const entry = (yield* readCatalog).models.get(name)
  if (entry === undefined) return yield* new Usage({ problem: `--model: no ${name} in the catalog` })
  return modelOf(entry)
})

/** What experts a model's layers have, if any. */
const expertsOf = ({ layers: [layer] }: Model): Experts | undefined =>
  layer?.mlp.kind === "moe" ? layer.mlp : undefined

/** Samples and tables of the layer profiles. */
const ofProfiles = Effect.fnUntraced(function* (
  profiles: readonly LayerProfile[],
  model: Model,
  ranks: number,
  source: string,
  { peaks, queryBlock }: { readonly peaks: Peaks; readonly queryBlock: QueryBlock }
) {
  const profile = joinProfiles(profiles)
  const samples = samplesOfProfile(profile, model, ranks, queryBlock)
  if ("problem" in samples) return yield* new Usage({ problem: samples.problem })
  const { tables, raised, times } = heldAtFloor(
    tablesOfProfile(profile, source, expertsOf(model)),
    model,
    ranks,
    peaks
  )
  const note = `${raised} of ${times} times of the tables were below what the datasheet allows and are raised to it`
  return { model, samples, tables, notes: raised === 0 ? [] : [note] }
})

/** What all-reduces come to, as figures of a profile and in words. */
const linkOf = Effect.fnUntraced(function* (reduces: readonly AllReduces[]) {
  const [one] = reduces
  if (one === undefined) return { figures: {}, notes: [] }
  if (reduces.length > 1) return yield* new Usage({ problem: "expected one file of all-reduces" })
  const fit = fitAllReduces(one)
  if ("problem" in fit) return yield* new Usage({ problem: fit.problem })
  const percent = (error: number): string => `${(error * 100).toFixed(1)} %`
  return {
    figures: { "interconnect.bandwidth": fit.bandwidth, "interconnect.latency": fit.latency },
    notes: [
      `interconnect ${bytes(fit.bandwidth)}/s and ${seconds(fit.latency)}: fitted to ${fit.samples} sizes of all-reduces over ${one.ranks} ranks; ${fit.heldOut} kept apart are ${percent(fit.heldOutMedianError)} off at the median, at most ${percent(fit.heldOutWorstError)}`
    ]
  }
})

/** What a run's figures were fitted to, and how far off it is with them. */
const runWords = ({ figures, residuals, heldOut }: RunFit): readonly string[] => {
  const fitted = heldOut === undefined ? "the run" : "the first half of its requests to arrive"
  const judging = heldOut === undefined ? "the run" : `the later ${heldOut} requests, not fitted to`
  const told = (latency: string): string =>
    latency === "tpot" && Object.keys(figures).length > 0
      ? ""
      : `${heldOut === undefined ? "; not fitted to" : ""} (no independent evidence where the engine was overloaded: TPOT decides it there)`
  return [
    ...Object.entries(figures).map(
      ([name, value]) =>
        `${name} ${name.endsWith("bandwidth") ? `${bytes(value)}/s` : seconds(value)}: fitted to TPOT of ${fitted} (mean, p50, p90)`
    ),
    ...Object.entries(residuals).map(
      ([latency, off]) =>
        `${latency.toUpperCase()} of ${judging}: at most ${(off * 100).toFixed(1)} % off over mean, p50, p90, p95, p99${told(latency)}`
    )
  ]
}

export const calibrateCommand = Command.make(
  "calibrate",
  {
    from: Flag.String("from").pipe(
      Flag.withDescription(
        "Kernel tables (layer profile CSV, operator Parquet), all-reduces (output of nccl-tests), a run's log (engine log, vLLM or GuideLLM JSON) or traces of runs (.jsonl); may be given again"
      ),
      Flag.atLeast(0)
    ),
    more: Argument.String("file").pipe(Argument.withDescription("More of them"), Argument.atLeast(0)),
    base: Flag.String("base").pipe(
      Flag.withDescription("Catalog hardware whose peaks, memory and links the profile takes"),
      Flag.optional
    ),
    model: Flag.String("model").pipe(
      Flag.withDescription("Model a layer profile was measured on"),
      Flag.optional
    ),
    ranks: Flag.Int("tensor-parallel-size").pipe(
      Flag.withDescription("Ranks its layers were split over; of a scenario its own"),
      Flag.withDefault(1)
    ),
    scenario: Flag.String("scenario").pipe(
      Flag.withDescription(
        "Scenario that replays the run of a log (vericache import writes one), or that was run where traces were recorded"
      ),
      Flag.optional
    ),
    tables: Flag.Boolean("tables").pipe(
      Flag.withDescription(
        "Keep a layer profile's times as tables, beside the fit; --no-tables keeps the fit alone"
      ),
      Flag.withDefault(true)
    ),
    acceptance: Flag.String("acceptance").pipe(
      Flag.withDescription("Acceptance profile to write from the rounds of recorded runs, .yaml"),
      Flag.optional
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Profile to write, .yaml"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({
    from,
    more,
    base,
    model,
    ranks,
    scenario: scenarioFile,
    tables: keeps,
    acceptance,
    output
  }) {
    const files = [...from, ...more]
    if (files.length === 0) return yield* new Usage({ problem: "--from: expected at least one file" })
    const scenario = Option.isSome(scenarioFile) ? yield* readScenario(scenarioFile.value) : undefined
    const sources = yield* readSources(files)
    const { profiles, samples, reduces, runs, traces } = sources
    const written = (fields: Readonly<Record<string, unknown>>) =>
      Option.isNone(output)
        ? Effect.void
        : writeWhole(output.value, [yamlText(fields)]).pipe(
            Effect.andThen(
              Console.error(
                `${output.value}: name it in a scenario as hardware: { profile: ${output.value} }`
              )
            )
          )
    const name = Option.getOrElse(output, () => "calibrated")
      .split(/[/\\]/)
      .at(-1)!
      .replace(/\.ya?ml$/, "")
    if (Option.isSome(acceptance) && traces.length === 0)
      return yield* new Usage({
        problem: "--acceptance is taken from the rounds of recorded runs: give their traces"
      })
    if (traces.length > 0) {
      if (scenario === undefined || traces.length < files.length)
        return yield* new Usage({
          problem:
            scenario === undefined
              ? "a trace says how long passes took: say --scenario, the scenario that was run"
              : "expected traces alone, or none: they refit a whole profile, kernel tables make a new one"
        })
      yield* written(yield* calibrateFromTraces(traces, scenario, name))
      if (Option.isSome(acceptance))
        yield* writeWhole(acceptance.value, [yamlText(yield* acceptanceFromTraces(traces, scenario))])
      return
    }
    const baseName = Option.getOrElse(base, () => scenario?.hardware.name ?? "")
    const catalog = yield* readCatalog
    const entry = catalog.hardware.get(baseName)
    if (entry === undefined)
      return yield* new Usage({
        problem: `--base: ${baseName === "" ? "say which hardware of the catalog it was measured on" : `no ${baseName} in the catalog`}: ${[...catalog.hardware.keys()].join(", ")}`
      })
    if (runs.length > 1) return yield* new Usage({ problem: "expected one run's log at a time" })
    if (runs.length > 0 && scenario === undefined)
      return yield* new Usage({
        problem: "a run's log is replayed: say --scenario, the scenario that does it"
      })
    const hardware = hardwareOf(entry)
    const peaks = { bandwidth: hardware.hbm.bandwidth, flops: hardware.flops[16] }
    const names = files.map((file) => file.split(/[/\\]/).at(-1)!)
    const size = scenario?.engine.tensorParallelSize ?? ranks
    const measured =
      profiles.length === 0
        ? undefined
        : yield* ofProfiles(
            profiles,
            yield* modelNamed(Option.getOrUndefined(model), scenario),
            size,
            names.join(", "),
            { peaks, queryBlock: hardware.queryBlock }
          )
    const all = Object.fromEntries(
      Object.keys(hardware.efficiency).map((operation) => [
        operation,
        [
          ...(measured?.samples[operation as keyof Hardware["efficiency"]] ?? []),
          ...samples.filter((sample) => sample.operation === operation)
        ]
      ])
    )
    const link = yield* linkOf(reduces)
    const kernels = profiles.length + samples.length > 0
    const { fits, notes: doubts } = kernels ? calibrate(all, hardware, peaks) : { fits: [], notes: [] }
    const impossible =
      measured === undefined ? undefined : impossibleTimes(fits, hardware, measured.model.name, size)
    if (impossible !== undefined) return yield* new Usage({ problem: impossible })
    const notes = [...doubts, ...(keeps ? (measured?.notes ?? []) : []), ...link.notes]
    const tables: KernelTables | undefined = keeps ? measured?.tables : undefined
    const known = kernels || scenario === undefined ? hardware : scenario.hardware
    const calibrated: Hardware = {
      ...known,
      ...(tables === undefined ? {} : { tables }),
      interconnect: {
        bandwidth: link.figures["interconnect.bandwidth"] ?? known.interconnect.bandwidth,
        latency: link.figures["interconnect.latency"] ?? known.interconnect.latency
      },
      efficiency: {
        ...known.efficiency,
        ...Object.fromEntries(fits.map(({ operation, fit }) => [operation, fit]))
      }
    }
    const run = runs[0]
    const found =
      run === undefined || scenario === undefined
        ? undefined
        : fitRun({ ...scenario, hardware: calibrated }, run, reduces.length > 0)
    if (found !== undefined && "problem" in found) return yield* new Usage({ problem: found.problem })
    const replayed = found === undefined ? [] : runWords(found)
    if (fits.length > 0) yield* Console.log(plainTable(fitColumns, fits))
    for (const note of [...notes, ...replayed]) yield* Console.log(note)
    const fields = profileFields(
      {
        name,
        base: baseName,
        from: names,
        fits,
        figures: { ...link.figures, ...found?.figures },
        notes: [...notes, ...replayed],
        ...(tables === undefined ? {} : { tables })
      },
      hardware
    )
    yield* written(fields)
  })
).pipe(
  Command.withDescription("Turn measured kernel times and runs into a hardware profile, with its errors"),
  Command.withExamples([
    {
      command:
        "vericache calibrate --from dense.csv --from attention.csv --from per_sequence.csv --base rtx-4090 --model llama-3.1-8b -o my-4090.yaml",
      description: "A profile from the times of one model's layers"
    },
    {
      command: "vericache calibrate --from run.jsonl --scenario mine.yaml -o refitted.yaml",
      description: "The profile of a scenario, refitted to a recorded run of it"
    }
  ])
)
