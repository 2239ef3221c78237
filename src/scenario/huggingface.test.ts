import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CATALOG, faultsOf, GOOD, scenarioOf, told } from "./catalog.fixture.ts"
import { modelOf } from "./entries.ts"
import type { ConfigFault } from "./huggingface/fields.ts"
import { fromHuggingFace } from "./huggingface.ts"
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

const modelFrom = (config: Config): Model => {
  const read = fromHuggingFace("m", config, "config.json")
  if ("faults" in read) throw new Error(JSON.stringify(read.faults))
  return read.model
}
const faultsIn = (config: Config): readonly ConfigFault[] => {
  const read = fromHuggingFace("m", config, "config.json")
  return "faults" in read ? read.faults : []
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
    expect(shapes(modelFrom(config))).toEqual(shapes(modelOf(CATALOG.models.get(name)!)))
  })

  it("says how wide weights and KV are", () => {
    const widths = (config: Config): readonly number[] => {
      const { weightBytesPerParam, kvBytesPerElement } = modelFrom(config)
      return [weightBytesPerParam, kvBytesPerElement]
    }
    expect(widths(LLAMA_8B)).toEqual([2, 2])
    expect(widths({ ...LLAMA_8B, torch_dtype: "float32" })).toEqual([4, 4])
    expect(widths({ ...LLAMA_8B, torch_dtype: undefined, dtype: "float16" })).toEqual([2, 2])
    expect(widths(DEEPSEEK_V3)).toEqual([1, 2])
    expect(widths({ ...LLAMA_8B, quantization_config: { quant_method: "awq", bits: 4 } })).toEqual([0.5, 2])
    expect(widths({ ...LLAMA_8B, quantization_config: { load_in_4bit: true } })).toEqual([0.5, 2])
  })

  it("may be quantised in groups", () => {
    const groups = { group_0: { weights: { num_bits: 4 } } }
    const quantised = { quant_method: "compressed-tensors", config_groups: groups }
    expect(modelFrom({ ...LLAMA_8B, quantization_config: quantised }).weightBytesPerParam).toBe(0.5)
  })

  it("that does not say how wide its weights are is assumed to be in bfloat16, and says so", () => {
    const { torch_dtype: _, ...config } = LLAMA_8B
    expect(modelFrom(config)).toMatchObject({ weightBytesPerParam: 2, origin: { basis: "assumed" } })
    expect(modelFrom(config).origin.source).toBe("config.json; its weights assumed in bfloat16")
  })

  it("of Gemma 3 may leave to its class what published ones leave to it", () => {
    const {
      vocab_size: _vocab,
      max_position_embeddings: _positions,
      sliding_window_pattern: _pattern,
      ...published
    } = GEMMA3_27B["text_config"] as Config
    expect(modelFrom({ ...GEMMA3_27B, text_config: published })).toEqual(modelFrom(GEMMA3_27B))
    // gemma-3-4b: its heads are the class's too.
    const { num_attention_heads: _heads, num_key_value_heads: _kv, head_dim: _dim, ...small } = published
    expect(modelFrom({ ...GEMMA3_27B, text_config: small }).layers[0]!.attention).toEqual({
      kind: "gqa",
      heads: 8,
      kvHeads: 4,
      headDim: 256,
      window: 1024
    })
  })

  /** Layers with a window, and without one. */
  const windows = (config: Config): readonly (readonly [number, number | undefined])[] =>
    modelFrom(config).layers.map(({ count, attention }) => [
      count,
      attention.kind === "gqa" ? attention.window : undefined
    ])

  it("may name each layer's kind of attention", () => {
    const layer_types = ["sliding_attention", "full_attention", "sliding_attention"]
    const config = {
      ...QWEN3_06B,
      num_hidden_layers: 3,
      use_sliding_window: true,
      sliding_window: 512,
      layer_types
    }
    expect(windows(config)).toEqual([
      [2, 512],
      [1, undefined]
    ])
    expect(faultsIn({ ...config, num_hidden_layers: 4 })).toEqual([
      { path: ["layer_types"], message: "expected one for each of 4 layers, found 3" }
    ])
    expect(faultsIn({ ...config, layer_types: ["linear_attention"] })[0]?.message).toBe(
      'expected sliding_attention or full_attention, found "linear_attention"'
    )
  })

  it.each<readonly [string, Config, readonly (readonly [number, number | undefined])[]]>([
    ["Mistral's all have one", { ...MISTRAL_24B, sliding_window: 4096 }, [[40, 4096]]],
    ["Llama's have none", { ...LLAMA_8B, sliding_window: 4096 }, [[32, undefined]]],
    [
      "Qwen's first have none",
      { ...QWEN2_32B, use_sliding_window: true, max_window_layers: 60 },
      [
        [60, undefined],
        [4, 131072]
      ]
    ],
    [
      "Gemma's sixth have none",
      GEMMA3_27B,
      [
        [52, 1024],
        [10, undefined]
      ]
    ]
  ])("has windows as its architecture does: %s", (_, config, expected) => {
    expect(windows(config)).toEqual(expected)
  })

  it.each<readonly [string, Config, readonly (readonly [string, number])[]]>([
    [
      "Qwen, by lists and steps",
      { ...QWEN3_MOE, num_hidden_layers: 6, decoder_sparse_step: 2, mlp_only_layers: [1] },
      [
        ["dense", 4],
        ["moe", 2]
      ]
    ],
    [
      "DeepSeek, after the first few",
      { ...DEEPSEEK_V3, num_hidden_layers: 8, moe_layer_freq: 2 },
      [
        ["dense", 6],
        ["moe", 2]
      ]
    ]
  ])("has experts in the layers that have them: %s", (_, config, expected) => {
    expect(modelFrom(config).layers.map(({ count, mlp }) => [mlp.kind, count])).toEqual(expected)
  })

  it.each<readonly [string, Config, string, RegExp]>([
    ["another architecture", { ...LLAMA_8B, model_type: "mamba" }, "model_type", /found "mamba"/],
    ["no architecture", {}, "model_type", /found none/],
    ["a missing width", { ...LLAMA_8B, hidden_size: undefined }, "hidden_size", /is missing/],
    ["a text for a number", { ...LLAMA_8B, vocab_size: "128k" }, "vocab_size", /found "128k"/],
    ["a negative number", { ...LLAMA_8B, num_hidden_layers: -1 }, "num_hidden_layers", /found -1/],
    ["no layers", { ...LLAMA_8B, num_hidden_layers: 0 }, "num_hidden_layers", /found 0/],
    ["half a head", { ...LLAMA_8B, num_attention_heads: 1.5 }, "num_attention_heads", /whole number/],
    ["layers without end", { ...LLAMA_8B, num_hidden_layers: 1e9 }, "num_hidden_layers", /at most/],
    ["an unknown dtype", { ...LLAMA_8B, torch_dtype: "int3" }, "torch_dtype", /found "int3"/],
    [
      "an unknown quantisation",
      { ...LLAMA_8B, quantization_config: { quant_method: "magic" } },
      "quantization_config",
      /"magic"/
    ]
  ])("is refused with %s", (_, config, field, message) => {
    const faults = faultsIn(config)
    expect(faults.map(({ path }) => path.join("."))).toEqual([field])
    expect(faults[0]!.message).toMatch(message)
  })

  it("is refused with heads or experts that do not go together", () => {
    expect(faultsIn({ ...LLAMA_8B, num_key_value_heads: 5 })).toEqual([
      { path: ["num_key_value_heads"], message: "32 query heads do not divide by 5" }
    ])
    expect(faultsIn({ ...LLAMA_8B, num_attention_heads: 24, hidden_size: 4097 })).toEqual([
      { path: ["num_attention_heads"], message: "4097 wide layers do not divide by 24 heads" }
    ])
    expect(faultsIn({ ...QWEN3_MOE, num_experts_per_tok: 129 })[0]?.path).toEqual(["num_experts_per_tok"])
  })

  it("has all its faults told at once, where they are nested too", () => {
    expect(
      faultsIn({ model_type: "llama", hidden_size: "x", torch_dtype: "int3" }).map(({ path }) => path[0])
    ).toEqual([
      "hidden_size",
      "torch_dtype",
      "vocab_size",
      "num_hidden_layers",
      "intermediate_size",
      "num_attention_heads",
      "max_position_embeddings"
    ])
    const nested = { ...GEMMA3_27B, text_config: { ...(GEMMA3_27B["text_config"] as Config), head_dim: -1 } }
    expect(faultsIn(nested).map(({ path }) => path)).toEqual([["text_config", "head_dim"]])
  })

  it("is refused or understood, never worse, with any field changed", () => {
    const bad = fc.constantFrom(null, -1, 0, 0.5, 1e300, Number.NaN, "x", true, [], {}, undefined)
    const configs = fc.constantFrom(LLAMA_8B, QWEN3_MOE, GEMMA3_27B, DEEPSEEK_V3)
    fc.assert(
      fc.property(
        configs.chain((config) => fc.tuple(fc.constant(config), fc.constantFrom(...Object.keys(config)))),
        bad,
        ([config, key], value) => {
          const read = fromHuggingFace("m", { ...config, [key]: value }, "config.json")
          if ("faults" in read) expect(read.faults.length).toBeGreaterThan(0)
          else
            for (const { count, attention } of read.model.layers)
              expect(count > 0 && attention.heads > 0 && Number.isInteger(attention.heads)).toBe(true)
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

  it("reports a nested fault where it stands", () => {
    const text_config = { ...(GEMMA3_27B["text_config"] as Config), hidden_size: "wide" }
    const config = JSON.stringify({ ...GEMMA3_27B, text_config }, undefined, 2)
    expect(told(faultsOf({ "s.yaml": withConfig, "hf/config.json": config }))).toEqual([
      'hf/config.json:5:5 text_config.hidden_size: expected a whole number from 1 to 1000000000, found "wide"'
    ])
  })

  it("may know better how wide things are", () => {
    const text = withConfig.replace(
      "name: mine",
      "name: mine, weight_bits: 4, kv_cache_bits: 8, weight_bytes: 5 GB, kv_bytes_per_token: 64 KiB"
    )
    const { model } = scenarioOf({ "s.yaml": text, "hf/config.json": JSON.stringify(LLAMA_8B) })
    expect(model).toMatchObject({
      weightBytesPerParam: 0.5,
      kvBytesPerElement: 1,
      weightBytes: 5e9,
      kvBytesPerToken: 65_536
    })
    const wrong = withConfig.replace("name: mine", "weight_bit: 4, kv_cache_bits: 7")
    expect(told(faultsOf({ "s.yaml": wrong, "hf/config.json": JSON.stringify(LLAMA_8B) }))).toEqual([
      "s.yaml:2:34 model.weight_bit: unknown field; did you mean weight_bits?",
      "s.yaml:2:49 model.kv_cache_bits: expected 4 | 8 | 16 | 32, found 7"
    ])
  })
})
