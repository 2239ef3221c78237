/**
 * The benchmark of the engine, or parts of it. `steps`: decode and verify on the adapter at hand beside copies measured in the
 * same run, what the host adds, the same model in plain TypeScript and, if it is installed, in llama.cpp. `methods`: ways to
 * serve under one memory budget, end to end. Only if named: `loading`: memory of loading; `rounds`: what ten thousand leave.
 *
 *     npm run bench:engine [-- steps methods loading rounds] [-- --model DIR] [-- --software] [-- --peer DIR] [-- --json]
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { nodeGpu } from "../src/cli/gpu.ts"
import { folderFiles } from "../src/cli/model-files.ts"
import { type AdapterCard, openDevice } from "../src/engine/webgpu/device.ts"
import { openCheckpoint } from "../src/engine/weights/open.ts"
import { inChild } from "./child.ts"
import { loading } from "./engine-loading.ts"
import { methods } from "./engine-methods.ts"
import { steps } from "./engine-steps.ts"
import { render, type Section } from "./section.ts"

const EMBEDDED = join(import.meta.dirname, "..", "models", "vericache-1m")

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: EMBEDDED },
    peer: { type: "string" },
    software: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})

const describe = ({ name, kind }: AdapterCard): string =>
  kind === "software" ? `${name} (software adapter: no evidence of any GPU's speed)` : name

const stepsHere = Effect.scoped(
  Effect.gen(function* () {
    const checkpoint = yield* openCheckpoint(folderFiles(flags.model))
    const gpu = yield* nodeGpu(flags.software ? "software" : "auto")
    const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
    if (!flags.json) console.log(`${describe(device.card)}\n`)
    const section = yield* steps(gpu, device, checkpoint, flags.peer)
    return { adapter: device.card.name, adapterKind: device.card.kind, ...section }
  })
)

const kernels = join(import.meta.dirname, "..", "scripts", "wgsl.ts")

const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  steps: () => Effect.runPromise(stepsHere),
  methods: () => Effect.runPromise(methods(flags.model, flags.software ? "software" : "auto")),
  loading,
  rounds: () => inChild("engine-rounds.ts", [], ["--expose-gc", "--import", kernels])
}

const unknown = positionals.filter((name) => PARTS[name] === undefined)
if (unknown.length > 0) {
  console.error(`no part is called ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`)
  process.exit(2)
}
const sections: Section[] = []
for (const name of positionals.length > 0 ? positionals : ["steps", "methods"]) {
  const section = await PARTS[name]!()
  sections.push(section)
  if (!flags.json) console.log(render(section))
}
if (flags.json) console.log(JSON.stringify(sections, undefined, 2))
process.exit(0)
