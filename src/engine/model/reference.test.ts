import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { allTensors, configJson, memoryFiles, safetensors } from "../weights/files.fixture.ts"
import type { Checkpoint, Dtype } from "../weights/checkpoint.ts"
import { fromFloat32, toFloat32 } from "../weights/dtype.ts"
import { openCheckpoint } from "../weights/open.ts"
import { randomCheckpoint } from "../weights/random.ts"
import { inverseFrequencies, type ModelConfig } from "./config.ts"
import { ReferenceDecoder } from "./reference.ts"

const shape: ModelConfig = {
  modelType: "llama",
  hidden: 20,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediate: 28,
  vocab: 37,
  maxPositions: 256,
  normEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { kind: "none" },
  tied: false,
  qkvBias: false,
  outputBias: false,
  qkNorm: false,
  eosTokens: []
}

const FEATURES: Readonly<Record<string, Partial<ModelConfig>>> = {
  "grouped queries": {},
  "as many KV heads as queries": { kvHeads: 4 },
  "one KV head": { kvHeads: 1 },
  "tied embeddings": { tied: true },
  "biases on q, k and v": { qkvBias: true },
  "biases on all projections": { qkvBias: true, outputBias: true },
  "QK-norm": { qkNorm: true },
  "a sliding window": { slidingWindow: 5 },
  "linear RoPE": { ropeScaling: { kind: "linear", factor: 4 } },
  "llama3 RoPE": {
    ropeScaling: { kind: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 64 }
  },
  "yarn RoPE": {
    ropeScaling: {
      kind: "yarn",
      factor: 4,
      originalPositions: 64,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 1.3
    }
  },
  "all at once": { tied: true, qkvBias: true, outputBias: true, qkNorm: true, slidingWindow: 7, kvHeads: 1 }
}

/** Random weights; norms get gains that are not all one, or a forgotten gain would pass unseen. */
const checkpointOf = (config: ModelConfig, seed: number, dtype: Dtype = "F32"): Checkpoint => {
  const made = randomCheckpoint(config, seed, dtype)
  return {
    ...made,
    read: (name) =>
      Effect.map(made.read(name), (bytes) =>
        name.includes("norm")
          ? fromFloat32(
              toFloat32(bytes, dtype).map((gain, i) => gain + ((i * 7) % 5) / 4),
              dtype
            )
          : bytes
      )
  }
}

const load = (checkpoint: Checkpoint): ReferenceDecoder => Effect.runSync(ReferenceDecoder.load(checkpoint))

const stepAll = (decoder: ReferenceDecoder, tokens: readonly number[]): readonly Float32Array[] =>
  tokens.map((token, position) => decoder.step(token, position))

type Vector = readonly number[]

/** The model as its papers write it, in double precision, all positions at once and nothing remembered. */
const naive = (checkpoint: Checkpoint, tokens: readonly number[]): readonly Vector[] => {
  const { config, tensors } = checkpoint
  const { headDim, heads, kvHeads, normEps } = config
  const data = (name: string): Vector =>
    Array.from(toFloat32(Effect.runSync(checkpoint.read(name)), tensors.get(name)!.dtype))
  const rows = (name: string): readonly Vector[] => {
    const all = data(name)
    const width = tensors.get(name)!.shape[1]!
    return Array.from({ length: all.length / width }, (_, i) => all.slice(i * width, (i + 1) * width))
  }
  const sum = (values: Vector): number => values.reduce((total, value) => total + value, 0)
  const dot = (a: Vector, b: Vector): number => sum(a.map((x, i) => x * b[i]!))
  const plus = (a: Vector, b: Vector): Vector => a.map((x, i) => x + b[i]!)
  const linear = (x: readonly Vector[], name: string, biased = false): readonly Vector[] => {
    const weight = rows(`${name}.weight`)
    const bias = biased ? data(`${name}.bias`) : undefined
    return x.map((one) => weight.map((row, i) => dot(row, one) + (bias?.[i] ?? 0)))
  }
  const norm = (x: Vector, gains: Vector): Vector => {
    const rms = Math.sqrt(dot(x, x) / x.length + normEps)
    return x.map((value, i) => (value / rms) * gains[i]!)
  }
  const frequencies = inverseFrequencies(config)
  const stretch = config.ropeScaling.kind === "yarn" ? config.ropeScaling.attentionFactor : 1
  const rotate = (x: Vector, position: number): Vector =>
    x.map((value, i) => {
      const half = headDim / 2
      const angle = position * frequencies[i % half]!
      const partner = i < half ? -x[i + half]! : x[i - half]!
      return stretch * (value * Math.cos(angle) + partner * Math.sin(angle))
    })
  const headOf = (x: Vector, head: number): Vector => x.slice(head * headDim, (head + 1) * headDim)

  const table = rows("model.embed_tokens.weight")
  let stream = tokens.map((token) => table[token]!)
  for (let layer = 0; layer < config.layers; layer++) {
    const name = (part: string): string => `model.layers.${layer}.${part}`
    const normed = stream.map((x) => norm(x, data(name("input_layernorm.weight"))))
    const [q, k, v] = ["q", "k", "v"].map((part) =>
      linear(normed, name(`self_attn.${part}_proj`), config.qkvBias)
    ) as [readonly Vector[], readonly Vector[], readonly Vector[]]
    const placed = (x: Vector, head: number, position: number, part: string): Vector => {
      const one = headOf(x, head)
      return rotate(config.qkNorm ? norm(one, data(name(`self_attn.${part}_norm.weight`))) : one, position)
    }
    const mixed = tokens.map((_, i) =>
      Array.from({ length: heads }, (_head, head): Vector => {
        const kvHead = Math.floor(head / (heads / kvHeads))
        const query = placed(q[i]!, head, i, "q")
        const seen = tokens
          .map((_token, j) => j)
          .filter((j) => j <= i && i - j < (config.slidingWindow ?? Infinity))
        const weights = seen.map((j) =>
          Math.exp(dot(query, placed(k[j]!, kvHead, j, "k")) / Math.sqrt(headDim))
        )
        const total = sum(weights)
        return Array.from({ length: headDim }, (_channel, c) =>
          sum(seen.map((j, n) => (weights[n]! / total) * headOf(v[j]!, kvHead)[c]!))
        )
      }).flat()
    )
    const attended = linear(mixed, name("self_attn.o_proj"), config.outputBias)
    stream = stream.map((x, i) => plus(x, attended[i]!))
    const second = stream.map((x) => norm(x, data(name("post_attention_layernorm.weight"))))
    const gate = linear(second, name("mlp.gate_proj"))
    const up = linear(second, name("mlp.up_proj"))
    const inner = gate.map((row, i) => row.map((g, c) => (g / (1 + Math.exp(-g))) * up[i]![c]!))
    const down = linear(inner, name("mlp.down_proj"))
    stream = stream.map((x, i) => plus(x, down[i]!))
  }
  const last = stream.map((x) => norm(x, data("model.norm.weight")))
  return linear(last, config.tied ? "model.embed_tokens" : "lm_head")
}

const furthest = (ours: readonly Float32Array[], theirs: readonly Vector[]): number =>
  Math.max(...ours.flatMap((logits, i) => Array.from(logits, (x, c) => Math.abs(x - theirs[i]![c]!))))

const tokens = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 3]

describe("the reference decoder", () => {
  it.each(Object.entries(FEATURES))("computes a model with %s", (_, fields) => {
    const checkpoint = checkpointOf({ ...shape, ...fields }, 11)
    expect(furthest(stepAll(load(checkpoint), tokens), naive(checkpoint, tokens))).toBeLessThan(2e-5)
  })

  it.each(["F16", "BF16"] as const)("computes a model stored in %s, read from a file", (dtype) => {
    const made = checkpointOf(shape, 12, dtype)
    const folder = { "config.json": configJson(shape), "model.safetensors": safetensors(allTensors(made)) }
    const opened = Effect.runSync(openCheckpoint(memoryFiles(folder)))
    expect(furthest(stepAll(load(opened), tokens), naive(made, tokens))).toBeLessThan(2e-5)
  })

  it.each(Object.entries(FEATURES))("with %s: is a different model than without", (name, fields) => {
    // Features that only show in the weights would otherwise be tested by an evaluation that ignores them too.
    if (name === "grouped queries") return expect(fields).toEqual({})
    const logits = (config: ModelConfig) => stepAll(load(checkpointOf(config, 11)), tokens).at(-1)!
    expect(logits({ ...shape, ...fields })).not.toEqual(logits(shape))
  })
})

describe("its KV", () => {
  const checkpoint = checkpointOf({ ...shape, qkNorm: true }, 13)
  const anyTokens = fc.array(fc.nat(shape.vocab - 1), { minLength: 1, maxLength: 90 })

  it("after going back is as if the other tokens had never been", () => {
    const decoder = load(checkpoint)
    fc.assert(
      fc.property(anyTokens, anyTokens, fc.nat(), (first, second, cut) => {
        stepAll(decoder, first)
        const kept = cut % (first.length + 1)
        const went = [...first.slice(0, kept), ...second]
        const logits = second.map((token, i) => decoder.step(token, kept + i))
        expect(decoder.length).toBe(went.length)
        expect(logits).toEqual(stepAll(load(checkpoint), went).slice(kept))
      }),
      { numRuns: 20 }
    )
  })

  it("can be carried to another decoder", () => {
    const from = load(checkpoint)
    stepAll(from, tokens)
    const to = load(checkpoint)
    to.setLength(from.length)
    for (let layer = 0; layer < shape.layers; layer++) {
      const { keys, values } = from.kv(layer)
      expect(keys).toHaveLength(tokens.length * shape.kvHeads * shape.headDim)
      to.kv(layer).keys.set(keys)
      to.kv(layer).values.set(values)
    }
    expect(to.step(4, tokens.length)).toEqual(from.step(4, tokens.length))
  })

  it("matters: other values give other logits", () => {
    const decoder = load(checkpoint)
    const before = stepAll(decoder, tokens).at(-1)!
    decoder.kv(1).values.fill(0, 0, shape.headDim)
    expect(decoder.step(tokens.at(-1)!, tokens.length - 1)).not.toEqual(before)
  })

  it("has no gaps, and tokens are in the vocabulary", () => {
    const decoder = load(checkpoint)
    expect(() => decoder.step(0, 1)).toThrow("position 1 does not follow 0 positions")
    expect(() => decoder.step(shape.vocab, 0)).toThrow("token 37 is not in a vocabulary of 37")
  })
})
