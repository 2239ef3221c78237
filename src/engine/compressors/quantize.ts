/** Methods that store every token in fewer bits; the newest stay as they are until a group is full. */
import type { Compression, Compressor, Observation, RowFormat } from "./compressor.ts"
import { groupOf, keepAll, type Storing } from "./keep.ts"
import { lloyd, type Sample } from "./lloyd.ts"

/** Tokens that stay uncompressed at the end (KIVI's residual). */
const RESIDUAL = 32

/** Everything up to the residual, packed. */
const packAll = (observation: Observation, storing: Storing): Compression => {
  const { tokens, layers, kvHeads } = observation
  const group = groupOf(storing.format)
  const end = Math.floor(Math.max(0, tokens - RESIDUAL) / group) * group
  if (end === 0) return keepAll(observation)
  const all = Uint32Array.from({ length: end }, (_, position) => position)
  return {
    tailStart: end,
    kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => all)),
    ...storing
  }
}

/** One scale per token and row of channels, or per channel and group of tokens. */
const perToken = (bits: RowFormat["bits"], channels: number): RowFormat => ({
  bits,
  groupTokens: 1,
  groupChannels: channels
})
const perChannel = (bits: RowFormat["bits"]): RowFormat => ({ bits, groupTokens: 32, groupChannels: 1 })

/** Channels that share a scale: 32, or 16 where 32 do not divide a head. */
const groupWidth = (headDim: number): number => (headDim % 32 === 0 ? 32 : 16)

/** A method that stores rows in fewer bits, whichever rows there are. */
export interface Quantizing extends Compressor {
  readonly storing: (observation: Observation) => Storing
}

const quantizing = (
  fields: Pick<Compressor, "name" | "summary" | "source"> & Partial<Pick<Compressor, "needs">>,
  storing: Quantizing["storing"]
): Quantizing => ({
  kind: "quantize",
  mode: "offline",
  takesKeep: false,
  needs: {},
  ...fields,
  storing,
  compress: (observation) => packAll(observation, storing(observation))
})

/** A method whose format depends on head_dim alone. */
const inFormat = (
  name: string,
  summary: string,
  source: string,
  rows: (headDim: number) => { readonly keys: RowFormat; readonly values: RowFormat },
  rotated: (headDim: number) => boolean = () => false
): Quantizing =>
  quantizing({ name, summary, source }, ({ headDim }) => ({
    format: { ...rows(headDim), rotated: rotated(headDim) }
  }))

export const int8 = inFormat("int8", "8 bits, a scale per token and head", "common practice", (d) => ({
  keys: perToken(8, d),
  values: perToken(8, d)
}))
export const int4 = inFormat("int4", "4 bits, a scale per token and 32 channels", "common practice", (d) => ({
  keys: perToken(4, groupWidth(d)),
  values: perToken(4, groupWidth(d))
}))
export const k8v4 = inFormat("k8v4", "keys in 8 bits, values in 4", "common practice", (d) => ({
  keys: perToken(8, d),
  values: perToken(4, groupWidth(d))
}))

const kivi = (bits: 2 | 4): Quantizing =>
  inFormat(`kivi-${bits}`, `${bits} bits: keys per channel, values per token`, "arXiv:2402.02750", (d) => ({
    keys: perChannel(bits),
    values: perToken(bits, groupWidth(d))
  }))
export const kivi4 = kivi(4)
export const kivi2 = kivi(2)

const rotating = (name: string, bits: 2 | 4): Quantizing =>
  inFormat(
    name,
    `${bits} bits after a Hadamard rotation of every head, which spreads outliers over its channels`,
    "in the manner of arXiv:2501.16383, rotating after RoPE",
    (d) => ({ keys: perToken(bits, groupWidth(d)), values: perToken(bits, groupWidth(d)) }),
    // The transform exists for powers of two only; other widths are stored as they are.
    (d) => (d & (d - 1)) === 0
  )
export const rotateKv = rotating("rotatekv", 4)
export const rotateKv2 = rotating("rotatekv-2", 2)

/** Tokens whose rows are looked at to place the levels. */
const FITTED = 256

/** Levels for the rows of one layer and side, a Float32Array for each KV head. */
const levelsFor = (rows: readonly Float32Array[], headDim: number, format: RowFormat): Float32Array => {
  const { bits, groupTokens, groupChannels } = format
  const samples: Sample[] = []
  for (const row of rows) {
    const tokens = Math.min(FITTED, Math.floor(row.length / headDim / groupTokens) * groupTokens)
    for (let first = 0; first < tokens; first += groupTokens)
      for (let channel = 0; channel < headDim; channel += groupChannels) {
        const group: number[] = []
        for (let token = first; token < first + groupTokens; token++)
          for (let c = channel; c < channel + groupChannels; c++) group.push(row[token * headDim + c]!)
        const low = Math.min(...group)
        const high = Math.max(...group)
        // A sample of each group is enough for sixteen levels.
        for (let i = 0; i < group.length && high > low; i += 4)
          samples.push({ at: (2 * group[i]! - low - high) / (high - low), weight: (high - low) ** 2 })
      }
  }
  return lloyd(samples, 2 ** bits)
}

export const kvquant = quantizing(
  {
    name: "kvquant",
    summary: "4 bits at uneven levels fitted to each layer; keys per channel, values per token",
    source:
      "in the manner of arXiv:2401.18079: levels weighed by squared error, not by sensitivity; keys after RoPE, no outliers apart",
    needs: { keys: true, values: true }
  },
  ({ layers, kvHeads, headDim, keys, values }) => {
    const format = { keys: perChannel(4), values: perToken(4, groupWidth(headDim)), rotated: false }
    const fit = (side: Observation["keys"], layer: number, rows: RowFormat): Float32Array =>
      levelsFor(
        Array.from({ length: kvHeads }, (_, head) => side(layer, head)),
        headDim,
        rows
      )
    return {
      format,
      codebooks: Array.from({ length: layers }, (_, layer) => ({
        keys: fit(keys, layer, format.keys),
        values: fit(values, layer, format.values)
      }))
    }
  }
)
