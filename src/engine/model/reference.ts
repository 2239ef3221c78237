/**
 * The model in plain TypeScript on the CPU, one position at a time: what the WebGPU engine is checked against, and its peer in
 * benchmarks. Activations, weights and KV are stored in single precision; sums run in double.
 */
import { Effect } from "effect"
import type { Checkpoint, ModelRefused } from "../weights/checkpoint.ts"
import { EMBEDDING, FINAL_NORM, HEAD, inLayer } from "../weights/names.ts"
import { toFloat32 } from "../weights/dtype.ts"
import { type ModelConfig, ropeTable } from "./config.ts"

/** A projection: weight [out][in] in rows, and a bias [out] where the model has one. */
interface Projection {
  readonly weight: Float32Array
  readonly bias: Float32Array | undefined
}

interface ReferenceLayer {
  readonly inputNorm: Float32Array
  readonly query: Projection
  readonly key: Projection
  readonly value: Projection
  /** Gains over a head, [headDim]; undefined without QK-norm. */
  readonly queryNorm: Float32Array | undefined
  readonly keyNorm: Float32Array | undefined
  readonly output: Projection
  readonly mlpNorm: Float32Array
  readonly gate: Projection
  readonly up: Projection
  readonly down: Projection
}

/** KV of one layer, both [position][kvHead][headDim]; keys after QK-norm and RoPE. Views: writing to them changes the cache. */
export interface ReferenceKv {
  readonly keys: Float32Array
  readonly values: Float32Array
}

const FIRST_POSITIONS = 64

export class ReferenceDecoder {
  readonly config: ModelConfig
  readonly #layers: readonly ReferenceLayer[]
  readonly #embedding: Float32Array
  readonly #head: Float32Array
  readonly #finalNorm: Float32Array
  #length = 0
  /** Positions there is room for: in the KV, the turns and the scores. */
  #room = 0
  #keys: Float32Array[] = []
  #values: Float32Array[] = []
  #turns: Float32Array = new Float32Array()
  #scores: Float32Array = new Float32Array()

  private constructor(
    config: ModelConfig,
    layers: readonly ReferenceLayer[],
    tables: {
      readonly embedding: Float32Array
      readonly head: Float32Array
      readonly finalNorm: Float32Array
    }
  ) {
    this.config = config
    this.#layers = layers
    this.#embedding = tables.embedding
    this.#head = tables.head
    this.#finalNorm = tables.finalNorm
    this.#keys = layers.map(() => new Float32Array())
    this.#values = layers.map(() => new Float32Array())
    this.reserve(FIRST_POSITIONS)
  }

  /** Reads all weights into memory, four bytes each. */
  static readonly load = Effect.fnUntraced(function* (
    checkpoint: Checkpoint
  ): Effect.fn.Return<ReferenceDecoder, ModelRefused> {
    const { config, tensors } = checkpoint
    const tensor = Effect.fnUntraced(function* (name: string) {
      const stored = tensors.get(name)
      if (stored === undefined) throw new Error(`${name} is not in the checkpoint`)
      return toFloat32(yield* checkpoint.read(name), stored.dtype)
    })
    const layers: ReferenceLayer[] = []
    for (let layer = 0; layer < config.layers; layer++) {
      const norm = (part: string) => tensor(inLayer(layer, `${part}.weight`))
      const projection = Effect.fnUntraced(function* (part: string, hasBias: boolean) {
        const weight = yield* tensor(inLayer(layer, `${part}.weight`))
        const bias = hasBias ? yield* tensor(inLayer(layer, `${part}.bias`)) : undefined
        return { weight, bias } satisfies Projection
      })
      layers.push({
        inputNorm: yield* norm("input_layernorm"),
        query: yield* projection("self_attn.q_proj", config.qkvBias),
        key: yield* projection("self_attn.k_proj", config.qkvBias),
        value: yield* projection("self_attn.v_proj", config.qkvBias),
        queryNorm: config.qkNorm ? yield* norm("self_attn.q_norm") : undefined,
        keyNorm: config.qkNorm ? yield* norm("self_attn.k_norm") : undefined,
        output: yield* projection("self_attn.o_proj", config.outputBias),
        mlpNorm: yield* norm("post_attention_layernorm"),
        gate: yield* projection("mlp.gate_proj", false),
        up: yield* projection("mlp.up_proj", false),
        down: yield* projection("mlp.down_proj", false)
      })
    }
    const embedding = yield* tensor(EMBEDDING)
    const head = config.tied ? embedding : yield* tensor(HEAD)
    return new ReferenceDecoder(config, layers, { embedding, head, finalNorm: yield* tensor(FINAL_NORM) })
  })

  /** Positions in the KV. */
  get length(): number {
    return this.#length
  }

  /** The KV of a layer as far as it goes; valid until the cache next grows. */
  kv(layer: number): ReferenceKv {
    const used = this.#length * this.config.kvHeads * this.config.headDim
    return { keys: this.#keys[layer]!.subarray(0, used), values: this.#values[layer]!.subarray(0, used) }
  }

  /** Cuts the KV, or lengthens it for a caller who then writes the new entries through `kv`. */
  setLength(positions: number): void {
    this.reserve(positions)
    this.#length = positions
  }

  /** Makes room for as many positions, so that none of them has to copy the KV. */
  reserve(positions: number): void {
    if (positions <= this.#room) return
    this.#room = Math.max(positions, 2 * this.#room)
    const floats = this.#room * this.config.kvHeads * this.config.headDim
    this.#keys = this.#keys.map((keys) => enlarged(keys, floats))
    this.#values = this.#values.map((values) => enlarged(values, floats))
    this.#turns = ropeTable(this.config, this.#room)
    this.#scores = new Float32Array(this.#room)
  }

  /**
   * Takes a token in at a position, which is at most `length`: what the KV holds from there on is replaced. Returns the logits of
   * the next token, [vocab], an array of the caller's own.
   */
  step(token: number, position: number): Float32Array {
    const { config } = this
    const { hidden, heads, kvHeads, headDim, intermediate, vocab, normEps } = config
    if (!(token >= 0 && token < vocab)) throw new Error(`token ${token} is not in a vocabulary of ${vocab}`)
    if (!(position >= 0 && position <= this.#length))
      throw new Error(`position ${position} does not follow ${this.#length} positions of KV`)
    this.setLength(position + 1)
    const kvWidth = kvHeads * headDim
    const stream = this.#embedding.slice(token * hidden, (token + 1) * hidden)
    const normed = new Float32Array(hidden)
    const queries = new Float32Array(heads * headDim)
    const attended = new Float32Array(heads * headDim)
    const added = new Float32Array(hidden)
    const gate = new Float32Array(intermediate)
    const up = new Float32Array(intermediate)

    for (const [index, layer] of this.#layers.entries()) {
      rmsNorm(stream, layer.inputNorm, normEps, normed)
      const key = this.#keys[index]!.subarray(position * kvWidth, (position + 1) * kvWidth)
      const value = this.#values[index]!.subarray(position * kvWidth, (position + 1) * kvWidth)
      project(layer.query, normed, queries)
      project(layer.key, normed, key)
      project(layer.value, normed, value)
      this.#turn(queries, layer.queryNorm, position)
      this.#turn(key, layer.keyNorm, position)
      this.#attend(queries, index, position, attended)
      project(layer.output, attended, added)
      add(stream, added)
      rmsNorm(stream, layer.mlpNorm, normEps, normed)
      project(layer.gate, normed, gate)
      project(layer.up, normed, up)
      for (let i = 0; i < intermediate; i++) gate[i] = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!
      project(layer.down, gate, added)
      add(stream, added)
    }
    rmsNorm(stream, this.#finalNorm, normEps, normed)
    const logits = new Float32Array(vocab)
    project({ weight: this.#head, bias: undefined }, normed, logits)
    return logits
  }

  /** QK-norm and RoPE on every head: the halves of a head are rotated against each other. */
  #turn(vectors: Float32Array, gains: Float32Array | undefined, position: number): void {
    const { headDim, normEps } = this.config
    const half = headDim / 2
    for (let start = 0; start < vectors.length; start += headDim) {
      const head = vectors.subarray(start, start + headDim)
      if (gains !== undefined) rmsNorm(head, gains, normEps, head)
      for (let i = 0, at = position * headDim; i < half; i++, at += 2) {
        const cos = this.#turns[at]!
        const sin = this.#turns[at + 1]!
        const low = head[i]!
        const high = head[half + i]!
        head[i] = low * cos - high * sin
        head[half + i] = high * cos + low * sin
      }
    }
  }

  /** Softmax attention of every query head over the positions it sees. */
  #attend(queries: Float32Array, layer: number, position: number, attended: Float32Array): void {
    const { heads, kvHeads, headDim, slidingWindow } = this.config
    const kvWidth = kvHeads * headDim
    const keys = this.#keys[layer]!
    const values = this.#values[layer]!
    const scores = this.#scores
    const first = slidingWindow === undefined ? 0 : Math.max(0, position + 1 - slidingWindow)
    const scale = 1 / Math.sqrt(headDim)
    const sums = new Float64Array(headDim)
    for (let head = 0; head < heads; head++) {
      const ofKvHead = Math.floor((head * kvHeads) / heads) * headDim
      let most = -Infinity
      for (let j = first; j <= position; j++) {
        const score = dot(queries, head * headDim, keys, j * kvWidth + ofKvHead, headDim) * scale
        scores[j] = score
        if (score > most) most = score
      }
      sums.fill(0)
      let total = 0
      for (let j = first; j <= position; j++) {
        const weight = Math.exp(scores[j]! - most)
        total += weight
        for (let i = 0, at = j * kvWidth + ofKvHead; i < headDim; i++, at++)
          sums[i] = sums[i]! + weight * values[at]!
      }
      for (let i = 0; i < headDim; i++) attended[head * headDim + i] = sums[i]! / total
    }
  }
}

const enlarged = (values: Float32Array, floats: number): Float32Array => {
  const larger = new Float32Array(floats)
  larger.set(values)
  return larger
}

/** Eight products a turn in four sums: what lets the compiled loop keep the processor busy. */
const dot = (a: Float32Array, aFrom: number, b: Float32Array, bFrom: number, length: number): number => {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let i = 0
  for (; i + 8 <= length; i += 8) {
    const p = aFrom + i
    const q = bFrom + i
    s0 += a[p]! * b[q]! + a[p + 4]! * b[q + 4]!
    s1 += a[p + 1]! * b[q + 1]! + a[p + 5]! * b[q + 5]!
    s2 += a[p + 2]! * b[q + 2]! + a[p + 6]! * b[q + 6]!
    s3 += a[p + 3]! * b[q + 3]! + a[p + 7]! * b[q + 7]!
  }
  for (; i < length; i++) s0 += a[aFrom + i]! * b[bFrom + i]!
  return s0 + s1 + (s2 + s3)
}

const project = ({ weight, bias }: Projection, input: Float32Array, output: Float32Array): void => {
  const depth = input.length
  for (let row = 0; row < output.length; row++)
    output[row] = dot(input, 0, weight, row * depth, depth) + (bias === undefined ? 0 : bias[row]!)
}

/** `target` may be `input` itself. */
const rmsNorm = (input: Float32Array, gains: Float32Array, eps: number, target: Float32Array): void => {
  const scale = 1 / Math.sqrt(dot(input, 0, input, 0, input.length) / input.length + eps)
  for (let i = 0; i < input.length; i++) target[i] = input[i]! * scale * gains[i]!
}

const add = (target: Float32Array, other: Float32Array): void => {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + other[i]!
}
