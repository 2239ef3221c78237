/** A model's weights on the device. They are read a piece at a time, so the host never holds a whole matrix. */
import { Effect } from "effect"
import type { WeightType } from "../kernels/weights.ts"
import type { AdapterCard, Device } from "../webgpu/device.ts"
import { STORAGE } from "../webgpu/usage.ts"
import { type Checkpoint, type Dtype, ModelRefused, type Tensor } from "../weights/checkpoint.ts"
import { EMBEDDING, FINAL_NORM, HEAD, inLayer } from "../weights/names.ts"
import { toFloat32 } from "../weights/dtype.ts"
import type { ModelConfig } from "./config.ts"
import { Laying } from "./laying.ts"

/** Columns of a matrix that share a buffer, [depth][width]; both numbers are multiples of 4. */
export interface Piece {
  readonly buffer: GPUBuffer
  readonly first: number
  readonly width: number
}

/** A matrix laid out [depth][width], width a multiple of 4, in one piece if a binding may show it all; see kernels/weights.ts. */
export interface Matrix {
  readonly pieces: readonly Piece[]
  readonly type: WeightType
  readonly depth: number
  readonly width: number
  readonly bias?: GPUBuffer
}

export interface DeviceLayer {
  readonly inputNorm: GPUBuffer
  readonly qkv: Matrix
  /** Gains of the query norm, then of the key norm; ones where the model has none. */
  readonly qkGains: GPUBuffer
  readonly output: Matrix
  readonly mlpNorm: GPUBuffer
  readonly gateUp: Matrix
  readonly down: Matrix
}

export interface DeviceModel {
  readonly config: ModelConfig
  readonly layers: readonly DeviceLayer[]
  /** Laid out like the output head: [hidden][vocab]. */
  readonly embedding: Matrix
  readonly head: Matrix
  readonly finalNorm: GPUBuffer
  /** Bytes of all of it on the device. */
  readonly bytes: number
}

const ELEMENT_BYTES: Readonly<Record<Dtype, 2 | 4>> = { F32: 4, F16: 2, BF16: 2 }

/** Columns of `bytes` bytes each that one binding of the adapter may show, a multiple of 4. */
const columnsWithin = ({ maxBindingBytes, maxBufferBytes }: AdapterCard, bytes: number): number =>
  4 * Math.floor(Math.min(maxBindingBytes, maxBufferBytes) / bytes / 4)

/** Loads a model. `onProgress`: tensors read and tensors in all. */
export const loadModel = (
  device: Device,
  checkpoint: Checkpoint,
  onProgress: (read: number, all: number) => void
): Effect.Effect<DeviceModel, ModelRefused> =>
  Effect.gen(function* () {
    const { config, tensors } = checkpoint
    const native = device.raw.features.has("shader-f16")
    const laying = new Laying(device)
    let bytes = 0
    let read = 0
    const all = tensors.size
    const upload = (label: string, data: Uint8Array | Float32Array): GPUBuffer => {
      bytes += data.byteLength
      return device.upload(label, data)
    }
    const fetch = Effect.fnUntraced(function* (name: string) {
      const data = yield* checkpoint.read(name)
      onProgress(++read, all)
      return data
    })
    const vector = Effect.fnUntraced(function* (names: readonly string[]) {
      const parts: Float32Array[] = []
      for (const name of names) parts.push(toFloat32(yield* fetch(name), tensors.get(name)!.dtype))
      return concat(parts)
    })

    /** Elements from `first` on of a stored tensor, in the type wanted: its own or F32. */
    const readRows = Effect.fnUntraced(function* (
      { name, dtype }: Tensor,
      wanted: Dtype,
      first: number,
      into: Uint8Array
    ) {
      const from = first * ELEMENT_BYTES[dtype]
      if (dtype === wanted) return void (yield* checkpoint.read(name, { from, into }))
      const own = new Uint8Array((into.length / 4) * ELEMENT_BYTES[dtype])
      const numbers = toFloat32(yield* checkpoint.read(name, { from, into: own }), dtype)
      into.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    })

    /** Stored matrices side by side, in their own type if they share it. */
    const matrix = Effect.fnUntraced(function* (
      label: string,
      names: readonly string[],
      biases: readonly string[] = []
    ) {
      const stored = names.map((name) => tensors.get(name)!)
      const depth = stored[0]!.shape[1]!
      const outputs = stored.map(({ shape }) => shape[0]!)
      const width = Math.ceil(outputs.reduce((sum, one) => sum + one, 0) / 4) * 4
      const dtype = stored.every((tensor) => tensor.dtype === stored[0]!.dtype) ? stored[0]!.dtype : "F32"
      const elementBytes = ELEMENT_BYTES[dtype]
      const most = columnsWithin(device.card, depth * elementBytes)
      if (most === 0)
        return yield* new ModelRefused({
          file: label,
          reason: `four columns need ${4 * depth * elementBytes} bytes in one buffer; ${device.card.name} binds at most ${device.card.maxBindingBytes}`
        })
      const atOnce = Math.floor(laying.pieceBytes / (depth * elementBytes))
      if (atOnce === 0)
        return yield* new ModelRefused({
          file: label,
          reason: `a row has ${depth * elementBytes} bytes; loading takes ${laying.pieceBytes} at once on ${device.card.name}`
        })
      const pieces = Array.from({ length: Math.ceil(width / most) }, (_, i): Piece => {
        const columns = Math.min(most, width - i * most)
        bytes += depth * columns * elementBytes
        return {
          first: i * most,
          width: columns,
          buffer: device.buffer(label, depth * columns * elementBytes)
        }
      })
      let from = 0
      for (const [i, tensor] of stored.entries()) {
        for (const piece of pieces) {
          // Stored rows that become columns of this piece.
          const begin = Math.max(0, piece.first - from)
          const end = Math.min(outputs[i]!, piece.first + piece.width - from)
          for (let row = begin; row < end; row += atOnce) {
            const rows = Math.min(atOnce, end - row)
            yield* readRows(tensor, dtype, row * depth, laying.window(rows * depth * elementBytes))
            yield* laying.put(rows, elementBytes, { ...piece, depth, first: from + row - piece.first })
          }
        }
        onProgress(++read, all)
        from += outputs[i]!
      }
      const type: WeightType = dtype === "F16" && native ? "F16-native" : dtype
      const bias = biases.length === 0 ? undefined : upload(`${label} bias`, yield* vector(biases))
      return { pieces, type, depth, width, ...(bias === undefined ? {} : { bias }) } satisfies Matrix
    })

    const layers: DeviceLayer[] = []
    for (let layer = 0; layer < config.layers; layer++) {
      const name = (part: string): string => inLayer(layer, part)
      const projections = ["q", "k", "v"].map((part) => name(`self_attn.${part}_proj`))
      const gains = config.qkNorm
        ? yield* vector([name("self_attn.q_norm.weight"), name("self_attn.k_norm.weight")])
        : new Float32Array(2 * config.headDim).fill(1)
      layers.push({
        inputNorm: upload("input norm", yield* vector([name("input_layernorm.weight")])),
        qkv: yield* matrix(
          `${name("self_attn")} qkv`,
          projections.map((one) => `${one}.weight`),
          config.qkvBias ? projections.map((one) => `${one}.bias`) : []
        ),
        qkGains: upload("qk gains", gains),
        output: yield* matrix(
          name("self_attn.o_proj"),
          [name("self_attn.o_proj.weight")],
          config.outputBias ? [name("self_attn.o_proj.bias")] : []
        ),
        mlpNorm: upload("mlp norm", yield* vector([name("post_attention_layernorm.weight")])),
        gateUp: yield* matrix(`${name("mlp")} gate and up`, [
          name("mlp.gate_proj.weight"),
          name("mlp.up_proj.weight")
        ]),
        down: yield* matrix(name("mlp.down_proj"), [name("mlp.down_proj.weight")])
      })
    }
    const embedding = yield* matrix(EMBEDDING, [EMBEDDING])
    const head = config.tied ? embedding : yield* matrix(HEAD, [HEAD])
    const finalNorm = upload("final norm", yield* vector([FINAL_NORM]))
    laying.close()
    return { config, layers, embedding, head, finalNorm, bytes }
  })

/** An empty buffer for kernels that take a bias and are given none. */
export const noBias = (device: Device): GPUBuffer => device.buffer("no bias", 16, STORAGE)

const concat = (parts: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
