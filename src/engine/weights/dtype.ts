/** The number formats weights are stored in, little-endian, and single precision. */
import type { Dtype } from "./checkpoint.ts"

export const DTYPE_BYTES: Readonly<Record<Dtype, 2 | 4>> = { F32: 4, F16: 2, BF16: 2 }

/** Elements as single-precision numbers: a view of `bytes` where that is possible, a copy otherwise. */
export const toFloat32 = (bytes: Uint8Array, dtype: Dtype): Float32Array => {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  if (dtype === "F32") return new Float32Array(buffer, byteOffset, byteLength / 4)
  const halves = new Uint16Array(buffer, byteOffset, byteLength / 2)
  if (dtype === "F16") return Float32Array.from(halves, fromHalf)
  const words = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16
  return new Float32Array(words.buffer)
}

/** Numbers as bytes of a format, rounded to nearest, ties to even. F32 shares its memory with `values`. */
export const fromFloat32 = (values: Float32Array, dtype: Dtype): Uint8Array => {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const halves = new Uint16Array(words.length)
  const round = dtype === "F16" ? toHalf : toBrain
  for (let i = 0; i < words.length; i++) halves[i] = round(words[i]!)
  return new Uint8Array(halves.buffer)
}

/** The number an IEEE half-precision pattern stands for. */
export const fromHalf = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Upper half of a single-precision pattern, rounded; a NaN stays one. */
const toBrain = (word: number): number =>
  (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16

/** Half-precision pattern of a single-precision one. */
const toHalf = (word: number): number => {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // From 65520 on the nearest is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Below 2^-14: multiples of 2^-24; Math.round would send ties up.
    const scaled = fromWord(magnitude) * 2 ** 24
    const floor = Math.floor(scaled)
    const rest = scaled - floor
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor)
  }
  const rebased = magnitude - (112 << 23)
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13)
}

const scratch = new Uint32Array(1)
const scratchFloat = new Float32Array(scratch.buffer)
const fromWord = (word: number): number => {
  scratch[0] = word
  return scratchFloat[0]!
}
