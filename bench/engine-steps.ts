/** Decode steps and verifies on the adapter at hand, beside its copies; what the host adds; plain TypeScript beside them. */
import { Clock, Effect } from "effect"
import { fullView } from "../src/engine/cache/device-cache.ts"
import { openDeviceState } from "../src/engine/device-state.ts"
import { ROW, type Row } from "../src/engine/model/forward.ts"
import { ReferenceDecoder } from "../src/engine/model/reference.ts"
import { measureBandwidth } from "../src/engine/probe/bandwidth.ts"
import type { Device } from "../src/engine/webgpu/device.ts"
import { describePassTimes } from "../src/engine/webgpu/timestamps.ts"
import type { Checkpoint } from "../src/engine/weights/checkpoint.ts"
import { elsewhere } from "./cpu.ts"
import { runPeer } from "./engine-peer.ts"
import { median, scatter, type Section } from "./section.ts"

const CONTEXT = 512
const STEPS = 16
const REPEATS = 5
const SLOTS = 8
const ROOM = 64
const PAGE = 16

const GB = 1e9

interface Timed {
  readonly seconds: number
  /** Half the range of the repetitions over the median, percent. */
  readonly scatter: number
  /** Least seconds the threads of the adapter computed: on a software adapter what the work costs, however busy the machine. */
  readonly cpu: number
}

/** Repeats the same work after a warm-up. */
const timed = Effect.fnUntraced(function* <E>(work: Effect.Effect<unknown, E>) {
  yield* work
  const all: number[] = []
  let cpu = Number.POSITIVE_INFINITY
  for (let i = 0; i < REPEATS; i++) {
    const [start, before] = [performance.now(), elsewhere()]
    yield* work
    all.push((performance.now() - start) / 1000)
    cpu = Math.min(cpu, elsewhere() - before)
  }
  return { seconds: median(all), scatter: 100 * scatter(all), cpu } satisfies Timed
})

const open = (gpu: GPU, device: Device, checkpoint: Checkpoint) =>
  Effect.gen(function* () {
    const { config } = checkpoint
    const state = yield* openDeviceState({
      gpu,
      device,
      checkpoint,
      shape: {
        config,
        kvBits: 16,
        pageTokens: PAGE,
        maxTokens: CONTEXT + ROOM,
        slots: SLOTS,
        maxRows: 64,
        queryRows: 1
      },
      pages: SLOTS * ((CONTEXT + ROOM) / PAGE),
      needs: {},
      timestamps: true,
      onProgress: () => {}
    })
    for (let slot = 0; slot < SLOTS; slot++) {
      state.cache.clearPacked(fullView(slot))
      state.cache.setTail(fullView(slot), state.cache.pages.take((CONTEXT + ROOM) / PAGE)!)
    }
    return state
  })

const row = (slot: number, position: number): Row => ({
  view: fullView(slot),
  position,
  tail: position,
  flags: ROW.next
})

/** Steps of full KV at contexts of 512 tokens, and the copies of the same run. */
export const steps = (gpu: GPU, device: Device, checkpoint: Checkpoint, peer: string | undefined) =>
  Effect.gen(function* () {
    const { config } = checkpoint
    const state = yield* open(gpu, device, checkpoint)
    const { forward, weightBytes, timestamps } = state
    const clock = yield* Clock.Clock
    const start = clock.currentTimeNanosUnsafe()
    const now = (): number => Number(clock.currentTimeNanosUnsafe() - start)
    const timing = yield* (
      timestamps?.align(now) ?? Effect.succeed({ usable: false as const, reason: "the adapter has none" })
    )
    const { copy, upload } = yield* measureBandwidth(device)
    const run = (rows: readonly Row[], count: number) =>
      Effect.suspend(() => {
        forward.submit({
          rows,
          choices: rows.map((_, i) => i),
          steps: count,
          entries: CONTEXT + rows.length + count,
          rotated: false,
          observed: false,
          queried: false
        })
        return state.device.read(forward.out, 0, 4 * rows.length * count)
      })
    const kvBytes = (config.layers * 2 * config.kvHeads * config.headDim * 16) / 8
    const rows: Record<string, string | number | undefined>[] = []
    const tell = (
      what: string,
      { seconds, scatter: spread, cpu }: Timed,
      tokens: number,
      kvTokens: number,
      host?: number
    ): void => {
      const bytes = weightBytes + kvTokens * kvBytes
      rows.push({
        what,
        ms: 1000 * seconds,
        scatter: spread,
        cpu: device.card.kind === "software" ? 1000 * cpu : undefined,
        tokensPerSecond: tokens / seconds,
        bandwidth: bytes / seconds / GB,
        ofCopy: (100 * bytes) / seconds / copy,
        host
      })
    }
    for (const batch of [1, 4, 8]) {
      const members = Array.from({ length: batch }, (_, slot) => row(slot, CONTEXT))
      const many = yield* timed(run(members, STEPS))
      // One step a submission, as when other requests come and go: the share of it the device does not work.
      const from = now()
      let passing = 0
      for (let i = 0; i < REPEATS; i++) {
        const began = now()
        yield* run(members, 1)
        const stamp = yield* timestamps?.take(began, now()) ?? Effect.undefined
        if (stamp !== undefined) passing += (stamp.end - stamp.begin) / (now() - began)
      }
      const host = timing.usable && now() > from ? 100 * (1 - passing / REPEATS) : undefined
      const each = { ...many, seconds: many.seconds / STEPS, cpu: many.cpu / STEPS }
      tell(`decode, batch ${batch}`, each, batch, batch * CONTEXT, host)
    }
    for (const span of [4, 8, 16]) {
      const members = Array.from({ length: span }, (_, i) => row(0, CONTEXT + i))
      // The positions of a span share their context; it need be read once.
      tell(`verify of ${span}`, yield* timed(run(members, 1)), span, CONTEXT)
    }
    state.close()
    rows.push(...(yield* onCpu(checkpoint)))
    const peerRow = yield* peerOf(checkpoint, peer)
    if (peerRow.row !== undefined) rows.push(peerRow.row)
    return {
      name: "steps",
      title: `Decode and verify on ${device.card.name}, contexts of ${CONTEXT} tokens`,
      columns: [
        { key: "what", title: "what" },
        { key: "ms", title: "ms", digits: 2 },
        { key: "scatter", title: "±", digits: 0, unit: " %" },
        { key: "cpu", title: "CPU ms", digits: 1 },
        { key: "tokensPerSecond", title: "tok/s", digits: 1 },
        { key: "bandwidth", title: "GB/s", digits: 2 },
        { key: "ofCopy", title: "of copy", digits: 1, unit: " %" },
        { key: "host", title: "host", digits: 0, unit: " %" }
      ],
      rows,
      notes: [
        `copy in the device ${(copy / GB).toFixed(1)} GB/s (read and written), upload ${(upload / GB).toFixed(1)} GB/s, in the same run`,
        "GB/s: weights once and KV once a step; host: share of a lone step, submitted and read back, in which the device does not work",
        "CPU ms: of a software adapter's threads, the least of the repetitions; it depends little on what else the machine does",
        `times by the ${describePassTimes(timing)}`,
        peerRow.note
      ]
    } satisfies Section
  })

const onCpu = (checkpoint: Checkpoint) =>
  Effect.gen(function* () {
    const decoder = yield* ReferenceDecoder.load(checkpoint)
    for (let position = 0; position < CONTEXT; position++) decoder.step(1, position)
    const start = performance.now()
    for (let position = CONTEXT; position < CONTEXT + ROOM; position++) decoder.step(1, position)
    const seconds = (performance.now() - start) / 1000 / ROOM
    return [{ what: "plain TypeScript, one thread", ms: 1000 * seconds, tokensPerSecond: 1 / seconds }]
  })

/** llama.cpp's greedy tokens are compared with plain TypeScript's, so that the same model is known to have run. */
const peerOf = (checkpoint: Checkpoint, folder: string | undefined) =>
  Effect.gen(function* () {
    const prompt = Array.from({ length: CONTEXT }, (_, i) => (31 * i + 7) % checkpoint.config.vocab)
    const result = yield* Effect.promise(() => runPeer(folder, checkpoint, prompt, ROOM, 1))
    if (typeof result === "string") return { row: undefined, note: `llama.cpp: ${result}` }
    const decoder = yield* ReferenceDecoder.load(checkpoint)
    let logits = new Float32Array(0) as Float32Array
    for (const [position, token] of prompt.entries()) logits = decoder.step(token, position)
    let same = 0
    for (const [i, token] of result.tokens.entries()) {
      if (logits.indexOf(Math.max(...logits)) !== token) break
      same++
      logits = decoder.step(token, prompt.length + i)
    }
    const { tokensPerSecond } = result
    return {
      row: { what: "llama.cpp, one thread", ms: 1000 / tokensPerSecond, tokensPerSecond },
      note: `llama.cpp: the same weights; its first ${same} of ${result.tokens.length} greedy tokens are plain TypeScript's`
    }
  })
