/** A model as a person writes it: shapes in Hugging Face's words. */
import { Schema } from "effect"
import { count, optional, origin, quantity, text } from "./fields.ts"

const AttentionFile = Schema.Union([
  Schema.Struct({
    num_attention_heads: count("Query heads."),
    num_key_value_heads: count("Key and value heads."),
    head_dim: count("Width of a head."),
    sliding_window: optional(count("Tokens a position sees; absent = all."))
  }),
  Schema.Struct({
    num_attention_heads: count("Heads."),
    q_lora_rank: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
      description: "Rank of the query projection, 0 = full."
    }),
    kv_lora_rank: count("Width of the latent that is cached."),
    qk_rope_head_dim: count("Width of the rotary key that is cached."),
    qk_nope_head_dim: count("Width of the rest of a key."),
    v_head_dim: count("Width of a value.")
  })
])
const MlpFile = Schema.Union([
  Schema.Struct({ intermediate_size: count("Width of the MLP.") }),
  Schema.Struct({
    num_experts: count("Experts of a layer."),
    num_experts_per_tok: count("Experts a token passes."),
    moe_intermediate_size: count("Width of an expert."),
    shared_intermediate_size: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
      description: "Width of the experts every token passes, 0 = none."
    })
  })
])
/** How wide weights and KV are; a Hugging Face config says it, unless a file knows better. */
const widths = {
  weight_bits: Schema.Literals([4, 8, 16, 32]).annotate({ description: "Bits of a weight." }),
  kv_cache_bits: Schema.Literals([4, 8, 16, 32]).annotate({ description: "Bits of a KV cache element." })
}
const statedBytes = {
  weight_bytes: optional(
    quantity("bytes", "All weights, where the count from the shapes is not to be used.")
  ),
  kv_bytes_per_token: optional(
    quantity("bytes", "KV of one token in all layers, where the count is not to be used.")
  )
}

export const ModelFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  hidden_size: count("Width of the residual stream."),
  vocab_size: count("Tokens of the vocabulary."),
  tie_word_embeddings: Schema.Boolean.annotate({
    description: "Input and output embeddings are the same matrix."
  }),
  max_position_embeddings: count("Longest context, tokens."),
  layers: Schema.Array(
    Schema.Struct({ count: count("Layers of this shape."), attention: AttentionFile, mlp: MlpFile })
  ),
  ...widths,
  ...statedBytes
})
export type ModelFile = typeof ModelFile.Type

/** A model by its Hugging Face config, and what of it is another way here. */
export const ConfigModelFile = Schema.Struct({
  config: text("Path of a config.json, relative to this file."),
  name: optional(text("Name in the results; the path if absent.")),
  weight_bits: optional(widths.weight_bits),
  kv_cache_bits: optional(widths.kv_cache_bits),
  ...statedBytes
})
