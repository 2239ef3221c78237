/** The tensors of a model by their Hugging Face names, with the shapes its config demands. */
import type { ModelConfig } from "../model/config.ts"

export const EMBEDDING = "model.embed_tokens.weight"
export const HEAD = "lm_head.weight"
export const FINAL_NORM = "model.norm.weight"

/** Name of a tensor of a layer. */
export const inLayer = (layer: number, part: string): string => `model.layers.${layer}.${part}`

/** Name and shape of every tensor a config needs, the output head apart. */
export const requiredTensors = (config: ModelConfig): ReadonlyMap<string, readonly number[]> => {
  const { hidden, layers, heads, kvHeads, headDim, intermediate, vocab } = config
  const all = new Map<string, readonly number[]>([
    [EMBEDDING, [vocab, hidden]],
    [FINAL_NORM, [hidden]]
  ])
  if (!config.tied) all.set(HEAD, [vocab, hidden])
  for (let layer = 0; layer < layers; layer++) {
    const add = (part: string, ...shape: number[]): void => void all.set(inLayer(layer, part), shape)
    add("input_layernorm.weight", hidden)
    add("post_attention_layernorm.weight", hidden)
    add("self_attn.q_proj.weight", heads * headDim, hidden)
    add("self_attn.k_proj.weight", kvHeads * headDim, hidden)
    add("self_attn.v_proj.weight", kvHeads * headDim, hidden)
    add("self_attn.o_proj.weight", hidden, heads * headDim)
    if (config.qkvBias) {
      add("self_attn.q_proj.bias", heads * headDim)
      add("self_attn.k_proj.bias", kvHeads * headDim)
      add("self_attn.v_proj.bias", kvHeads * headDim)
    }
    if (config.outputBias) add("self_attn.o_proj.bias", hidden)
    if (config.qkNorm) {
      add("self_attn.q_norm.weight", headDim)
      add("self_attn.k_norm.weight", headDim)
    }
    add("mlp.gate_proj.weight", intermediate, hidden)
    add("mlp.up_proj.weight", intermediate, hidden)
    add("mlp.down_proj.weight", hidden, intermediate)
  }
  return all
}
