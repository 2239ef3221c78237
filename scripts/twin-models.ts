/**
 * The twin over models of several sizes, with random weights, and over links and KV budgets: does the gain of VeriCache follow both as it
 * is predicted to? Made for a GPU; on a software adapter the small sizes show that it runs, and nothing about a GPU.
 *
 *   node --import ./scripts/wgsl.ts scripts/twin-models.ts --profile my-gpu.yaml --sizes 60m,400m --links 1,4,16 --budgets 0.5,1
 *   node --import ./scripts/wgsl.ts scripts/twin-models.ts --sizes 100k,1m --links 1,4 --context 96 --output 16 --requests 4 --minutes 5
 *
 * `--links`: how many times slower transfers are made than the profile's link, by pauses. `--budgets`: KV in HBM, as a share of what all requests
 * in flight need at their longest. Models lie in a scratch folder while it runs. Random weights accept what they will, so predictions are
 * given each run's own accepted lengths: what is compared is time. After `--minutes` no further run is begun, and the table says so.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { runScenario } from "../src/cli/engine/run.ts"
import { readFile, readScenario } from "../src/cli/files.ts"
import { type Column, plainTable } from "../src/cli/output/grid.ts"
import { significant, times } from "../src/cli/output/number.ts"
import { Progress } from "../src/cli/progress.ts"
import type { ModelConfig } from "../src/engine/model/config.ts"
import { allTensors, configJson, safetensors } from "../src/engine/weights/files.fixture.ts"
import { randomCheckpoint } from "../src/engine/weights/random.ts"
import type { Hardware, Scenario } from "../src/scenario/resolved.ts"
import { replaying } from "../src/twin/recorded.ts"
import { compareRuns } from "../src/twin/twin.ts"

const ROOT = join(import.meta.dirname, "..")
const EMBEDDED = join(ROOT, "models", "vericache-1m")

/** Hidden width, layers, heads, KV heads, MLP width; heads of 64 channels, the embedded model's vocabulary. */
const SIZES: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  "100k": [64, 2, 2, 1, 128],
  "1m": [128, 6, 4, 2, 384],
  "8m": [256, 8, 4, 2, 1024],
  "60m": [768, 8, 12, 4, 2048],
  "400m": [1536, 16, 24, 8, 4096],
  "1b": [2048, 22, 32, 4, 5632]
}

const configOf = (size: string): ModelConfig => {
  const shape = SIZES[size]
  if (shape === undefined) throw new Error(`--sizes ${size}: expected ${Object.keys(SIZES).join(", ")}`)
  const [hidden, layers, heads, kvHeads, intermediate] = shape
  return {
    modelType: "llama",
    hidden,
    layers,
    heads,
    kvHeads,
    headDim: 64,
    intermediate,
    vocab: 1024,
    maxPositions: 131_072,
    normEps: 1e-5,
    ropeTheta: 500_000,
    ropeScaling: { kind: "none" },
    tied: true,
    qkvBias: false,
    outputBias: false,
    qkNorm: false,
    eosTokens: []
  }
}

const { values } = parseArgs({
  options: {
    profile: {
      type: "string",
      default: join(ROOT, "scenarios", "twin", "profiles", "software-adapter.yaml")
    },
    sizes: { type: "string", default: "60m,400m" },
    links: { type: "string", default: "1,4,16" },
    budgets: { type: "string", default: "0.5,1" },
    context: { type: "string", default: "2048" },
    output: { type: "string", default: "64" },
    requests: { type: "string", default: "8" },
    window: { type: "string", default: "8" },
    keep: { type: "string", default: "0.25" },
    adapter: { type: "string", default: "auto" },
    minutes: { type: "string", default: "60" }
  }
})
const numbers = (text: string): readonly number[] => text.split(",").map(Number)
const [context, output, requests] = [values.context, values.output, values.requests].map(Number)
const concurrency = Math.ceil(requests! / 2)

/** Writes a model of this size into its folder. */
const written = (folder: string, size: string): string => {
  const config = configOf(size)
  const model = join(folder, size)
  mkdirSync(model)
  writeFileSync(join(model, "config.json"), configJson(config, { model_type: "llama" }))
  writeFileSync(join(model, "model.safetensors"), safetensors(allTensors(randomCheckpoint(config, 1, "F16"))))
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    copyFileSync(join(EMBEDDED, file), join(model, file))
  return model
}

const scenarioText = (model: string, budget: number): string => `name: twin models
model: { config: ${JSON.stringify(join(model, "config.json"))} }
hardware: { profile: ${JSON.stringify(resolve(values.profile))} }
engine:
  max_num_seqs: ${concurrency}
  num_gpu_blocks_override: ${Math.ceil(budget * concurrency * Math.ceil((context! + output!) / 16))}
  reserved: 0 B
  enable_prefix_caching: false
workload: { context: prefill, requests: ${requests}, arrivals: { concurrency: ${concurrency} }, input: ${context}, output: ${output} }
methods:
  - full-kv
  - name: VeriCache
    vericache: { compressor: snapkv, keep: ${values.keep}, acceptance: { alpha: 0.5, basis: assumed, source: replaced by each run's own }, window: ${values.window} }
baseline: full-kv
`

const slower = ({ link, ...hardware }: Hardware, factor: number): Hardware => ({
  ...hardware,
  link: {
    ...link,
    hostToDevice: link.hostToDevice / factor,
    latency: link.latency * factor,
    // The same pauses both ways.
    deviceToHost: 1 / (1 / link.deviceToHost + (factor - 1) / link.hostToDevice),
    deviceToHostLatency: (link.deviceToHostLatency ?? link.latency) + (factor - 1) * link.latency
  }
})

interface Row {
  readonly size: string
  readonly link: number
  readonly budget: number
  readonly adapter: string
  readonly measured: readonly [full: number, vericache: number]
  readonly predicted: readonly [full: number, vericache: number]
}

const measured = (scenario: Scenario, model: string, factor: number) => {
  const { link } = scenario.hardware
  return Effect.map(
    runScenario({
      scenario,
      methods: scenario.methods,
      model,
      adapter: values.adapter === "software" ? "software" : "auto",
      note: (text) => process.stderr.write(text),
      progress: new Progress(process.stderr),
      faults: {
        pause: (bytes) => (factor - 1) * (link.latency + bytes / link.hostToDevice)
      }
    }),
    ({ card, runs }) => {
      const hardware = slower(scenario.hardware, factor)
      const { twins } = compareRuns(
        runs.map((run) => ({ ...run, scenario: replaying({ ...run.scenario, hardware }, run.trace) }))
      )
      const rate = (name: string, which: "predicted" | "measured"): number =>
        twins.find(({ named }) => named.name === name)?.[which].tokensPerSecond ?? Number.NaN
      const both = (which: "predicted" | "measured") =>
        [rate("full-kv", which), rate("VeriCache", which)] as const
      return { adapter: card.kind, measured: both("measured"), predicted: both("predicted") }
    }
  )
}

const gain = ([full, vericache]: Row["measured"]): number => vericache / full

const columns: readonly Column<Row>[] = [
  { title: "model", key: "model", left: true, text: ({ size }) => size, value: ({ size }) => size },
  { title: "link", key: "link", text: ({ link }) => `÷ ${link}`, value: ({ link }) => link },
  { title: "KV budget", key: "budget", text: ({ budget }) => String(budget), value: ({ budget }) => budget },
  ...(["measured", "predicted"] as const).flatMap((which): readonly Column<Row>[] => [
    {
      title: `full-kv ${which}`,
      key: `full_kv_${which}`,
      text: (row) => `${significant(row[which][0])} tok/s`,
      value: (row) => row[which][0]
    },
    {
      title: "VeriCache's gain",
      key: `gain_${which}`,
      text: (row) => times(gain(row[which])),
      value: (row) => gain(row[which])
    }
  ]),
  {
    title: "adapter",
    key: "adapter",
    left: true,
    text: ({ adapter }) => adapter,
    value: ({ adapter }) => adapter
  }
]

const cases = values.sizes
  .split(",")
  .flatMap((size) =>
    numbers(values.budgets).flatMap((budget) => numbers(values.links).map((link) => ({ size, budget, link })))
  )
const folder = mkdtempSync(join(tmpdir(), "vericache-models-"))
const began = performance.now()
const minutes = (): number => (performance.now() - began) / 60_000
try {
  const rows: Row[] = []
  const left: string[] = []
  const models = new Map<string, string>()
  for (const [i, { size, budget, link }] of cases.entries()) {
    const what = `${size}, link ÷ ${link}, KV budget ${budget}`
    if (minutes() > Number(values.minutes)) {
      left.push(what)
      continue
    }
    process.stderr.write(`${i + 1} of ${cases.length}, after ${minutes().toFixed(1)} min: ${what}\n`)
    const model = models.get(size) ?? written(folder, size)
    models.set(size, model)
    const file = join(model, "scenario.yaml")
    writeFileSync(file, scenarioText(model, budget))
    const found = await Effect.runPromise(
      Effect.result(
        Effect.flatMap(readScenario(file, readFile), (scenario) => measured(scenario, model, link))
      )
    )
    if (found._tag === "Success") rows.push({ size, link, budget, ...found.success })
    else left.push(`${what}: ${found.failure.message}`)
  }
  console.log(plainTable(columns, rows))
  for (const what of left) console.log(`not run: ${what}`)
  if (rows.some(({ adapter }) => adapter === "software"))
    console.log("\nsoftware adapter: computes on the CPU, no evidence of GPU speed")
} finally {
  rmSync(folder, { recursive: true })
}
process.exit(0)
