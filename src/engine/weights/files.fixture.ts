/** Model folders made up in memory, for tests of what reads them. */
import { Effect } from "effect"
import { type ModelConfig } from "../model/config.ts"
import type { Checkpoint, Tensor } from "./checkpoint.ts"
import type { ModelFiles } from "./open.ts"

export type Folder = Readonly<Record<string, Uint8Array>>

export interface StoredBytes extends Omit<Tensor, "dtype"> {
  readonly dtype: string
  readonly bytes: Uint8Array
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A header and what follows it. */
export const withHeader = (header: unknown, data: Uint8Array): Uint8Array => {
  const json = utf8(typeof header === "string" ? header : JSON.stringify(header))
  const file = new Uint8Array(8 + json.length + data.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(json, 8)
  file.set(data, 8 + json.length)
  return file
}

/** A safetensors file of these tensors, one after another. */
export const safetensors = (tensors: readonly StoredBytes[]): Uint8Array => {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } }
  let end = 0
  for (const { name, dtype, shape, bytes } of tensors)
    header[name] = { dtype, shape, data_offsets: [end, (end += bytes.length)] }
  const data = new Uint8Array(end)
  let at = 0
  for (const { bytes } of tensors) {
    data.set(bytes, at)
    at += bytes.length
  }
  return withHeader(header, data)
}

export const memoryFiles = (folder: Folder): ModelFiles => ({
  name: "model",
  size: (path) => Effect.succeed(folder[path]?.length),
  read: (path, from, bytes, into = new Uint8Array(bytes)) =>
    Effect.sync(() => {
      into.set(folder[path]!.subarray(from, from + bytes))
      return into
    })
})

/** A checkpoint's tensors with their bytes. */
export const allTensors = ({ tensors, read }: Checkpoint): readonly StoredBytes[] =>
  [...tensors.values()].map((tensor) => ({ ...tensor, bytes: Effect.runSync(read(tensor.name)) }))

/** A config.json that says the same as a config; `extra` fields go over it. */
export const configJson = (config: ModelConfig, extra: Readonly<Record<string, unknown>> = {}): Uint8Array =>
  utf8(
    JSON.stringify({
      architectures: ["LlamaForCausalLM"],
      hidden_size: config.hidden,
      num_hidden_layers: config.layers,
      num_attention_heads: config.heads,
      num_key_value_heads: config.kvHeads,
      head_dim: config.headDim,
      intermediate_size: config.intermediate,
      vocab_size: config.vocab,
      max_position_embeddings: config.maxPositions,
      rms_norm_eps: config.normEps,
      rope_theta: config.ropeTheta,
      tie_word_embeddings: config.tied,
      ...extra
    })
  )

/** Tensors in as many files as asked, with the index that names them. */
export const sharded = (tensors: readonly StoredBytes[], shards: number): Folder => {
  const folder: Record<string, Uint8Array> = {}
  const map: Record<string, string> = {}
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${shard + 1}-of-${shards}.safetensors`
    const own = tensors.filter((_, i) => i % shards === shard)
    for (const { name } of own) map[name] = file
    folder[file] = safetensors(own)
  }
  folder["model.safetensors.index.json"] = utf8(JSON.stringify({ weight_map: map }))
  return folder
}
