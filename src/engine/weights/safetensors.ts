/** The safetensors format: eight bytes of length, a JSON header, then the tensors' bytes in row-major order. */
import type { Dtype, Tensor } from "./checkpoint.ts"

export interface StoredTensor extends Tensor {
  /** Bytes from the start of the file. */
  readonly from: number
  readonly bytes: number
}

export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { F32: 4, F16: 2, BF16: 2 }

/** Larger headers than this are no headers: the format's own limit. */
const MOST_HEADER = 100_000_000

/** Length of the header, from the first eight bytes; words if that cannot be. */
export const headerLength = (first: Uint8Array, fileBytes: number): number | string => {
  if (first.length < 8) return "it is shorter than eight bytes, so it is no safetensors file"
  const view = new DataView(first.buffer, first.byteOffset, 8)
  const length = Number(view.getBigUint64(0, true))
  if (length > MOST_HEADER || length < 2)
    return `its header claims ${length} bytes, so it is no safetensors file`
  if (8 + length > fileBytes)
    return `its header claims ${length} bytes, the file has ${fileBytes}: it is cut off or no safetensors file`
  return length
}

const isCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => Number.isInteger(one) && one >= 0)

/** Tensors of a file by its header; words if the header is wrong. Tensors of other types than floats are left out. */
export const parseHeader = (
  header: Uint8Array,
  fileBytes: number
): ReadonlyMap<string, StoredTensor> | string => {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header))
  } catch {
    return "its header is no JSON"
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return "its header is no JSON object"
  const start = 8 + header.length
  const tensors = new Map<string, StoredTensor>()
  for (const [name, entry] of Object.entries(json as Record<string, unknown>)) {
    if (name === "__metadata__") continue
    const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>
    if (typeof dtype !== "string" || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      return `${name} has no dtype, shape and data_offsets`
    const [from, to] = offsets as readonly [number, number]
    if (to < from || start + to > fileBytes) return `${name} lies outside the file: it is cut off`
    if (!(dtype in DTYPE_BYTES)) {
      if (name.endsWith(".weight") || name.endsWith(".bias"))
        return `${name} is ${dtype}; the engine reads F32, F16 and BF16`
      continue
    }
    const bytes = shape.reduce((product, one) => product * one, 1) * DTYPE_BYTES[dtype as Dtype]
    if (bytes !== to - from) return `${name} has ${to - from} bytes, its shape needs ${bytes}`
    tensors.set(name, { name, dtype: dtype as Dtype, shape, from: start + from, bytes })
  }
  return tensors
}

/** Elements as single-precision numbers. */
export const toFloat32 = (bytes: Uint8Array, dtype: Dtype): Float32Array => {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  if (dtype === "F32") return new Float32Array(buffer, byteOffset, byteLength / 4)
  const halves = new Uint16Array(buffer, byteOffset, byteLength / 2)
  if (dtype === "F16") return Float32Array.from(halves, fromHalf)
  const words = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16
  return new Float32Array(words.buffer)
}

/** The number an IEEE half-precision pattern stands for. */
export const fromHalf = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
