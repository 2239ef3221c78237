/** Methods that store every token in fewer bits; the newest stay as they are until a group is full. */
import type { Compression, Compressor, Format, Observation, RowFormat } from "./compressor.ts"
import { groupOf, keepAll } from "./keep.ts"

/** Tokens that stay uncompressed at the end (KIVI's residual). */
const RESIDUAL = 32

/** Everything up to the residual, packed. */
export const packAll = (observation: Observation, format: Format): Compression => {
  const { tokens, layers, kvHeads } = observation
  const group = groupOf(format)
  const end = Math.floor(Math.max(0, tokens - RESIDUAL) / group) * group
  if (end === 0) return keepAll(observation)
  const all = Uint32Array.from({ length: end }, (_, position) => position)
  return {
    tailStart: end,
    kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => all)),
    format
  }
}

/** One scale per token and row of channels, or per channel and group of tokens. */
const perToken = (bits: RowFormat["bits"], channels: number): RowFormat => ({
  bits,
  groupTokens: 1,
  groupChannels: channels
})
const perChannel = (bits: RowFormat["bits"]): RowFormat => ({ bits, groupTokens: 32, groupChannels: 1 })

const quantizing = (
  name: string,
  summary: string,
  source: string,
  format: (headDim: number) => Format
): Compressor => ({
  name,
  summary,
  source,
  kind: "quantize",
  mode: "offline",
  takesKeep: false,
  needs: {},
  compress: (observation) => packAll(observation, format(observation.headDim))
})

const plain = (keys: RowFormat, values: RowFormat): Format => ({ keys, values, rotated: false })

export const int8 = quantizing("int8", "8 bits, a scale per token and head", "common practice", (d) =>
  plain(perToken(8, d), perToken(8, d))
)
export const int4 = quantizing("int4", "4 bits, a scale per token and 32 channels", "common practice", (d) =>
  plain(perToken(4, Math.min(32, d)), perToken(4, Math.min(32, d)))
)
export const k8v4 = quantizing("k8v4", "keys in 8 bits, values in 4", "common practice", (d) =>
  plain(perToken(8, d), perToken(4, Math.min(32, d)))
)
export const kivi4 = quantizing(
  "kivi-4",
  "4 bits: keys per channel, values per token",
  "arXiv:2402.02750",
  (d) => plain(perChannel(4), perToken(4, Math.min(32, d)))
)
export const kivi2 = quantizing(
  "kivi-2",
  "2 bits: keys per channel, values per token",
  "arXiv:2402.02750",
  (d) => plain(perChannel(2), perToken(2, Math.min(32, d)))
)
export const rotateKv = quantizing(
  "rotatekv",
  "4 bits after a Hadamard rotation of every head, which spreads outliers over its channels",
  "in the manner of arXiv:2501.16383, rotating after RoPE",
  (d) => ({ keys: perToken(4, Math.min(32, d)), values: perToken(4, Math.min(32, d)), rotated: true })
)
