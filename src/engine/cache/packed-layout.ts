/** Where the packed part of a compressed context lies: word offsets of each layer's codes, scales and levels. */
import type { Compression, RowFormat } from "../compressors/compressor.ts"

export interface PackedShape {
  readonly kvHeads: number
  readonly headDim: number
  readonly kvBits: 16 | 32
}

/** Words of one side (keys or values) of one layer; `scales` and `levels` are undefined for plain rows. */
export interface PackedSide {
  readonly codes: number
  readonly scales: number | undefined
  readonly levels: number | undefined
}

export interface PackedLayout {
  readonly layers: readonly {
    readonly count: number
    readonly keys: PackedSide
    readonly values: PackedSide
  }[]
  /** Words in all. */
  readonly words: number
}

/** Bits of one stored element. */
export const bitsOf = (format: RowFormat | "raw", kvBits: 16 | 32): number =>
  format === "raw" ? kvBits : format.bits

/**
 * Lays a compression out. Every part begins at a multiple of head_dim words, so that no row and no row of scales straddles
 * a page (pages are multiples of that).
 */
export const layOut = (compression: Compression, { kvHeads, headDim, kvBits }: PackedShape): PackedLayout => {
  let words = 0
  const take = (count: number): number => {
    const at = words
    words += Math.ceil(count / headDim) * headDim
    return at
  }
  const layers = compression.kept.map((heads, layer) => {
    const count = heads[0]?.length ?? 0
    const side = (format: RowFormat | "raw", levels: Float32Array | undefined): PackedSide => {
      const codes = take((kvHeads * count * headDim * bitsOf(format, kvBits)) / 32)
      if (format === "raw") return { codes, scales: undefined, levels: undefined }
      const groups = ((kvHeads * count) / format.groupTokens) * (headDim / format.groupChannels)
      return {
        codes,
        scales: take(groups),
        levels: levels === undefined || count === 0 ? undefined : take(levels.length)
      }
    }
    const books = compression.codebooks?.[layer]
    return {
      count,
      keys: side(compression.format.keys, books?.keys),
      values: side(compression.format.values, books?.values)
    }
  })
  return { layers, words }
}
