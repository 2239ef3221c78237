/** A layer profile as samples of the roofline, by the shapes of the model it was measured on, on one tensor-parallel rank. */
import { flopsPerPair } from "../../sim/cost/attention.ts"
import { ACTIVATION } from "../../sim/cost/linear.ts"
import { DECODING, queryBlocks } from "../../sim/cost/query-blocks.ts"
import type { Model, Operation, QueryBlock } from "../../scenario/resolved.ts"
import { wholeExperts } from "./experts.ts"
import type { Sample } from "./fit.ts"
import type { LayerProfile } from "./kernel-tables.ts"

export type OperationSamples = Readonly<Record<Operation, readonly Sample[]>>

/** Kernels of a block of experts, as the cost model counts them: gate and up, down. */
const EXPERT_LAUNCHES = 2
/** Kernels of a layer that are neither matmul nor attention, as the cost model counts them. */
const ELEMENTWISE_LAUNCHES = 4

/** Why a model's profile cannot be read, or its samples. `block`: how its kernels cut queries. */
export const samplesOfProfile = (
  profile: LayerProfile,
  model: Model,
  ranks: number,
  block: QueryBlock
): OperationSamples | { readonly problem: string } => {
  const [layer, ...others] = model.layers
  if (layer === undefined || others.length > 0)
    return {
      problem: `${model.name} has layers of several shapes; a profile of one layer does not say which`
    }
  const { attention, mlp } = layer
  if (attention.kind !== "gqa")
    return { problem: `${model.name} has no grouped queries: its attention is not in the profile` }
  const experts = wholeExperts(profile.experts)
  if (mlp.kind === "moe" && mlp.sharedIntermediate > 0)
    return { problem: `${model.name} has shared experts: a profile does not say whether they were measured` }
  if ((mlp.kind === "moe") !== experts.length > 0)
    return {
      problem:
        mlp.kind === "moe"
          ? `${model.name} has experts and the profile none: give moe.csv too`
          : `${model.name} has no experts and the profile has`
    }
  const { hidden, vocab, weightBytesPerParam: width } = model
  const { heads, kvHeads, headDim } = attention
  const queries = (heads * headDim) / ranks
  const keys = (2 * kvHeads * headDim) / ranks
  const inner = mlp.kind === "dense" ? mlp.intermediate / ranks : 0
  const shapes: Readonly<Record<string, readonly [number, number]>> = {
    qkv_proj: [hidden, queries + keys],
    o_proj: [queries, hidden],
    ...(mlp.kind === "dense" ? { gate_up_proj: [hidden, 2 * inner], down_proj: [inner, hidden] } : {})
  }
  const matmul = profile.dense.flatMap(({ layer: name, tokens, seconds }): Sample[] => {
    const shape = shapes[name]
    if (shape === undefined || tokens === 0) return []
    const [from, to] = shape
    return [
      {
        bytes: from * to * width + tokens * (from + to) * ACTIVATION,
        flops: 2 * from * to * tokens,
        launches: 1,
        seconds
      }
    ]
  })
  const expert = (3 * hidden * mlp.intermediate) / ranks
  const perToken = mlp.kind === "moe" ? mlp.expertsPerToken : 0
  const grouped = experts.map(({ tokens, activated, seconds }): Sample => {
    const passing = tokens * (2 * hidden + (3 * perToken * mlp.intermediate) / ranks) * ACTIVATION
    return {
      bytes: activated * expert * width + passing,
      flops: 2 * perToken * expert * tokens,
      launches: EXPERT_LAUNCHES,
      seconds
    }
  })
  const between = new Map<number, number>()
  for (const { layer: name, tokens, seconds } of profile.dense) {
    if (shapes[name] !== undefined || name === "embedding" || name === "final_layernorm") continue
    between.set(tokens, (between.get(tokens) ?? 0) + seconds * (name === "layernorm" ? 2 : 1))
  }
  const elementwise = [...between]
    .filter(([tokens]) => tokens > 0)
    .map(([tokens, seconds]) => ({
      bytes: tokens * (6 * hidden + 2 * inner) * ACTIVATION,
      flops: 0,
      launches: ELEMENTWISE_LAUNCHES,
      seconds
    }))
  const head = new Map<number, number>()
  for (const { sequences, seconds } of profile.perSequence)
    head.set(sequences, (head.get(sequences) ?? 0) + seconds)
  const lmHead = [...head]
    .filter(([rows]) => rows > 0)
    .map(([rows, seconds]) => ({
      bytes: (hidden * vocab * width + rows * vocab * ACTIVATION) / ranks,
      flops: (2 * hidden * vocab * rows) / ranks,
      launches: 1,
      seconds
    }))
  const kvBytes = keys * model.kvBytesPerElement
  const pairFlops = flopsPerPair(attention, "decode") / ranks
  const decode = profile.attention
    .filter(({ chunk, requests }) => chunk === 0 && requests > 0)
    .map(({ requests, kvTokens, seconds }) => ({
      bytes: requests * kvTokens * kvBytes,
      flops: requests * kvTokens * pairFlops,
      launches: 1,
      seconds,
      blocks: requests * queryBlocks(1, heads / ranks, kvHeads / ranks, DECODING).blocks
    }))
  const prefill = profile.attention
    .filter(({ chunk }) => chunk > 0)
    .map(({ chunk, cached, requests, kvTokens, seconds }) => {
      const prompt = queryBlocks(chunk, heads / ranks, kvHeads / ranks, block)
      const one = queryBlocks(1, heads / ranks, kvHeads / ranks, block)
      const pairs = chunk * cached + (chunk * (chunk + 1)) / 2
      return {
        bytes: (cached + chunk + requests * kvTokens) * kvBytes,
        flops: (pairs * prompt.padding + requests * kvTokens * one.padding) * pairFlops,
        launches: 1,
        seconds,
        blocks: prompt.blocks + requests * one.blocks,
        walk: Math.max(cached + chunk, requests > 0 ? kvTokens : 0)
      }
    })
  return {
    matmul: [...matmul, ...grouped],
    elementwise,
    "lm-head": lmHead,
    "attention-decode": decode,
    "attention-prefill": prefill
  }
}
