/** The whole forward pass against the plain TypeScript decoder, and the embedded model against its authors' evaluation. */
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { folderFiles } from "../../cli/model-files.ts"
import { type DeviceState, openDeviceState } from "../device-state.ts"
import { softwareDevice, tinyConfig } from "../engine.fixture.ts"
import { distance, noise } from "../kernels/kernel.fixture.ts"
import { type EngineShape, SPAN } from "../kernels/shape.ts"
import { Device } from "../webgpu/device.ts"
import type { Checkpoint, Dtype } from "../weights/checkpoint.ts"
import { fromFloat32, toFloat32 } from "../weights/dtype.ts"
import { openCheckpoint } from "../weights/open.ts"
import { randomCheckpoint } from "../weights/random.ts"
import type { ModelConfig } from "./config.ts"
import { Positions } from "./positions.ts"
import { ReferenceDecoder } from "./reference.ts"

const YARN = {
  kind: "yarn",
  factor: 4,
  originalPositions: 64,
  betaFast: 32,
  betaSlow: 1,
  attentionFactor: 1.3
} as const
const LLAMA3 = {
  kind: "llama3",
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalPositions: 64
} as const

const FEATURES: Readonly<Record<string, { readonly config?: Partial<ModelConfig>; readonly dtype?: Dtype }>> =
  {
    "grouped queries, tied": {},
    "F16 weights": { dtype: "F16" },
    "BF16 weights, untied": { dtype: "BF16", config: { tied: false } },
    "as many KV heads as queries": { config: { kvHeads: 4 } },
    "one KV head of 64 channels, an odd vocabulary": {
      config: { kvHeads: 1, heads: 3, headDim: 64, vocab: 59 }
    },
    "biases on q, k and v": { config: { qkvBias: true } },
    "biases on all projections": { config: { qkvBias: true, outputBias: true } },
    "QK-norm": { config: { qkNorm: true } },
    "a sliding window": { config: { slidingWindow: 23 } },
    "linear RoPE": { config: { ropeScaling: { kind: "linear", factor: 4 } } },
    "llama3 RoPE": { config: { ropeScaling: LLAMA3 } },
    "yarn RoPE": { config: { ropeScaling: YARN } },
    "all at once": {
      dtype: "BF16",
      config: { tied: false, qkvBias: true, outputBias: true, qkNorm: true, slidingWindow: 7, kvHeads: 1 }
    }
  }

/** Random weights with gains that are not all one. */
const checkpointOf = (config: ModelConfig, dtype: Dtype): Checkpoint => {
  const made = randomCheckpoint(config, 11, dtype)
  return {
    ...made,
    read: (name, part) =>
      Effect.map(made.read(name, part), (bytes) => {
        if (!name.includes("norm")) return bytes
        const gains = toFloat32(bytes, dtype)
        return fromFloat32(
          gains.map((gain, i) => gain + ((i * 7) % 5) / 4),
          dtype
        )
      })
  }
}

type Sizes = Pick<EngineShape, "kvBits" | "maxTokens" | "maxRows">

/** `binding`: bytes a kernel may see of one buffer, in place of what the adapter allows. */
const open = async (checkpoint: Checkpoint, sizes: Sizes, binding?: number) => {
  const { gpu, device: shared } = await softwareDevice()
  const device =
    binding === undefined
      ? shared
      : new Device(shared.raw, { ...shared.card, maxBindingBytes: binding }, shared)
  const pages = Math.ceil(sizes.maxTokens / 16)
  const state: DeviceState & { readonly shape: EngineShape } = await Effect.runPromise(
    openDeviceState({
      gpu,
      device,
      checkpoint,
      shape: { config: checkpoint.config, pageTokens: 16, slots: 1, queryRows: 1, ...sizes },
      pages,
      needs: {},
      onProgress: () => {}
    })
  )
  const positions = new Positions(state, state.shape)
  return { state, positions, pages: Array.from({ length: pages }, (_, page) => page).toReversed() }
}

describe("an adapter that shows kernels little of a buffer", () => {
  const checkpoint = checkpointOf(
    tinyConfig({ hidden: 128, vocab: 2100, intermediate: 2056, outputBias: true }),
    "F32"
  )
  const sizes = { kvBits: 16, maxTokens: 80, maxRows: 8 } as const

  it("computes the same bits from matrices in pieces", async () => {
    const tokens = Array.from(noise(16, 3), (value) => Math.floor((value + 1) * 1000))
    const results: { readonly bits: readonly Uint32Array[]; readonly buffers: number }[] = []
    for (const binding of [undefined, 1 << 20]) {
      const { state, positions, pages } = await open(checkpoint, sizes, binding)
      positions.open(0, tokens, pages)
      const bits: Uint32Array[] = []
      for (const from of [0, 8]) {
        const span = Array.from({ length: 8 }, (_, i) => ({ slot: 0, position: from + i }))
        for (const { logits } of await Effect.runPromise(positions.compute(span)))
          bits.push(new Uint32Array(logits.buffer))
      }
      results.push({ bits, buffers: state.device.allocated.buffers })
      state.close()
    }
    expect(results[1]!.bits).toEqual(results[0]!.bits)
    // The table of tokens in two pieces; in each of two layers gate and up in three, down in two.
    expect(results[1]!.buffers - results[0]!.buffers).toBe(1 + 2 * (2 + 1))
  })

  it("refuses what cannot be cut, and says what it is", async () => {
    await expect(open(checkpoint, sizes, 100 << 10)).rejects.toThrow(
      /^scores needs 131072 bytes in one buffer; .* allows 102400$/
    )
    await expect(open(checkpoint, sizes, 24 << 10)).rejects.toThrow(/four columns need 32896 bytes/)
    await expect(open(checkpoint, sizes, 4 << 10)).rejects.toThrow(/the KV caches need 20480 bytes/)
  })
})

describe("the forward pass", () => {
  it.each(Object.entries(FEATURES))(
    "computes the reference's logits: %s",
    async (_, { config = {}, dtype = "F32" }) => {
      const checkpoint = checkpointOf(tinyConfig(config), dtype)
      const { vocab } = checkpoint.config
      const tokens = Array.from(noise(70, 3), (value) => Math.floor(((value + 1) * vocab) / 2))
      const decoder = Effect.runSync(ReferenceDecoder.load(checkpoint))
      const expected = tokens.map((token, position) => decoder.step(token, position))
      // Half precision in the cache is one code path whatever the architecture; two of them show that it is close.
      const stores = Object.keys(config).length > 1 ? ([32, 16] as const) : ([32] as const)
      for (const kvBits of stores) {
        const tolerance = kvBits === 32 ? 2e-4 : 2e-2
        const { state, positions, pages } = await open(checkpoint, { kvBits, maxTokens: 80, maxRows: 40 })
        positions.open(0, tokens, pages)
        for (const [from, to] of [
          [0, 40],
          [40, 69],
          [69, 70]
        ] as const) {
          const span = Array.from({ length: to - from }, (_row, i) => ({ slot: 0, position: from + i }))
          for (const [i, said] of (await Effect.runPromise(positions.compute(span))).entries()) {
            const logits = expected[from + i]!
            expect(distance(said.logits, logits)).toBeLessThan(tolerance)
            const [first, second] = logits.toSorted((a, b) => b - a)
            const magnitude = Math.max(...logits.map(Math.abs))
            if (first! - second! > 2 * tolerance * magnitude) expect(said.token).toBe(logits.indexOf(first!))
          }
        }
        state.close()
      }
    }
  )
})

interface Golden {
  readonly cases: readonly {
    readonly name: string
    readonly prompt_ids: readonly number[]
    readonly continuation_ids: readonly number[]
    readonly top5: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[]
  }[]
}

const folder = "models/vericache-1m"
const golden = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8")) as Golden

describe("the embedded model on the device", () => {
  /** The long prompt takes a software adapter a minute or more: with VERICACHE_FUZZ alone. */
  const isShort = ({ prompt_ids: ids }: Golden["cases"][number]): boolean => ids.length <= 256
  const cases = process.env["VERICACHE_FUZZ"] === undefined ? golden.cases.filter(isShort) : golden.cases

  it.each(cases)(
    "continues $name as its authors computed it",
    async (one) => {
      const checkpoint = Effect.runSync(openCheckpoint(folderFiles(folder)))
      const { prompt_ids: prompt, continuation_ids: continuation } = one
      const sizes = { kvBits: 32, maxTokens: prompt.length + continuation.length, maxRows: 128 } as const
      const { state, positions, pages } = await open(checkpoint, sizes)
      const tokens = [...prompt, ...continuation]
      positions.open(0, tokens, pages)
      // The prompt in chunks; then its continuation as a verify sees it, all of it in one span.
      for (let from = 0; from < prompt.length - 1; from += 128) {
        const count = Math.min(128, prompt.length - 1 - from)
        positions.feed(Array.from({ length: count }, (_, i) => ({ slot: 0, position: from + i })))
      }
      const span = continuation.map((_, i) => ({ slot: 0, position: prompt.length - 1 + i }))
      const said = await Effect.runPromise(positions.compute(span))
      expect(said.map(({ token }) => token)).toEqual(continuation)
      for (const [i, top] of one.top5.entries())
        for (const [rank, id] of top.ids.entries())
          expect(Math.abs(said[i]!.logits[id]! - top.logits[rank]!)).toBeLessThan(2e-3)
      state.close()
    },
    600_000
  )

  it("computes the reference's logits beyond the first span of values", async () => {
    const checkpoint = Effect.runSync(openCheckpoint(folderFiles(folder)))
    const tokens = golden.cases.find((one) => !isShort(one))!.prompt_ids.slice(0, SPAN + 10)
    const decoder = Effect.runSync(ReferenceDecoder.load(checkpoint))
    const expected = tokens.map((token, position) => decoder.step(token, position))
    const { state, positions, pages } = await open(checkpoint, { kvBits: 32, maxTokens: 528, maxRows: 128 })
    positions.open(0, tokens, pages)
    for (let from = 0; from < SPAN; from += 128)
      positions.feed(Array.from({ length: 128 }, (_, i) => ({ slot: 0, position: from + i })))
    const span = Array.from({ length: 12 }, (_, i) => ({ slot: 0, position: SPAN - 2 + i }))
    for (const [i, said] of (await Effect.runPromise(positions.compute(span))).entries())
      expect(distance(said.logits, expected[SPAN - 2 + i]!)).toBeLessThan(2e-4)
    state.close()
  })
})
