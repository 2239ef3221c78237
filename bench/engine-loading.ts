/**
 * The memory loading takes: the peak of a process that puts a made-up model in shards on the software adapter, whose device
 * memory is the process's own, over that of one that loads the embedded model. With a folder it is such a process.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { nodeGpu } from "../src/cli/gpu.ts"
import { folderFiles } from "../src/cli/model-files.ts"
import type { ModelConfig } from "../src/engine/model/config.ts"
import { loadModel } from "../src/engine/model/device-model.ts"
import { openDevice } from "../src/engine/webgpu/device.ts"
import { allTensors, configJson, sharded } from "../src/engine/weights/files.fixture.ts"
import { openCheckpoint } from "../src/engine/weights/open.ts"
import { randomCheckpoint } from "../src/engine/weights/random.ts"
import { inChild } from "./child.ts"
import type { Section } from "./section.ts"

const EMBEDDED = join(import.meta.dirname, "..", "models", "vericache-1m")
const KERNELS = join(import.meta.dirname, "..", "scripts", "wgsl.ts")
const SHARDS = 4
const MODEL: ModelConfig = {
  modelType: "llama",
  hidden: 768,
  layers: 16,
  heads: 12,
  kvHeads: 4,
  headDim: 64,
  intermediate: 2048,
  vocab: 32_000,
  maxPositions: 4096,
  normEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { kind: "none" },
  tied: true,
  qkvBias: false,
  outputBias: false,
  qkNorm: false,
  eosTokens: []
}
const MB = 1e6

interface Loaded {
  readonly modelBytes: number
  readonly peakBytes: number
  readonly seconds: number
}

/** What `resourceUsage` says of the peak counts what the parent had when it started this process. */
const peakOfProcess = (): number => {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]
  return 1024 * Number(kib)
}

const load = (folder: string): Effect.Effect<Loaded, unknown> =>
  Effect.gen(function* () {
    const device = yield* openDevice(yield* nodeGpu("software"))
    const start = performance.now()
    const { bytes } = yield* loadModel(device, yield* openCheckpoint(folderFiles(folder)), () => {})
    yield* device.idle
    const seconds = (performance.now() - start) / 1000
    return { modelBytes: bytes, peakBytes: peakOfProcess(), seconds }
  })

export const loading = async (): Promise<Section> => {
  const folder = mkdtempSync(join(tmpdir(), "vericache-loading-"))
  try {
    const files = sharded(allTensors(randomCheckpoint(MODEL, 1, "F16")), SHARDS)
    for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data)
    writeFileSync(join(folder, "config.json"), configJson(MODEL))
    const shard = Math.max(...Object.values(files).map(({ length }) => length))
    const child = (which: string) => inChild<Loaded>("engine-loading.ts", [which], ["--import", KERNELS])
    const [least, most] = [await child(EMBEDDED), await child(folder)]
    const model = most.modelBytes - least.modelBytes
    const raised = most.peakBytes - least.peakBytes
    return {
      name: "loading",
      title: `Memory of loading a model in ${SHARDS} shards, on the software adapter`,
      columns: [
        { key: "model", title: "model MB", digits: 0 },
        { key: "shard", title: "largest shard MB", digits: 0 },
        { key: "raised", title: "peak raised by MB", digits: 0 },
        { key: "above", title: "above the model MB", digits: 0 },
        { key: "seconds", title: "s", digits: 1 }
      ],
      rows: [
        {
          model: model / MB,
          shard: shard / MB,
          raised: raised / MB,
          above: (raised - model) / MB,
          seconds: most.seconds
        }
      ],
      notes: [
        "peak resident memory over that of a process that loads the embedded model; the device's memory is in it once"
      ]
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const [folder] = import.meta.main ? process.argv.slice(2) : []
if (folder !== undefined) {
  console.log(JSON.stringify(await Effect.runPromise(load(folder))))
  process.exit(0)
}
