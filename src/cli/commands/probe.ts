import { join, resolve } from "node:path"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { NOISY } from "../../engine/probe/sample.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { Usage } from "../exit.ts"
import { readFile, readScenario, writeObstacle, writeWhole } from "../files.ts"
import { plainTable } from "../output/grid.ts"
import { bytes, percent } from "../output/number.ts"
import { copyMemory } from "../probe/memory.ts"
import { profileFile, profileOf } from "../probe/profile.ts"
import { copyColumns, fitWords, operationColumns, words } from "../probe/tables.ts"
import { Progress } from "../progress.ts"
import { embeddedModel, engineFlags } from "./engine-flags.ts"

/** A scenario of the probed model on hardware of which nothing is known yet. */
const unknownMachine = (model: string) => {
  const file = resolve("probe.yaml")
  const text = `name: probe
model: { config: ${JSON.stringify(join(resolve(model), "config.json"))} }
hardware:
  name: probed
  source: not measured yet
  basis: assumed
  hbm: { capacity: 256 MiB, bandwidth: 1 GB/s }
  flops: { bf16: 1 GFLOP/s }
  link: { host_to_device: 1 GB/s, device_to_host: 1 GB/s, latency: 1 ms, sharing: serial, source: not measured yet }
  interconnect: { bandwidth: 1 GB/s, latency: 1 ms }
  host: { capacity: 4 GB, bandwidth: 10 GB/s }
  efficiency:
    source: not measured yet
    matmul: { memory: 0.5, compute: 0.5, overhead: 0 s }
    attention-decode: { memory: 0.5, compute: 0.2, overhead: 0 s }
    attention-prefill: { memory: 0.5, compute: 0.2, overhead: 0 s }
    elementwise: { memory: 0.5, compute: 0.5, overhead: 0 s }
    lm-head: { memory: 0.5, compute: 0.5, overhead: 0 s }
  step_overhead: 1 ms
  step_overhead_per_request: 10 us
engine: { reserved: 0 B }
workload: { context: prefill, requests: 1, arrivals: { concurrency: 1 }, input: 16, output: 4 }
methods: [full-kv]
`
  return readScenario(file, (path) => (path === file ? new TextEncoder().encode(text) : readFile(path)))
}

export const probeCommand = Command.make(
  "probe",
  {
    model: engineFlags.model,
    adapter: engineFlags.adapter,
    quick: Flag.Boolean("quick").pipe(
      Flag.withDescription("Fewer sizes, batches and repetitions"),
      Flag.withDefault(false)
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Hardware profile to write, .yaml"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ model: folder, adapter, quick, output }) {
    if (Option.isSome(output)) {
      const obstacle = writeObstacle(output.value)
      if (obstacle !== undefined)
        return yield* new Usage({ problem: `--output ${output.value} cannot be written: ${obstacle}` })
    }
    const model = Option.getOrElse(folder, embeddedModel)
    const scenario = yield* unknownMachine(model)
    // Loaded only here: every other command starts without WebGPU.
    const { runProbe } = yield* Effect.promise(() => import("../engine/probe.ts"))
    const probed = yield* runProbe({
      model,
      adapter,
      quick,
      weightWidth: scenario.model.weightBytesPerParam,
      note: (text) => process.stderr.write(text),
      progress: new Progress(process.stderr)
    })
    const { copies, card, operations } = probed
    const memory = yield* copyMemory
    const { fits, notes, found } = profileOf(scenario, probed)
    if (found === undefined)
      return yield* new Usage({ problem: "too few passes were measured to fit a profile" })
    yield* Console.log(plainTable(copyColumns, copies))
    yield* Console.log(["", plainTable(operationColumns(found.hardware), operations)].join("\n"))
    const lines = [
      ...words(probed, found),
      ...notes,
      `beside: Node's own copy in host memory moves ${bytes(memory.rate)}/s, read and written, spread ${percent(memory.spread)}`
    ]
    yield* Console.log(["", ...fits.map(fitWords), ...lines].join("\n"))
    const noisy = [...copies, ...operations].filter(({ spread }) => spread > NOISY).length
    const timings = copies.length + operations.length
    if (noisy > 0)
      yield* Console.error(
        `${noisy} of ${timings} timings are noisy (middle half wider than ${percent(NOISY)} of the median): something else is at work on this machine${probed.card.kind === "software" ? `, or the adapter's threads on each other; on Linux hold all to one core: taskset -c 1 vericache probe` : ""}`
      )
    if (Option.isNone(output)) return
    const name = output.value
      .split(/[/\\]/)
      .at(-1)!
      .replace(/\.ya?ml$/, "")
    const verdict =
      noisy > timings / 4
        ? `noisy: ${noisy} of ${timings} timings spread wider than ${percent(NOISY)}; measure again on a quiet machine`
        : `quiet enough: ${noisy} of ${timings} timings spread wider than ${percent(NOISY)}`
    yield* writeWhole(output.value, [
      yamlText(profileFile({ probed, fits, found, name, lines: [`noise: ${verdict}`, ...lines] }))
    ])
    yield* Console.error(`${output.value}: name it in a scenario as hardware: { profile: ${output.value} }`)
    if (card.kind === "software")
      yield* Console.error(`${output.value} is marked as a software adapter's: no evidence of GPU speed`)
  })
).pipe(
  Command.withDescription(
    "Measure this machine's adapter: copies, submits, overlap, passes; write a hardware profile"
  ),
  Command.withExamples([
    { command: "vericache probe -o my-gpu.yaml", description: "A profile that scenarios can name" }
  ])
)
