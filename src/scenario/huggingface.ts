/** Shapes from a Hugging Face `config.json`. What the config leaves out is as in the model's class in transformers. */
import { attentionOfLayer, mlpOfLayer } from "./huggingface/layers.ts"
import { type ConfigFault, Fields } from "./huggingface/fields.ts"
import type { LayerGroup, Model } from "./resolved.ts"

const MODEL_TYPES = [
  "llama",
  "mistral",
  "qwen2",
  "qwen3",
  "qwen3_moe",
  "gemma3",
  "gemma3_text",
  "deepseek_v3"
] as const

/** Ten times the deepest there is. */
const MAX_LAYERS = 2000

const BYTES: Readonly<Record<string, number>> = { float32: 4, float16: 2, bfloat16: 2, float8_e4m3fn: 1 }

/** Published configs of Gemma 3 leave these to their class, Gemma3TextConfig. */
const GEMMA_3 = {
  vocab_size: 262_208,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  max_position_embeddings: 131_072,
  sliding_window: 4096,
  sliding_window_pattern: 6,
  tie_word_embeddings: true
}

/** The shape a parsed config describes; or every field of it that is missing, wrong or of an unknown architecture. */
export const fromHuggingFace = (
  name: string,
  config: Readonly<Record<string, unknown>>,
  source: string
): { readonly model: Model } | { readonly faults: readonly ConfigFault[] } => {
  const faults: ConfigFault[] = []
  const outer = new Fields(config, faults)
  const type = MODEL_TYPES.find((one) => one === config["model_type"])
  if (type === undefined) {
    outer.fault(
      "model_type",
      `expected one of ${MODEL_TYPES.join(", ")}, found ${JSON.stringify(config["model_type"]) ?? "none"}`
    )
    return { faults }
  }
  const gemma = type === "gemma3" || type === "gemma3_text"
  const fields = outer.record("text_config", gemma ? GEMMA_3 : {}) ?? outer.with(gemma ? GEMMA_3 : {})
  const hidden = fields.count("hidden_size")
  const width = dtypeBytes(outer, fields)
  const model = {
    name,
    origin: {
      basis: "assumed" as const,
      source: width === undefined ? `${source}; its weights assumed in bfloat16` : source
    },
    hidden,
    vocab: fields.count("vocab_size"),
    tiedEmbeddings: outer.flag("tie_word_embeddings", fields.flag("tie_word_embeddings", false)),
    layers: layersOf(type, fields, hidden),
    weightBytesPerParam: quantised(outer) ?? width ?? 2,
    kvBytesPerElement: width === 4 ? 4 : 2,
    maxPositions: fields.count("max_position_embeddings")
  }
  return faults.length > 0 ? { faults } : { model }
}

/** Layers of the same shape in a row are one group; so are those that alternate. */
const layersOf = (type: (typeof MODEL_TYPES)[number], fields: Fields, hidden: number): LayerGroup[] => {
  const layers = fields.count("num_hidden_layers")
  if (layers > MAX_LAYERS) {
    fields.fault("num_hidden_layers", `expected at most ${MAX_LAYERS}, found ${layers}`)
    return []
  }
  const mlps = mlpOfLayer(type, fields)
  const attentions = attentionOfLayer(type, fields, hidden, layers)
  const groups = new Map<string, LayerGroup>()
  for (let layer = 0; layer < layers; layer++) {
    const shape = { attention: attentions(layer), mlp: mlps(layer) }
    const key = JSON.stringify(shape)
    groups.set(key, { count: (groups.get(key)?.count ?? 0) + 1, ...shape })
  }
  return [...groups.values()]
}

/** Bytes of a number in the checkpoint, if it says. */
const dtypeBytes = (outer: Fields, inner: Fields): number | undefined => {
  for (const fields of [outer, inner])
    for (const key of ["torch_dtype", "dtype"]) {
      const dtype = fields.text(key)
      if (dtype === undefined) continue
      const bytes = BYTES[dtype]
      if (bytes === undefined)
        fields.fault(key, `expected one of ${Object.keys(BYTES).join(", ")}, found ${JSON.stringify(dtype)}`)
      return bytes
    }
  return undefined
}

/** Bytes of a weight after quantisation, if there was one. */
const quantised = (config: Fields): number | undefined => {
  const quantization = config.record("quantization_config")
  if (quantization === undefined) return undefined
  const method = quantization.text("quant_method")
  if (method === "fp8") return 1
  const groups = quantization.record("config_groups")
  const bits =
    quantization.optionalCount("bits") ??
    groups
      ?.keys()
      .map((group) => groups.record(group)?.record("weights")?.optionalCount("num_bits"))
      .find((one) => one !== undefined) ??
    (quantization.flag("load_in_4bit", false) ? 4 : undefined) ??
    (quantization.flag("load_in_8bit", false) ? 8 : undefined)
  if (bits === undefined)
    config.fault(
      "quantization_config",
      `expected bits, config_groups or quant_method: fp8, found ${JSON.stringify(method) ?? "none"}`
    )
  return bits === undefined ? undefined : bits / 8
}
