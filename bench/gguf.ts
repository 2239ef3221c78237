/**
 * A checkpoint as a GGUF file, so that llama.cpp runs the very weights the engine does. Models of the Llama architecture
 * without biases, QK-norm or RoPE scaling; the vocabulary's texts are made up, since only ids go in.
 *
 * Source: the GGUF specification (ggml, docs/gguf.md), version 3, and llama.cpp's names of tensors and keys.
 */
import { Effect } from "effect"
import type { Checkpoint, Tensor } from "../src/engine/weights/checkpoint.ts"
import { fromFloat32, toFloat32 } from "../src/engine/weights/dtype.ts"
import { EMBEDDING, FINAL_NORM, HEAD, inLayer } from "../src/engine/weights/names.ts"

const ALIGNMENT = 32
const TYPES = { u32: 4, i32: 5, f32: 6, string: 8, array: 9, u64: 10 } as const
/** Numbers of ggml's tensor types. */
const GGML = { F32: 0, F16: 1, BF16: 30 } as const

/** llama.cpp wants a token for every byte. */
const BYTES = 256
const TOKEN = { normal: 1, byte: 6 } as const

/** Why llama.cpp cannot be given this model by this writer; undefined if it can. */
export const notAsGguf = ({ config }: Checkpoint): string | undefined => {
  const { modelType, qkNorm, qkvBias, outputBias, ropeScaling, slidingWindow, vocab } = config
  const plain = !qkNorm && !qkvBias && !outputBias && slidingWindow === undefined && vocab > BYTES
  return modelType === "llama" && plain && ropeScaling.kind === "none"
    ? undefined
    : "only plain models of the Llama architecture are written as GGUF here"
}

class Writer {
  readonly #parts: Uint8Array[] = []
  length = 0

  bytes(data: Uint8Array): this {
    this.#parts.push(data)
    this.length += data.length
    return this
  }
  u32(value: number): this {
    return this.bytes(new Uint8Array(Uint32Array.of(value).buffer))
  }
  f32(value: number): this {
    return this.bytes(new Uint8Array(Float32Array.of(value).buffer))
  }
  u64(value: number): this {
    return this.bytes(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer))
  }
  string(text: string): this {
    const utf8 = new TextEncoder().encode(text)
    return this.u64(utf8.length).bytes(utf8)
  }
  pad(): this {
    return this.bytes(new Uint8Array((ALIGNMENT - (this.length % ALIGNMENT)) % ALIGNMENT))
  }
  get whole(): Uint8Array {
    const all = new Uint8Array(this.length)
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

/** Rows of queries or keys in the order llama.cpp rotates them: neighbours, where Hugging Face rotates halves of a head. */
const interleaved = (data: Uint8Array, { shape }: Tensor, heads: number): Uint8Array => {
  const [rows] = shape as readonly [number, number]
  const rowBytes = data.length / rows
  const headRows = rows / heads
  const result = new Uint8Array(data.length)
  for (let row = 0; row < rows; row++) {
    const head = Math.floor(row / headRows)
    const within = row % headRows
    const from = head * headRows + (within % 2) * (headRows / 2) + Math.floor(within / 2)
    result.set(data.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes)
  }
  return result
}

const LAYER_TENSORS: readonly (readonly [ours: string, theirs: string])[] = [
  ["input_layernorm.weight", "attn_norm.weight"],
  ["self_attn.q_proj.weight", "attn_q.weight"],
  ["self_attn.k_proj.weight", "attn_k.weight"],
  ["self_attn.v_proj.weight", "attn_v.weight"],
  ["self_attn.o_proj.weight", "attn_output.weight"],
  ["post_attention_layernorm.weight", "ffn_norm.weight"],
  ["mlp.gate_proj.weight", "ffn_gate.weight"],
  ["mlp.up_proj.weight", "ffn_up.weight"],
  ["mlp.down_proj.weight", "ffn_down.weight"]
]

/** The file's bytes, all in memory: for small models. */
export const asGguf = Effect.fnUntraced(function* (checkpoint: Checkpoint, name: string) {
  const { config, tensors } = checkpoint
  const names: (readonly [ours: string, theirs: string])[] = [
    [EMBEDDING, "token_embd.weight"],
    [FINAL_NORM, "output_norm.weight"],
    ...(config.tied ? [] : [[HEAD, "output.weight"] as const])
  ]
  for (let layer = 0; layer < config.layers; layer++)
    for (const [ours, theirs] of LAYER_TENSORS) names.push([inLayer(layer, ours), `blk.${layer}.${theirs}`])

  const header = new Writer().bytes(new TextEncoder().encode("GGUF")).u32(3).u64(names.length)
  const fields: ((out: Writer) => void)[] = []
  const u32 = (key: string, value: number) => fields.push((out) => out.string(key).u32(TYPES.u32).u32(value))
  const f32 = (key: string, value: number) => fields.push((out) => out.string(key).u32(TYPES.f32).f32(value))
  const text = (key: string, value: string) =>
    fields.push((out) => out.string(key).u32(TYPES.string).string(value))
  const list = (key: string, type: number, values: number, each: (out: Writer, i: number) => void) =>
    fields.push((out) => {
      out.string(key).u32(TYPES.array).u32(type).u64(values)
      for (let i = 0; i < values; i++) each(out, i)
    })
  text("general.architecture", "llama")
  text("general.name", name)
  u32("general.alignment", ALIGNMENT)
  u32("llama.context_length", config.maxPositions)
  u32("llama.embedding_length", config.hidden)
  u32("llama.block_count", config.layers)
  u32("llama.feed_forward_length", config.intermediate)
  u32("llama.attention.head_count", config.heads)
  u32("llama.attention.head_count_kv", config.kvHeads)
  u32("llama.attention.key_length", config.headDim)
  u32("llama.attention.value_length", config.headDim)
  u32("llama.rope.dimension_count", config.headDim)
  u32("llama.vocab_size", config.vocab)
  f32("llama.attention.layer_norm_rms_epsilon", config.normEps)
  f32("llama.rope.freq_base", config.ropeTheta)
  text("tokenizer.ggml.model", "llama")
  const textOf = (i: number): string =>
    i < BYTES ? `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>` : `<${i}>`
  list("tokenizer.ggml.tokens", TYPES.string, config.vocab, (out, i) => out.string(textOf(i)))
  list("tokenizer.ggml.scores", TYPES.f32, config.vocab, (out) => out.f32(0))
  list("tokenizer.ggml.token_type", TYPES.i32, config.vocab, (out, i) =>
    out.u32(i < BYTES ? TOKEN.byte : TOKEN.normal)
  )
  u32("tokenizer.ggml.bos_token_id", config.eosTokens[0] ?? 0)
  u32("tokenizer.ggml.eos_token_id", config.eosTokens[0] ?? 0)
  header.u64(fields.length)
  for (const field of fields) field(header)

  const data = new Writer()
  for (const [ours, theirs] of names) {
    const tensor = tensors.get(ours)!
    const stored = yield* checkpoint.read(ours)
    // Vectors are read in single precision whatever they were stored in.
    const isVector = tensor.shape.length === 1
    const heads = /q_proj/.test(ours) ? config.heads : /k_proj/.test(ours) ? config.kvHeads : undefined
    const bytes = isVector
      ? fromFloat32(toFloat32(stored, tensor.dtype), "F32")
      : heads === undefined
        ? stored
        : interleaved(stored, tensor, heads)
    header.string(theirs).u32(tensor.shape.length)
    for (const size of tensor.shape.toReversed()) header.u64(size)
    header.u32(isVector ? GGML.F32 : GGML[tensor.dtype]).u64(data.length)
    data.bytes(bytes).pad()
  }
  return header.pad().bytes(data.whole).whole
})
