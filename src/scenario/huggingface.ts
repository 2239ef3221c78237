/** Shapes from a Hugging Face `config.json`. */
import type { Attention, LayerGroup, Mlp, Model } from "./resolved.ts"

/** Says which field of the config is missing or not understood. */
export class UnsupportedConfig extends Error {
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

const MODEL_TYPES = [
  "llama",
  "mistral",
  "qwen2",
  "qwen3",
  "qwen3_moe",
  "gemma3",
  "gemma3_text",
  "deepseek_v3"
]

/** Ten times the deepest there is. */
const MAX_LAYERS = 2000

const BYTES: Readonly<Record<string, number>> = { float32: 4, float16: 2, bfloat16: 2, float8_e4m3fn: 1 }

/** Fields as the config names them; every one it lacks is a fault of its own. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>
  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }
  optional(field: string): number | undefined {
    const value = this.#values[field]
    if (value === undefined || value === null) return undefined
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
      throw new UnsupportedConfig(field, `expected a number ≥ 0, found ${JSON.stringify(value)}`)
    return value
  }
  number(field: string): number {
    const value = this.optional(field)
    if (value === undefined) throw new UnsupportedConfig(field, "is missing")
    return value
  }
  /** A width or a count: a whole number that a layer can have. */
  count(field: string): number {
    return this.#whole(field, this.number(field), 1)
  }
  optionalCount(field: string, least = 1): number | undefined {
    const value = this.optional(field)
    return value === undefined ? undefined : this.#whole(field, value, least)
  }
  #whole(field: string, value: number, least: number): number {
    if (!Number.isInteger(value) || value < least || value > 1e9)
      throw new UnsupportedConfig(
        field,
        `expected a whole number from ${least} to 1000000000, found ${value}`
      )
    return value
  }
  flag(field: string, otherwise: boolean): boolean {
    const value = this.#values[field]
    return typeof value === "boolean" ? value : otherwise
  }
  text(field: string): string | undefined {
    const value = this.#values[field]
    return typeof value === "string" ? value : undefined
  }
  record(field: string): Fields | undefined {
    const value = this.#values[field]
    return typeof value === "object" && value !== null
      ? new Fields(value as Readonly<Record<string, unknown>>)
      : undefined
  }
  list(field: string): readonly unknown[] | undefined {
    const value = this.#values[field]
    return Array.isArray(value) ? value : undefined
  }
}

/** The model a config describes. Throws `UnsupportedConfig` for architectures and fields it does not know. */
export const fromHuggingFace = (
  name: string,
  config: Readonly<Record<string, unknown>>,
  source: string
): Model => {
  const outer = new Fields(config)
  const type = outer.text("model_type")
  if (type === undefined || !MODEL_TYPES.includes(type)) {
    throw new UnsupportedConfig(
      "model_type",
      `expected one of ${MODEL_TYPES.join(", ")}, found ${JSON.stringify(type)}`
    )
  }
  const fields = outer.record("text_config") ?? outer
  const hidden = fields.count("hidden_size")
  const layers = fields.count("num_hidden_layers")
  if (layers > MAX_LAYERS)
    throw new UnsupportedConfig("num_hidden_layers", `expected at most ${MAX_LAYERS}, found ${layers}`)
  const dtype =
    outer.text("torch_dtype") ??
    outer.text("dtype") ??
    fields.text("torch_dtype") ??
    fields.text("dtype") ??
    "bfloat16"
  const bytes = BYTES[dtype]
  if (bytes === undefined)
    throw new UnsupportedConfig(
      "torch_dtype",
      `expected one of ${Object.keys(BYTES).join(", ")}, found ${dtype}`
    )
  const mlps = mlpOfLayer(type, fields)
  const attentions = attentionOfLayer(type, fields, hidden)
  const groups: LayerGroup[] = []
  for (let layer = 0; layer < layers; layer++) {
    const next = { count: 1, attention: attentions(layer), mlp: mlps(layer) }
    const same = groups.findIndex(
      (group) => JSON.stringify([group.attention, group.mlp]) === JSON.stringify([next.attention, next.mlp])
    )
    if (same < 0) groups.push(next)
    else groups[same] = { ...groups[same]!, count: groups[same]!.count + 1 }
  }
  return {
    name,
    origin: { basis: "assumed", source },
    hidden,
    vocab: fields.count("vocab_size"),
    tiedEmbeddings: fields.flag(
      "tie_word_embeddings",
      outer.flag("tie_word_embeddings", type.startsWith("gemma"))
    ),
    layers: groups,
    weightBytesPerParam: quantised(outer, bytes),
    kvBytesPerElement: Math.max(bytes, 2) === 4 ? 4 : 2,
    maxPositions: fields.count("max_position_embeddings")
  }
}

const quantised = (config: Fields, bytes: number): number => {
  const quantization = config.record("quantization_config")
  if (quantization === undefined) return bytes
  const method = quantization.text("quant_method")
  if (method === "fp8") return 1
  const bits = quantization.optional("bits") ?? (quantization.flag("load_in_4bit", false) ? 4 : undefined)
  if (bits === undefined)
    throw new UnsupportedConfig(
      "quantization_config",
      `expected bits or quant_method: fp8, found ${JSON.stringify(method)}`
    )
  return bits / 8
}

const attentionOfLayer = (type: string, fields: Fields, hidden: number): ((layer: number) => Attention) => {
  const heads = fields.count("num_attention_heads")
  if (type === "deepseek_v3") {
    const mla: Attention = {
      kind: "mla",
      heads,
      qRank: fields.optionalCount("q_lora_rank", 0) ?? 0,
      kvRank: fields.count("kv_lora_rank"),
      ropeDim: fields.count("qk_rope_head_dim"),
      nopeDim: fields.count("qk_nope_head_dim"),
      vDim: fields.count("v_head_dim")
    }
    return () => mla
  }
  const full: Attention = {
    kind: "gqa",
    heads,
    kvHeads: fields.optionalCount("num_key_value_heads") ?? heads,
    headDim: fields.optionalCount("head_dim") ?? hidden / heads
  }
  const window = fields.optionalCount("sliding_window")
  const kinds = fields.list("layer_types")
  const pattern = fields.optionalCount("sliding_window_pattern")
  const uses = type.startsWith("gemma") || type === "mistral" || fields.flag("use_sliding_window", false)
  if (window === undefined || !uses) return () => full
  const local: Attention = { ...full, window }
  if (kinds !== undefined) return (layer) => (kinds[layer] === "sliding_attention" ? local : full)
  if (pattern !== undefined) return (layer) => ((layer + 1) % pattern === 0 ? full : local)
  return () => local
}

const mlpOfLayer = (type: string, fields: Fields): ((layer: number) => Mlp) => {
  if (type !== "qwen3_moe" && type !== "deepseek_v3") {
    const dense: Mlp = { kind: "dense", intermediate: fields.count("intermediate_size") }
    return () => dense
  }
  const width = fields.count("moe_intermediate_size")
  const moe: Mlp = {
    kind: "moe",
    experts: fields.optionalCount("n_routed_experts") ?? fields.count("num_experts"),
    expertsPerToken: fields.count("num_experts_per_tok"),
    intermediate: width,
    sharedIntermediate: (fields.optionalCount("n_shared_experts", 0) ?? 0) * width
  }
  const firstMoe = fields.optionalCount("first_k_dense_replace", 0) ?? 0
  if (firstMoe === 0) return () => moe
  const dense: Mlp = { kind: "dense", intermediate: fields.count("intermediate_size") }
  return (layer) => (layer < firstMoe ? dense : moe)
}
