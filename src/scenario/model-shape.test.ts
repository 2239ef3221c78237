/** The catalog's shapes against what their makers publish. */
import { describe, expect, it } from "vitest"
import { CATALOG } from "./catalog.fixture.ts"
import { modelOf } from "./entries.ts"
import {
  attentionParameters,
  kvBytesPerToken,
  kvShape,
  mlpParameters,
  parameters,
  weightBytes
} from "./model-shape.ts"
import type { Model } from "./resolved.ts"

const model = (name: string): Model => modelOf(CATALOG.models.get(name)!)

/** Parameters in billions as the model cards give them, to the last digit given there. */
const PUBLISHED: readonly (readonly [string, number, number])[] = [
  ["llama-3.1-8b", 8.03, 0.005],
  ["llama-3.1-70b", 70.6, 0.05],
  ["llama-3.1-405b", 406, 0.5],
  ["llama-3.2-1b", 1.24, 0.005],
  ["llama-2-7b", 6.74, 0.005],
  ["llama-2-13b", 13.02, 0.01],
  ["qwen2.5-32b", 32.8, 0.05],
  ["qwen2.5-0.5b", 0.494, 0.001],
  ["qwen3-0.6b", 0.596, 0.001],
  ["qwen3-32b", 32.8, 0.05],
  ["qwen3-30b-a3b", 30.5, 0.05],
  ["mistral-small-24b", 23.6, 0.05],
  ["gemma-3-27b", 27.0, 0.05],
  ["deepseek-v3", 671, 0.5]
]

describe("parameters counted from the shapes", () => {
  it.each(PUBLISHED)("%s has %f billion", (name, billions, tolerance) => {
    expect(Math.abs(parameters(model(name)) / 1e9 - billions)).toBeLessThanOrEqual(tolerance)
  })

  it("are those a token passes through for mixtures of experts", () => {
    const active = (one: Model): number =>
      one.layers.reduce(
        (sum, { count, attention, mlp }) =>
          sum + count * (attentionParameters(attention, one.hidden) + mlpParameters(mlp, one.hidden).active),
        2 * one.vocab * one.hidden
      ) / 1e9
    // Model cards: 3.3 B of 30.5 B, 37 B of 671 B.
    expect(Math.abs(active(model("qwen3-30b-a3b")) - 3.3)).toBeLessThan(0.06)
    expect(Math.abs(active(model("deepseek-v3")) - 37)).toBeLessThan(1)
  })
})

describe("KV bytes of a token", () => {
  // 2 × layers × KV heads × width × 2 bytes.
  it.each([
    ["llama-3.1-8b", 2 * 32 * 8 * 128 * 2],
    ["llama-3.1-70b", 2 * 80 * 8 * 128 * 2],
    ["llama-3.1-405b", 2 * 126 * 8 * 128 * 2],
    ["llama-2-7b", 2 * 32 * 32 * 128 * 2],
    ["qwen2.5-32b", 2 * 64 * 8 * 128 * 2],
    ["qwen3-0.6b", 2 * 28 * 8 * 128 * 2],
    ["mistral-small-24b", 2 * 40 * 8 * 128 * 2]
  ])("of %s are %i", (name, bytes) => {
    expect(kvBytesPerToken(model(name))).toBe(bytes)
  })

  it("of latent attention are one latent and one rotary key a layer", () => {
    expect(kvBytesPerToken(model("deepseek-v3"))).toBe(61 * (512 + 64) * 2)
  })

  it("of sliding windows are counted apart", () => {
    const gemma = kvShape(model("gemma-3-27b"))
    expect(gemma).toEqual({
      globalBytesPerToken: 10 * 2 * 16 * 128 * 2,
      localBytesPerToken: 52 * 2 * 16 * 128 * 2,
      window: 1024
    })
  })

  it("are as stated where a paper states them, in the same proportion", () => {
    const gemma = model("gemma-3-27b")
    const stated = kvShape({ ...gemma, kvBytesPerToken: 1_000_000 })
    const counted = kvShape(gemma)
    expect(stated.globalBytesPerToken + stated.localBytesPerToken).toBeCloseTo(1_000_000, 3)
    expect(stated.globalBytesPerToken / stated.localBytesPerToken).toBeCloseTo(
      counted.globalBytesPerToken / counted.localBytesPerToken,
      9
    )
  })
})

describe("weight bytes", () => {
  it("follow the width of a weight, or what is stated", () => {
    const llama = model("llama-3.1-8b")
    expect(weightBytes(llama)).toBe(parameters(llama) * 2)
    expect(weightBytes({ ...llama, weightBytesPerParam: 0.5 })).toBe(parameters(llama) / 2)
    expect(weightBytes({ ...llama, weightBytes: 16e9 })).toBe(16e9)
  })

  it("count embeddings once where they are tied", () => {
    const tied = model("llama-3.2-1b")
    expect(parameters({ ...tied, tiedEmbeddings: false }) - parameters(tied)).toBe(tied.vocab * tied.hidden)
  })
})
