import { join, resolve } from "node:path"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { NOISY } from "../../engine/probe/sample.ts"
import { digits, hardwareFile } from "../../scenario/hardware-file.ts"
import { weightBytes } from "../../scenario/model-shape.ts"
import type { Hardware, Scenario } from "../../scenario/resolved.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { fitLink, type LinkFit } from "../../twin/link-fit.ts"
import { passFacts } from "../../twin/pass-price.ts"
import { recordedPasses } from "../../twin/passes.ts"
import { type Refit, refit } from "../../twin/refit.ts"
import type { Probed } from "../engine/probe.ts"
import { Usage } from "../exit.ts"
import { readFile, readScenario, writeObstacle, writeWhole } from "../files.ts"
import { type Column, plainTable } from "../output/grid.ts"
import { bytes, percent, seconds, significant } from "../output/number.ts"
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

type Copy = Probed["copies"][number]

const rate = ({ path, bytes: size, seconds: took }: Copy): number => ((path === "copy" ? 2 : 1) * size) / took

const copyColumns: readonly Column<Copy>[] = [
  { title: "path", key: "path", left: true, text: ({ path }) => path, value: ({ path }) => path },
  { title: "bytes", key: "bytes", text: (one) => bytes(one.bytes), value: (one) => one.bytes },
  { title: "median", key: "seconds", text: (one) => seconds(one.seconds), value: (one) => one.seconds },
  { title: "rate", key: "bytes_per_s", text: (one) => `${bytes(rate(one))}/s`, value: rate },
  { title: "spread", key: "spread", text: (one) => percent(one.spread), value: (one) => one.spread },
  {
    title: "",
    key: "noisy",
    left: true,
    text: ({ spread }) => (spread > NOISY ? "noisy" : ""),
    value: ({ spread }) => spread > NOISY
  }
]

/** Most positions a second that any pass computed, as FLOP/s of the model's weights. */
const bestArithmetic = (scenario: Scenario, { passes }: Probed): number => {
  const parameters = weightBytes(scenario.model) / scenario.model.weightBytesPerParam
  return Math.max(
    ...passes.flatMap(({ method, trace }) =>
      recordedPasses(trace, passFacts(scenario, method)).map(({ load, seconds: took }) => {
        const { decode, draft, verify, prefill } = load
        return (
          (2 * parameters * (decode.positions + draft.positions + verify.positions + prefill.positions)) /
          took
        )
      })
    )
  )
}

/** The link of one direction by its copies. */
const linkOf = (copies: readonly Copy[], path: Copy["path"]): LinkFit | undefined =>
  fitLink(
    copies
      .filter((one) => one.path === path)
      .flatMap((one) =>
        [one, one].map(({ bytes: size, seconds: took }) => ({ into: true, bytes: size, seconds: took }))
      ),
    1e-3
  )

const words = (probed: Probed, found: Refit): readonly string[] => {
  const { submit, overlap, card } = probed
  const { passes } = found
  return [
    `an empty submit: ${seconds(submit.seconds)}, spread ${percent(submit.spread)}`,
    `overlap: passes ${seconds(overlap.compute.seconds)}, uploads ${seconds(overlap.copy.seconds)}, both at once ${seconds(overlap.both.seconds)}: ${overlap.hidden === undefined ? "too noisy to say how much is hidden" : `${percent(overlap.hidden)} of the shorter is hidden`}`,
    ...Object.entries(found.figures).map(
      ([name, value]) => `${name}: ${name.startsWith("efficiency") ? value.toFixed(3) : seconds(value)}`
    ),
    `not seen in these passes: ${found.unseen.join(", ")}`,
    `times of passes: ${(100 * passes.heldOutMedian).toFixed(1)} % off in the median, ${(100 * passes.heldOutP90).toFixed(1)} % at p90, of ${significant(passes.heldOut)} kept apart from the ${significant(passes.samples)} fitted to`,
    `${card.name}, ${card.kind} adapter${card.features.includes("shader-f16") ? ", f16" : ", no f16"}`
  ]
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
      note: (text) => process.stderr.write(text),
      progress: new Progress(process.stderr)
    })
    const { copies, card } = probed
    const copied = Math.max(...copies.filter(({ path }) => path === "copy").map(rate))
    const [into, out] = [linkOf(copies, "upload"), linkOf(copies, "download")]
    const base: Hardware = {
      ...scenario.hardware,
      hbm: { ...scenario.hardware.hbm, bandwidth: copied },
      // WebGPU tells no peak: twice the best seen, so that shares have room.
      flops: { 16: Math.max(1e9, 2 * bestArithmetic(scenario, probed)) },
      host: { ...scenario.hardware.host, bandwidth: copied },
      link: {
        ...scenario.hardware.link,
        hostToDevice: into?.bandwidth ?? scenario.hardware.link.hostToDevice,
        deviceToHost: out?.bandwidth ?? scenario.hardware.link.deviceToHost,
        latency: into?.latency ?? scenario.hardware.link.latency
      }
    }
    const on = { ...scenario, hardware: base }
    const found = refit(
      probed.passes.map(({ method, trace }) => ({ scenario: on, method, trace })),
      base
    )
    if (found === undefined)
      return yield* new Usage({ problem: "too few passes were measured to fit a profile" })
    yield* Console.log(plainTable(copyColumns, copies))
    const lines = words(probed, found)
    yield* Console.log(["", ...lines].join("\n"))
    const noisy = copies.filter(({ spread }) => spread > NOISY).length
    if (noisy > 0)
      yield* Console.error(
        `${noisy} of ${copies.length} copies are noisy (middle half wider than ${percent(NOISY)} of the median): something else is at work on this machine`
      )
    if (Option.isNone(output)) return
    const name = output.value
      .split(/[/\\]/)
      .at(-1)!
      .replace(/\.ya?ml$/, "")
    const source = `vericache probe on ${card.name}`
    const mark = card.kind === "software" ? " (software adapter: no evidence of GPU speed)" : ""
    const fields = {
      ...hardwareFile(
        {
          ...found.hardware,
          link: base.link,
          name,
          origin: {
            basis: "measured",
            source: `${source}${mark}; capacities are assumed, peak FLOP/s is twice the best seen`
          },
          adapter: { name: card.name, kind: card.kind }
        },
        {
          link: `${source}: copies of ${bytes(copies[0]!.bytes)} and more`,
          efficiency: `${source}: whole passes`
        }
      ),
      calibration: {
        from: ["vericache probe"],
        fits: [
          {
            operation: "whole passes",
            samples: found.passes.samples,
            held_out: found.passes.heldOut,
            median_error: digits(found.passes.median),
            held_out_median_error: digits(found.passes.heldOutMedian),
            held_out_p90_error: digits(found.passes.heldOutP90),
            held_out_bias: digits(found.passes.heldOutBias)
          }
        ],
        notes: [
          ...copies.map(
            (one) =>
              `${one.path} of ${bytes(one.bytes)}: ${bytes(rate(one))}/s, spread ${percent(one.spread)} of ${one.repetitions}`
          ),
          ...lines
        ]
      }
    }
    yield* writeWhole(output.value, [yamlText(fields)])
    yield* Console.error(`${output.value}: name it in a scenario as hardware: { profile: ${output.value} }`)
  })
).pipe(
  Command.withDescription(
    "Measure this machine's adapter: copies, submits, overlap, passes; write a hardware profile"
  ),
  Command.withExamples([
    { command: "vericache probe -o my-gpu.yaml", description: "A profile that scenarios can name" }
  ])
)
