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

/** A method that stores rows in fewer bits, whichever rows there are. */
export interface Quantizing extends Compressor {
  readonly format: (headDim: number) => Format
}

const quantizing = (
  name: string,
  summary: string,
  source: string,
  format: (headDim: number) => Format
): Quantizing => ({
  name,
  summary,
  source,
  kind: "quantize",
  mode: "offline",
  takesKeep: false,
  needs: {},
  format,
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
  (d) => ({
    keys: perToken(4, Math.min(32, d)),
    values: perToken(4, Math.min(32, d)),
    // The transform exists for powers of two only; other widths are stored as they are.
    rotated: (d & (d - 1)) === 0
  })
)

/** Levels of a non-uniform code that lie where the values do: Lloyd's algorithm on values scaled to [-1, 1] by their group. */
const fitLevels = (rows: readonly Float32Array[], headDim: number, format: RowFormat): Float32Array => {
  const samples: number[] = []
  for (const row of rows) {
    const tokens = Math.floor(row.length / headDim / format.groupTokens) * format.groupTokens
    for (let first = 0; first < tokens; first += format.groupTokens)
      for (let channel = 0; channel < headDim; channel += format.groupChannels) {
        const group: number[] = []
        for (let t = first; t < first + format.groupTokens; t++)
          for (let c = channel; c < channel + format.groupChannels; c++) group.push(row[t * headDim + c]!)
        const low = Math.min(...group)
        const high = Math.max(...group)
        // A sample of each group is enough for sixteen levels.
        for (let i = 0; i < group.length && high > low; i += 4)
          samples.push((2 * group[i]! - low - high) / (high - low))
      }
  }
  const count = 2 ** format.bits
  let levels = Float32Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1)
  for (let round = 0; round < 12; round++) {
    const sums = new Float64Array(count)
    const members = new Float64Array(count)
    for (const sample of samples) {
      let nearest = 0
      for (let i = 1; i < count; i++)
        if (Math.abs(sample - levels[i]!) < Math.abs(sample - levels[nearest]!)) nearest = i
      sums[nearest]! += sample
      members[nearest]! += 1
    }
    levels = levels.map((level, i) => (members[i]! > 0 ? sums[i]! / members[i]! : level))
  }
  return levels
}

/** Tokens whose values are looked at to place the levels. */
const FITTED = 256

export const kvquant: Compressor = {
  name: "kvquant",
  summary: "4 bits at uneven levels fitted to each layer; keys per channel, values per token",
  source:
    "in the manner of arXiv:2401.18079: levels by Lloyd's algorithm without sensitivities, keys after RoPE, no outliers apart",
  kind: "quantize",
  mode: "offline",
  takesKeep: false,
  needs: { keys: true, values: true },
  compress: (observation) => {
    const { layers, kvHeads, headDim } = observation
    const format: Format = { keys: perChannel(4), values: perToken(4, Math.min(32, headDim)), rotated: false }
    const packed = packAll(observation, format)
    if (packed.tailStart === 0) return packed
    const fit = (side: "keys" | "values", layer: number): Float32Array =>
      fitLevels(
        Array.from({ length: kvHeads }, (_, head) =>
          observation[side](layer, head).subarray(0, FITTED * headDim)
        ),
        headDim,
        format[side] as RowFormat
      )
    return {
      ...packed,
      codebooks: Array.from({ length: layers }, (_, layer) => ({
        keys: fit("keys", layer),
        values: fit("values", layer)
      }))
    }
  }
}
