/**
 * The engine on the adapter at hand: what decode steps and verifies reach beside copies measured in the same run, what the
 * host adds, and the same model in plain TypeScript on the CPU.
 *
 *     npm run bench:engine [-- --model DIR] [-- --software]
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { nodeGpu } from "../src/cli/gpu.ts"
import { folderFiles } from "../src/cli/model-files.ts"
import { fullView } from "../src/engine/cache/device-cache.ts"
import { openDeviceState } from "../src/engine/device-state.ts"
import { ROW, type Row } from "../src/engine/model/forward.ts"
import { ReferenceDecoder } from "../src/engine/model/reference.ts"
import { measureBandwidth } from "../src/engine/probe/bandwidth.ts"
import { openCheckpoint } from "../src/engine/weights/open.ts"

const { values: flags } = parseArgs({
  options: { model: { type: "string" }, software: { type: "boolean", default: false } }
})
const folder = flags.model ?? join(import.meta.dirname, "..", "models", "vericache-1m")

const CONTEXT = 512
const STEPS = 16
const REPEATS = 5

/** Seconds of a run, the best of a few. */
const best = Effect.fnUntraced(function* <E>(work: Effect.Effect<unknown, E>) {
  yield* work
  let seconds = Number.POSITIVE_INFINITY
  for (let i = 0; i < REPEATS; i++) {
    const start = performance.now()
    yield* work
    seconds = Math.min(seconds, (performance.now() - start) / 1000)
  }
  return seconds
})

const bench = Effect.gen(function* () {
  const checkpoint = yield* openCheckpoint(folderFiles(folder))
  const { config } = checkpoint
  const slots = 8
  const state = yield* openDeviceState({
    gpu: yield* nodeGpu(flags.software ? "software" : "auto"),
    checkpoint,
    shape: {
      config,
      kvBits: 16,
      pageTokens: 16,
      maxTokens: CONTEXT + 64,
      slots,
      maxRows: 64,
      queryRows: 1
    },
    pages: slots * ((CONTEXT + 64) / 16),
    needs: {},
    onProgress: () => {}
  })
  const { device, cache, forward, weightBytes } = state
  const software =
    device.card.kind === "software" ? " (software adapter: no evidence of any GPU's speed)" : ""
  console.log(`${device.card.name}${software}`)
  const { copy, upload } = yield* measureBandwidth(device)
  const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB/s`
  console.log(`copy in the device  ${gb(copy)} (reads and writes)`)
  console.log(`upload              ${gb(upload)}`)

  for (let slot = 0; slot < slots; slot++) {
    cache.clearPacked(fullView(slot))
    cache.setTail(fullView(slot), cache.pages.take((CONTEXT + 64) / 16)!)
  }
  const row = (slot: number, position: number): Row => ({
    view: fullView(slot),
    position,
    tail: position,
    flags: ROW.next
  })
  const run = (rows: readonly Row[], steps: number) => {
    const choices = rows.map((_, i) => i)
    return Effect.gen(function* () {
      const entries = CONTEXT + rows.length + steps
      forward.submit({ rows, choices, steps, entries, rotated: false, observed: false, queried: false })
      yield* device.read(forward.out, 0, 4 * rows.length * steps)
    })
  }
  const kvBytes = (config.layers * 2 * config.kvHeads * config.headDim * 16) / 8
  for (const batch of [1, 4, 8]) {
    const rows = Array.from({ length: batch }, (_, slot) => row(slot, CONTEXT))
    const seconds = (yield* best(run(rows, STEPS))) / STEPS
    const bytes = weightBytes + batch * CONTEXT * kvBytes
    const share = ((100 * bytes) / seconds / copy).toFixed(0)
    console.log(
      `decode, batch ${batch}     ${(batch / seconds).toFixed(1)} tok/s, ${gb(bytes / seconds)} of weights and KV: ${share} % of the copy`
    )
  }
  const single = yield* best(run([row(0, CONTEXT)], 1))
  for (const span of [4, 8, 16]) {
    const rows = Array.from({ length: span }, (_, i) => row(0, CONTEXT + i))
    const seconds = yield* best(run(rows, 1))
    console.log(
      `verify ${String(span).padStart(2)} positions ${(seconds * 1000).toFixed(2)} ms: ${(seconds / single).toFixed(2)} × one decode step of ${(single * 1000).toFixed(2)} ms`
    )
  }
  const encode = performance.now()
  for (let i = 0; i < 20; i++)
    forward.submit({
      rows: [row(0, CONTEXT)],
      choices: [0],
      steps: 1,
      entries: CONTEXT + 1,
      rotated: false,
      observed: false,
      queried: false
    })
  const host = (performance.now() - encode) / 20
  yield* device.idle
  console.log(
    `host per pass       ${host.toFixed(2)} ms to encode and submit: ${((host / single) * 0.1).toFixed(0)} % of a decode step`
  )
  state.close()

  const decoder = yield* ReferenceDecoder.load(checkpoint)
  for (let position = 0; position < 64; position++) decoder.step(1, position)
  const start = performance.now()
  for (let position = 64; position < 128; position++) decoder.step(1, position)
  console.log(
    `plain TypeScript    ${(64_000 / (performance.now() - start)).toFixed(1)} tok/s on one CPU thread, contexts of 64–128`
  )
})

await Effect.runPromise(bench)
process.exit(0)
