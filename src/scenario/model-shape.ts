/** What follows from a model's shape: parameters, weight bytes, KV bytes. */
import type { Attention, LayerGroup, Mlp, Model } from "./resolved.ts"

/** Parameters of one layer's attention projections. */
export const attentionParameters = (attention: Attention, hidden: number): number => {
  if (attention.kind === "gqa") {
    const { heads, kvHeads, headDim } = attention
    return hidden * headDim * (2 * heads + 2 * kvHeads)
  }
  const { heads, qRank, kvRank, ropeDim, nopeDim, vDim } = attention
  const query =
    qRank > 0 ? hidden * qRank + qRank * heads * (nopeDim + ropeDim) : hidden * heads * (nopeDim + ropeDim)
  return query + hidden * (kvRank + ropeDim) + kvRank * heads * (nopeDim + vDim) + heads * vDim * hidden
}

/** Parameters of one layer's MLP: all of them, and those one token passes through. Gate, up and down, as in SwiGLU. */
export const mlpParameters = (
  mlp: Mlp,
  hidden: number
): { readonly all: number; readonly active: number } => {
  if (mlp.kind === "dense") {
    const all = 3 * hidden * mlp.intermediate
    return { all, active: all }
  }
  const expert = 3 * hidden * mlp.intermediate
  const always = 3 * hidden * mlp.sharedIntermediate + hidden * mlp.experts
  return { all: mlp.experts * expert + always, active: mlp.expertsPerToken * expert + always }
}

const layerParameters = (layer: LayerGroup, hidden: number): number =>
  attentionParameters(layer.attention, hidden) + mlpParameters(layer.mlp, hidden).all + 2 * hidden

export const parameters = (model: Model): number =>
  model.layers.reduce(
    (sum, layer) => sum + layer.count * layerParameters(layer, model.hidden),
    model.hidden
  ) +
  model.vocab * model.hidden * (model.tiedEmbeddings ? 1 : 2)

/** Bytes of all weights: as stated, or counted. */
export const weightBytes = (model: Model): number =>
  model.weightBytes ?? parameters(model) * model.weightBytesPerParam

/** Elements one token leaves in one layer's KV cache. MLA keeps one latent and one rotary key for all heads. */
const kvElements = (attention: Attention): number =>
  attention.kind === "gqa" ? 2 * attention.kvHeads * attention.headDim : attention.kvRank + attention.ropeDim

/** KV bytes of one token, apart for layers that keep the whole context and layers that keep a window of it. */
export interface KvShape {
  readonly globalBytesPerToken: number
  readonly localBytesPerToken: number
  /** Window of the local layers, tokens; 0 if there are none. */
  readonly window: number
}

export const kvShape = (model: Model): KvShape => {
  let global = 0
  let local = 0
  let window = 0
  for (const { attention, count } of model.layers) {
    const bytes = count * kvElements(attention) * model.kvBytesPerElement
    if (attention.kind === "gqa" && attention.window !== undefined) {
      local += bytes
      window = attention.window
    } else global += bytes
  }
  if (model.kvBytesPerToken === undefined)
    return { globalBytesPerToken: global, localBytesPerToken: local, window }
  const stated = model.kvBytesPerToken / (global + local)
  return { globalBytesPerToken: global * stated, localBytesPerToken: local * stated, window }
}

/** KV bytes of one token in all layers, while it is inside every window. */
export const kvBytesPerToken = (model: Model): number => {
  const { globalBytesPerToken, localBytesPerToken } = kvShape(model)
  return globalBytesPerToken + localBytesPerToken
}
