/**
 * The engine on the adapter at hand: what decode steps and verifies reach beside copies measured in the same run, what the
 * host adds, the same model in plain TypeScript and, if it is installed, in llama.cpp.
 *
 *     npm run bench:engine [-- --model DIR] [-- --software] [-- --peer DIR] [-- --json]
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { nodeGpu } from "../src/cli/gpu.ts"
import { folderFiles } from "../src/cli/model-files.ts"
import { type AdapterCard, openDevice } from "../src/engine/webgpu/device.ts"
import { openCheckpoint } from "../src/engine/weights/open.ts"
import { steps } from "./engine-steps.ts"
import { render } from "./section.ts"

const EMBEDDED = join(import.meta.dirname, "..", "models", "vericache-1m")

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: EMBEDDED },
    peer: { type: "string" },
    software: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})

const describe = ({ name, kind }: AdapterCard): string =>
  kind === "software" ? `${name} (software adapter: no evidence of any GPU's speed)` : name

const bench = Effect.scoped(
  Effect.gen(function* () {
    const checkpoint = yield* openCheckpoint(folderFiles(flags.model))
    const gpu = yield* nodeGpu(flags.software ? "software" : "auto")
    const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
    const { card } = device
    if (!flags.json) console.log(`${describe(card)}\n`)
    const section = yield* steps(gpu, device, checkpoint, flags.peer)
    if (!flags.json) return console.log(render(section))
    console.log(JSON.stringify({ adapter: card.name, adapterKind: card.kind, ...section }, undefined, 2))
  })
)

await Effect.runPromise(bench)
process.exit(0)
