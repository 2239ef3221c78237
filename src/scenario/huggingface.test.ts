import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CATALOG, faultsOf, GOOD, scenarioOf, told } from "./catalog.fixture.ts"
import { modelOf } from "./entries.ts"
import { fromHuggingFace, UnsupportedConfig } from "./huggingface.ts"
import type { Model } from "./resolved.ts"

type Config = Readonly<Record<string, unknown>>

const LLAMA_8B: Config = {
  model_type: "llama",
  hidden_size: 4096,
  intermediate_size: 14336,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  max_position_embeddings: 131072,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  vocab_size: 128256
}
const MISTRAL_24B: Config = {
  ...LLAMA_8B,
  model_type: "mistral",
  hidden_size: 5120,
  head_dim: 128,
  intermediate_size: 32768,
  num_hidden_layers: 40,
  max_position_embeddings: 32768,
  sliding_window: null,
  vocab_size: 131072
}
const QWEN2_32B: Config = {
  ...LLAMA_8B,
  model_type: "qwen2",
  hidden_size: 5120,
  intermediate_size: 27648,
  num_attention_heads: 40,
  num_hidden_layers: 64,
  max_position_embeddings: 131072,
  sliding_window: 131072,
  use_sliding_window: false,
  vocab_size: 152064
}
const QWEN3_06B: Config = {
  ...LLAMA_8B,
  model_type: "qwen3",
  hidden_size: 1024,
  head_dim: 128,
  intermediate_size: 3072,
  num_attention_heads: 16,
  num_hidden_layers: 28,
  max_position_embeddings: 40960,
  tie_word_embeddings: true,
  vocab_size: 151936
}
const QWEN3_MOE: Config = {
  ...LLAMA_8B,
  model_type: "qwen3_moe",
  hidden_size: 2048,
  head_dim: 128,
  intermediate_size: 6144,
  moe_intermediate_size: 768,
  num_attention_heads: 32,
  num_hidden_layers: 48,
  num_key_value_heads: 4,
  num_experts: 128,
  num_experts_per_tok: 8,
  max_position_embeddings: 40960,
  vocab_size: 151936
}
const GEMMA3_27B: Config = {
  model_type: "gemma3",
  torch_dtype: "bfloat16",
  text_config: {
    hidden_size: 5376,
    intermediate_size: 21504,
    num_attention_heads: 32,
    num_hidden_layers: 62,
    num_key_value_heads: 16,
    head_dim: 128,
    sliding_window: 1024,
    sliding_window_pattern: 6,
    max_position_embeddings: 131072,
    vocab_size: 262208
  }
}
const DEEPSEEK_V3: Config = {
  ...LLAMA_8B,
  model_type: "deepseek_v3",
  hidden_size: 7168,
  intermediate_size: 18432,
  moe_intermediate_size: 2048,
  num_attention_heads: 128,
  num_hidden_layers: 61,
  num_key_value_heads: 128,
  n_routed_experts: 256,
  n_shared_experts: 1,
  num_experts_per_tok: 8,
  first_k_dense_replace: 3,
  q_lora_rank: 1536,
  kv_lora_rank: 512,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  v_head_dim: 128,
  max_position_embeddings: 163840,
  vocab_size: 129280,
  quantization_config: { quant_method: "fp8" }
}

/** Layers of the same shape together, whatever their order. */
const shapes = ({ layers, hidden, vocab, tiedEmbeddings }: Model): unknown => ({
  hidden,
  vocab,
  tiedEmbeddings,
  layers: layers.map((layer) => JSON.stringify(layer)).toSorted()
})

describe("a Hugging Face config", () => {
  it.each([
    ["llama-3.1-8b", LLAMA_8B],
    ["mistral-small-24b", MISTRAL_24B],
    ["qwen2.5-32b", QWEN2_32B],
    ["qwen3-0.6b", QWEN3_06B],
    ["qwen3-30b-a3b", QWEN3_MOE],
    ["gemma-3-27b", GEMMA3_27B],
    ["deepseek-v3", DEEPSEEK_V3]
  ])("describes %s as the catalog does", (name, config) => {
    const read = fromHuggingFace(name, config, "config.json")
    expect(shapes(read)).toEqual(shapes(modelOf(CATALOG.models.get(name)!)))
  })

  it("says how wide weights and KV are", () => {
    const widths = (config: Config): readonly number[] => {
      const { weightBytesPerParam, kvBytesPerElement } = fromHuggingFace("m", config, "config.json")
      return [weightBytesPerParam, kvBytesPerElement]
    }
    expect(widths(LLAMA_8B)).toEqual([2, 2])
    expect(widths({ ...LLAMA_8B, torch_dtype: "float32" })).toEqual([4, 4])
    expect(widths({ ...LLAMA_8B, torch_dtype: undefined, dtype: "float16" })).toEqual([2, 2])
    expect(widths(DEEPSEEK_V3)).toEqual([1, 2])
    expect(widths({ ...LLAMA_8B, quantization_config: { quant_method: "awq", bits: 4 } })).toEqual([0.5, 2])
    expect(widths({ ...LLAMA_8B, quantization_config: { load_in_4bit: true } })).toEqual([0.5, 2])
  })

  it("may name each layer's kind of attention", () => {
    const { layers } = fromHuggingFace(
      "m",
      {
        ...QWEN3_06B,
        num_hidden_layers: 3,
        use_sliding_window: true,
        sliding_window: 512,
        layer_types: ["sliding_attention", "full_attention", "sliding_attention"]
      },
      "config.json"
    )
    expect(
      layers.map(({ count, attention }) => [count, attention.kind === "gqa" && attention.window])
    ).toEqual([
      [2, 512],
      [1, undefined]
    ])
  })

  it.each<readonly [string, Config, string, RegExp]>([
    ["another architecture", { ...LLAMA_8B, model_type: "mamba" }, "model_type", /found "mamba"/],
    ["no architecture", {}, "model_type", /found undefined/],
    ["a missing width", { ...LLAMA_8B, hidden_size: undefined }, "hidden_size", /is missing/],
    ["a text for a number", { ...LLAMA_8B, vocab_size: "128k" }, "vocab_size", /found "128k"/],
    ["a negative number", { ...LLAMA_8B, num_hidden_layers: -1 }, "num_hidden_layers", /found -1/],
    ["no layers", { ...LLAMA_8B, num_hidden_layers: 0 }, "num_hidden_layers", /found 0/],
    ["half a head", { ...LLAMA_8B, num_attention_heads: 1.5 }, "num_attention_heads", /whole number/],
    ["layers without end", { ...LLAMA_8B, num_hidden_layers: 1e9 }, "num_hidden_layers", /at most/],
    ["an unknown dtype", { ...LLAMA_8B, torch_dtype: "int3" }, "torch_dtype", /found int3/],
    [
      "an unknown quantisation",
      { ...LLAMA_8B, quantization_config: { quant_method: "magic" } },
      "quantization_config",
      /"magic"/
    ]
  ])("is refused with %s", (_, config, field, message) => {
    const attempt = (): Model => fromHuggingFace("m", config, "config.json")
    expect(attempt).toThrow(UnsupportedConfig)
    expect(attempt).toThrow(message)
    try {
      attempt()
    } catch (error) {
      expect((error as UnsupportedConfig).field).toBe(field)
    }
  })

  it("is refused or understood, never worse, with any field changed", () => {
    const bad = fc.constantFrom(null, -1, 0, 0.5, 1e300, Number.NaN, "x", true, [], {}, undefined)
    const configs = fc.constantFrom(LLAMA_8B, QWEN3_MOE, GEMMA3_27B, DEEPSEEK_V3)
    fc.assert(
      fc.property(
        configs.chain((config) => fc.tuple(fc.constant(config), fc.constantFrom(...Object.keys(config)))),
        bad,
        ([config, key], value) => {
          try {
            const { layers } = fromHuggingFace("m", { ...config, [key]: value }, "config.json")
            for (const { count, attention } of layers)
              expect(count > 0 && attention.heads > 0 && Number.isFinite(attention.heads)).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(UnsupportedConfig)
          }
        }
      )
    )
  })
})

describe("a scenario with a config", () => {
  const withConfig = GOOD.replace("model: llama-3.1-8b", "model: { config: hf/config.json, name: mine }")

  it("reads it from beside the scenario", () => {
    const { model } = scenarioOf(
      { "a/s.yaml": withConfig, "a/hf/config.json": JSON.stringify(LLAMA_8B) },
      "a/s.yaml"
    )
    expect(model.name).toBe("mine")
    expect(model.hidden).toBe(4096)
    expect(model.origin.source).toBe("a/hf/config.json")
  })

  it("reports what is wrong with it where it stands", () => {
    const config = JSON.stringify({ ...LLAMA_8B, model_type: "mamba" }, undefined, 2)
    const [fault] = faultsOf({ "s.yaml": withConfig, "hf/config.json": config })
    expect([fault?.file, fault?.line, fault?.column, fault?.field]).toEqual([
      "hf/config.json",
      2,
      3,
      "model_type"
    ])
  })

  it("reports that it is not there", () => {
    expect(told(faultsOf({ "s.yaml": withConfig }))).toEqual([
      "s.yaml:2:10 model.config: hf/config.json cannot be read: no such file, or no permission"
    ])
  })
})
