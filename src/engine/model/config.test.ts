import { describe, expect, it } from "vitest"
import { inverseFrequencies, type ModelConfig, parseConfig, ropeTable } from "./config.ts"

type Fields = Readonly<Record<string, unknown>>

const base: Fields = {
  architectures: ["LlamaForCausalLM"],
  hidden_size: 64,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  vocab_size: 100,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  eos_token_id: 2,
  bos_token_id: 1
}

const parse = (fields: Fields): ModelConfig => {
  const config = parseConfig({ ...base, ...fields })
  if ("hidden" in config) return config
  throw new Error(config.join("; "))
}
const faults = (fields: Fields): readonly string[] => {
  const config = parseConfig({ ...base, ...fields })
  if ("hidden" in config) throw new Error("the config was taken")
  return config
}

describe("config.json", () => {
  it("of a Llama", () => {
    expect(parse({ rope_scaling: undefined, tie_word_embeddings: true })).toEqual({
      modelType: "llama",
      hidden: 64,
      layers: 4,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      intermediate: 96,
      vocab: 100,
      maxPositions: 512,
      normEps: 1e-5,
      ropeTheta: 10_000,
      ropeScaling: { kind: "none" },
      tied: true,
      qkvBias: false,
      outputBias: false,
      qkNorm: false,
      eosTokens: [2],
      bosToken: 1
    })
    expect(parse({ eos_token_id: [7, 8], num_key_value_heads: undefined })).toMatchObject({
      eosTokens: [7, 8],
      kvHeads: 4
    })
  })

  it("has biases and norms by its architecture", () => {
    const of = (architecture: string, fields: Fields = {}) => {
      const { qkvBias, outputBias, qkNorm, headDim } = parse({ architectures: [architecture], ...fields })
      return { qkvBias, outputBias, qkNorm, headDim }
    }
    const plain = { qkvBias: false, outputBias: false, qkNorm: false, headDim: 16 }
    expect(of("LlamaForCausalLM", { attention_bias: true })).toEqual({
      ...plain,
      qkvBias: true,
      outputBias: true
    })
    expect(of("MistralForCausalLM", { attention_bias: true })).toEqual(plain)
    expect(of("Qwen2ForCausalLM", { attention_bias: true })).toEqual({ ...plain, qkvBias: true })
    expect(of("Qwen3ForCausalLM")).toEqual({ ...plain, qkNorm: true, headDim: 128 })
    expect(of("Qwen3ForCausalLM", { head_dim: 32 })).toEqual({ ...plain, qkNorm: true, headDim: 32 })
  })

  it("has a sliding window only where the model uses it", () => {
    const window = (architecture: string, fields: Fields) =>
      parse({ architectures: [architecture], sliding_window: 128, ...fields }).slidingWindow
    const switched = { use_sliding_window: true }
    expect(window("LlamaForCausalLM", {})).toBeUndefined()
    expect(window("MistralForCausalLM", {})).toBe(128)
    expect(window("MistralForCausalLM", { sliding_window: undefined })).toBeUndefined()
    expect(window("Qwen2ForCausalLM", {})).toBeUndefined()
    expect(window("Qwen2ForCausalLM", { use_sliding_window: false, max_window_layers: 0 })).toBeUndefined()
    expect(window("Qwen2ForCausalLM", { ...switched, max_window_layers: 0 })).toBe(128)
    expect(window("Qwen2ForCausalLM", { ...switched, max_window_layers: 4 })).toBeUndefined()
    expect(window("Qwen3ForCausalLM", switched)).toBeUndefined()
    const kinds = (full: number) => ({
      layer_types: [0, 1, 2, 3].map((layer) => (layer < full ? "full_attention" : "sliding_attention"))
    })
    expect(window("Qwen3ForCausalLM", { ...switched, ...kinds(0) })).toBe(128)
    expect(window("Qwen3ForCausalLM", { ...switched, ...kinds(4) })).toBeUndefined()
    const partly = { architectures: ["Qwen2ForCausalLM"], sliding_window: 128, ...switched }
    expect(faults({ ...partly, max_window_layers: 1 })[0]).toContain("in some layers only (3 of 4)")
    expect(faults({ ...partly, ...kinds(3) })[0]).toContain("in some layers only (1 of 4)")
  })

  it("reads both spellings of RoPE", () => {
    const yarn = { factor: 4, original_max_position_embeddings: 256 }
    const expected = {
      ropeTheta: 5000,
      ropeScaling: { kind: "yarn", factor: 4, originalPositions: 256, betaFast: 32, betaSlow: 1 }
    }
    expect(parse({ rope_theta: 5000, rope_scaling: { type: "yarn", ...yarn } })).toMatchObject(expected)
    expect(parse({ rope_parameters: { rope_type: "yarn", rope_theta: 5000, ...yarn } })).toMatchObject(
      expected
    )
    expect(parse({ rope_parameters: { rope_type: "default", rope_theta: 7 } })).toMatchObject({
      ropeTheta: 7,
      ropeScaling: { kind: "none" }
    })
  })

  it("is refused with everything that is wrong with it", () => {
    expect(
      faults({ hidden_size: -1, vocab_size: 1.5, hidden_act: "gelu", num_hidden_layers: undefined })
    ).toEqual(
      expect.arrayContaining([
        "hidden_size is -1; a number above 0 is expected",
        "vocab_size is 1.5; a whole number is expected",
        'hidden_act is "gelu"; the engine has silu',
        "num_hidden_layers is missing; a number above 0 is expected"
      ])
    )
  })

  it.each([
    [{ architectures: ["GPT2LMHeadModel"] }, "the engine runs LlamaForCausalLM, MistralForCausalLM"],
    [{ architectures: undefined }, "architectures is missing"],
    [{ quantization_config: { bits: 4 } }, "quantised weights are not supported"],
    [{ mlp_bias: true }, "biases in the MLP"],
    [{ partial_rotary_factor: 0.5 }, "rotating part of a head"],
    [{ rope_parameters: { partial_rotary_factor: 0.5 } }, "rotating part of a head"],
    [{ rope_scaling: { rope_type: "dynamic", factor: 2 } }, 'of type "dynamic"; the engine has linear'],
    [{ rope_scaling: { rope_type: "linear" } }, "rope_scaling.factor is missing"],
    [{ rope_parameters: { full_attention: { rope_type: "default" } } }, "one set of parameters"],
    [{ architectures: ["Qwen3ForCausalLM"], layer_types: ["linear_attention"] }, "layer_types"],
    [{ architectures: ["MistralForCausalLM"], sliding_window: 0 }, "sliding_window is 0"],
    [{ num_key_value_heads: 3 }, "4 query heads do not share 3 KV heads"]
  ])("%j is refused", (fields, reason) => {
    expect(faults(fields).join()).toContain(reason)
  })

  it("that is no object is refused", () => {
    expect(parseConfig([])).toEqual(["it is not a JSON object"])
  })
})

/** Expected values by the formulas of transformers' modeling_rope_utils.py, worked out in double precision. */
describe("frequencies of RoPE", () => {
  const config = (
    ropeTheta: number,
    headDim: number,
    ropeScaling: ModelConfig["ropeScaling"]
  ): ModelConfig => ({
    ...parse({}),
    ropeTheta,
    headDim,
    ropeScaling
  })
  const at = (of: ModelConfig, expected: Readonly<Record<number, number>>) => {
    const frequencies = inverseFrequencies(of)
    expect(frequencies).toHaveLength(of.headDim / 2)
    for (const [channel, value] of Object.entries(expected))
      expect(frequencies[Number(channel)]! / value).toBeCloseTo(1, 6)
  }

  it("fall by powers of theta", () => {
    at(config(10_000, 16, { kind: "none" }), { 0: 1, 1: 0.316227766, 2: 0.1, 4: 0.01, 7: 0.000316227766 })
  })

  it("linear: all divided", () => {
    at(config(10_000, 16, { kind: "linear", factor: 4 }), { 0: 0.25, 2: 0.025, 4: 0.0025 })
  })

  it("llama3, as in Llama 3.2: fast ones stay, slow ones are divided, those between blend", () => {
    const scaling = { factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 } as const
    at(config(500_000, 64, { kind: "llama3", ...scaling }), {
      0: 1,
      // Wavelength 1956 tokens, below 8192 / 4.
      14: 0.003211445994752591,
      15: 0.001290547928209264,
      16: 0.00042955679655936815,
      17: 9.70828780262767e-5,
      // Wavelength 10,089, beyond 8192.
      18: 1.9461638184831125e-5,
      31: 9.41830672543491e-8
    })
  })

  it("yarn, as in Qwen2.5 for long contexts: a ramp from channel 23 to 40", () => {
    const scaling = { factor: 4, originalPositions: 32_768, betaFast: 32, betaSlow: 1 } as const
    at(config(1_000_000, 128, { kind: "yarn", ...scaling, attentionFactor: 1 }), {
      0: 1,
      23: 0.006978305848598663,
      24: 0.005375321490790102,
      31: 0.0008029597275452302,
      39: 6.490394320837029e-5,
      40: 4.445698525097307e-5,
      63: 3.102344401879299e-7
    })
  })

  it("yarn scales attention by 0.1 ln(factor) + 1 unless the config says otherwise", () => {
    const factor = (fields: Fields) => {
      const { ropeScaling } = parse({ rope_scaling: { rope_type: "yarn", factor: 4, ...fields } })
      return ropeScaling.kind === "yarn" ? ropeScaling.attentionFactor : undefined
    }
    expect(factor({})).toBeCloseTo(1.138629436111989, 12)
    expect(factor({ attention_factor: 1.5 })).toBe(1.5)
    expect(factor({ mscale: 1, mscale_all_dim: 1 })).toBe(1)
    expect(factor({ mscale: 2, mscale_all_dim: 1 })).toBeCloseTo(1.277258872223978 / 1.138629436111989, 12)
    expect(factor({ factor: 1 })).toBe(1)
  })

  it("turn each position by itself times the frequency", () => {
    const scaled = config(10_000, 16, {
      kind: "yarn",
      factor: 1,
      originalPositions: 512,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 2
    })
    const table = ropeTable(scaled, 4)
    expect(table).toHaveLength(4 * 8 * 2)
    expect(table.slice(0, 2)).toEqual(Float32Array.of(2, 0))
    const third = table.subarray(3 * 16, 4 * 16)
    expect(third[0]).toBeCloseTo(2 * Math.cos(3), 6)
    expect(third[1]).toBeCloseTo(2 * Math.sin(3), 6)
    expect(third[4]).toBeCloseTo(2 * Math.cos(0.3), 6)
  })
})
