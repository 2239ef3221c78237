/**
 * Replays a measured vLLM run and compares latencies:
 *   node scripts/validate-vllm-run.ts RUN-FOLDER PROFILE-FOLDER [roofline]
 * The run folder has requests.jsonl and meta.json, the profile folder dense.csv, attention.csv and per_sequence.csv.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Exit } from "effect"
import { readEngineLog } from "../src/planning/import/engine-log.ts"
import { STATISTICS } from "../src/planning/import/measured-run.ts"
import {
  joinProfiles,
  type ProfilePart,
  readProfilePart,
  tablesOfProfile
} from "../src/planning/calibrate/kernel-tables.ts"
import type { Scenario } from "../src/scenario/resolved.ts"
import { readCatalog } from "../src/sim/scenarios.fixture.ts"
import { hardwareOf, modelOf } from "../src/scenario/entries.ts"
import { simulate } from "../src/sim/simulate.ts"

const [runFolder, profileFolder, mode, ...knobs] = process.argv.slice(2)
const knob = (name: string): number | undefined => {
  const found = knobs.find((one) => one.startsWith(`${name}=`))
  return found === undefined ? undefined : Number(found.slice(name.length + 1))
}
const meta = JSON.parse(readFileSync(join(runFolder!, "meta.json"), "utf8"))
const { run, faults } = readEngineLog(
  "requests.jsonl",
  readFileSync(join(runFolder!, "requests.jsonl"), "utf8")
)
if (run === undefined) throw new Error(JSON.stringify(faults))
const parts = (
  [
    ["dense", "dense.csv"],
    ["attention", "attention.csv"],
    ["per-sequence", "per_sequence.csv"]
  ] as readonly (readonly [ProfilePart, string])[]
).map(([part, file]) => readProfilePart(part, file, readFileSync(join(profileFolder!, file), "utf8")).profile)
const { attentionMixed, ...rest } = tablesOfProfile(joinProfiles(parts), profileFolder!)
const tables = mode === "nomix" || attentionMixed === undefined ? rest : { ...rest, attentionMixed }
const catalog = readCatalog()
const is4090 = String(meta.model).includes("8B")
const base = hardwareOf(catalog.hardware.get(is4090 ? "rtx-4090" : "rtx-pro-6000")!)
const model = modelOf(catalog.models.get(is4090 ? "llama-3.1-8b" : "qwen3-32b")!)
const kwargs = meta.engine_kwargs
const scenario: Scenario = {
  name: "replay",
  description: "",
  seed: 1,
  model,
  hardware: {
    ...base,
    stepOverhead: knob("step") ?? base.stepOverhead,
    stepOverheadPerRequest: knob("perreq") ?? base.stepOverheadPerRequest,
    interconnect: {
      bandwidth: knob("bw") ?? base.interconnect.bandwidth,
      latency: knob("lat") ?? base.interconnect.latency
    },
    ...(mode === "roofline" ? {} : { tables })
  },
  engine: {
    tensorParallelSize: kwargs.tensor_parallel_size,
    dataParallelSize: 1,
    maxNumSeqs: kwargs.max_num_seqs,
    maxNumBatchedTokens: kwargs.max_num_batched_tokens,
    blockSize: 16,
    gpuMemoryUtilization: 0.9,
    reservedBytes: 2 * 2 ** 30,
    enablePrefixCaching: true,
    horizon: 128,
    asyncScheduling: knob("async") !== 0,
    ...(meta.kv_cache?.num_gpu_blocks === undefined ? {} : { numGpuBlocks: meta.kv_cache.num_gpu_blocks })
  },
  deployment: { kind: "long-context" },
  workload: {
    context: "prefill",
    kind: "trace",
    requests: run.requests,
    blockTokens: 512,
    origin: base.origin
  },
  methods: [{ name: "full-kv", method: { kind: "full-kv" } }],
  baseline: "full-kv",
  faults: { reloadFailure: 0, cancel: 0 },
  objectives: [],
  assumptions: []
}
const exit = simulate(scenario, scenario.methods[0]!)
if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
const { metrics } = exit.value
console.log(
  metrics.events,
  metrics.limits,
  metrics.duration,
  metrics.throughput.tokensPerSecond,
  run.tokensPerSecond
)
for (const name of ["ttft", "tpot", "e2el"] as const) {
  const measured = run.latencies[name]!
  const ours = metrics[name]
  console.log(
    name.padEnd(5),
    STATISTICS.map((s) => {
      const b = ours[s as keyof typeof ours] as number
      return `${s} ${measured[s]!.toFixed(4)} ${b.toFixed(4)} ${((b / measured[s]! - 1) * 100).toFixed(1)}%`
    }).join(" | ")
  )
}
