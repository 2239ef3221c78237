/** What each layer of a Hugging Face model is made of, by the rules of its architecture in transformers. */
import type { Attention, Mlp } from "../resolved.ts"
import type { Fields } from "./fields.ts"

export const attentionOfLayer = (
  type: string,
  fields: Fields,
  hidden: number,
  layers: number
): ((layer: number) => Attention) => {
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
  const kvHeads = fields.optionalCount("num_key_value_heads") ?? heads
  fields.relate(
    ["num_key_value_heads", "num_attention_heads"],
    heads % kvHeads === 0,
    `${heads} query heads do not divide by ${kvHeads}`
  )
  const full: Attention = { kind: "gqa", heads, kvHeads, headDim: headDimOf(fields, hidden, heads) }
  const window = fields.optionalCount("sliding_window", 0) ?? 0
  if (window === 0) return () => full
  const local: Attention = { ...full, window }
  const isLocal = localLayers(type, fields, layers)
  return (layer) => (isLocal(layer) ? local : full)
}

const headDimOf = (fields: Fields, hidden: number, heads: number): number => {
  const given = fields.optionalCount("head_dim")
  fields.relate(
    ["num_attention_heads", "hidden_size", "head_dim"],
    given !== undefined || hidden % heads === 0,
    `${hidden} wide layers do not divide by ${heads} heads`
  )
  return given ?? hidden / heads
}

/** Which layers see only a window: those named so, or by the rule of the architecture. */
const localLayers = (type: string, fields: Fields, layers: number): ((layer: number) => boolean) => {
  const kinds = fields.list("layer_types")
  if (kinds !== undefined) {
    const other = kinds.find((kind) => kind !== "sliding_attention" && kind !== "full_attention")
    if (other !== undefined)
      fields.fault(
        "layer_types",
        `expected sliding_attention or full_attention, found ${JSON.stringify(other)}`
      )
    else if (kinds.length !== layers)
      fields.fault("layer_types", `expected one for each of ${layers} layers, found ${kinds.length}`)
    return (layer) => kinds[layer] === "sliding_attention"
  }
  if (type.startsWith("gemma")) {
    const pattern = fields.count("sliding_window_pattern")
    return (layer) => (layer + 1) % pattern !== 0
  }
  if (type === "mistral") return () => true
  if (!fields.flag("use_sliding_window", false)) return () => false
  // Qwen: the first layers see all, the rest a window.
  const first = type === "qwen3_moe" ? 0 : (fields.optionalCount("max_window_layers", 0) ?? 28)
  return (layer) => layer >= first
}

export const mlpOfLayer = (type: string, fields: Fields): ((layer: number) => Mlp) => {
  const dense = (): Mlp => ({ kind: "dense", intermediate: fields.count("intermediate_size") })
  if (type !== "qwen3_moe" && type !== "deepseek_v3") {
    const every = dense()
    return () => every
  }
  const deepseek = type === "deepseek_v3"
  const width = fields.count("moe_intermediate_size")
  const experts = fields.count(deepseek ? "n_routed_experts" : "num_experts")
  const expertsPerToken = fields.count("num_experts_per_tok")
  fields.relate(
    ["num_experts_per_tok", deepseek ? "n_routed_experts" : "num_experts"],
    expertsPerToken <= experts,
    `expected at most the ${experts} experts, found ${expertsPerToken}`
  )
  const moe: Mlp = {
    kind: "moe",
    experts,
    expertsPerToken,
    intermediate: width,
    sharedIntermediate: (fields.optionalCount("n_shared_experts", 0) ?? 0) * width
  }
  const isMoe = deepseek ? deepseekMoe(fields) : qwenMoe(fields)
  return (layer) => (isMoe(layer) ? moe : dense())
}

const deepseekMoe = (fields: Fields): ((layer: number) => boolean) => {
  const first = fields.optionalCount("first_k_dense_replace", 0) ?? 0
  const every = fields.optionalCount("moe_layer_freq") ?? 1
  return (layer) => layer >= first && layer % every === 0
}

const qwenMoe = (fields: Fields): ((layer: number) => boolean) => {
  const every = fields.optionalCount("decoder_sparse_step") ?? 1
  const without = new Set(fields.list("mlp_only_layers") ?? [])
  return (layer) => !without.has(layer) && (layer + 1) % every === 0
}
