/**
 * What a compressed copy of a context lacks: entries of the full KV whose very bits are not on the device. Entries a method
 * only dropped others beside are there, in the packed part and in the tail; stored in fewer bits, or rotated, they are not.
 */
import type { Compression, Format } from "../compressors/compressor.ts"

/** The packed entries have the bits of the full KV. */
export const packedAsTheyWere = ({ keys, values, rotated }: Format): boolean =>
  keys === "raw" && values === "raw" && !rotated

/** The tail has them. */
export const tailAsItWas = ({ rotated }: Format): boolean => !rotated

/** Full KV of `tokens` tokens, of which the compressed copy's tail reaches to `tailEnd`. */
export interface Reach {
  readonly tokens: number
  readonly tailEnd: number
}

/** Positions of one head of one layer, ascending, that have to come from host memory. */
const lackingOf = (
  { kept, tailStart, format }: Compression,
  layer: number,
  head: number,
  { tokens, tailEnd }: Reach
): readonly number[] => {
  const packed = packedAsTheyWere(format) ? kept[layer]![head]! : new Uint32Array(0)
  const inTail = (position: number): boolean =>
    tailAsItWas(format) && position >= tailStart && position < tailEnd
  const positions: number[] = []
  let next = 0
  for (let position = 0; position < tokens; position++)
    if (packed[next] === position) next++
    else if (!inTail(position)) positions.push(position)
  return positions
}

/** A row, key and value, of one KV head. */
export interface Place {
  readonly head: number
  readonly position: number
}

/** Rows of a layer that have to come, head by head. */
export const lackingRows = (compression: Compression, layer: number, reach: Reach): readonly Place[] =>
  compression.kept[layer]!.flatMap((_, head) =>
    lackingOf(compression, layer, head, reach).map((position) => ({ head, position }))
  )

/** Rows of a layer that are in the packed part, in its order. */
export const packedRows = ({ kept, format }: Compression, layer: number): readonly Place[] =>
  packedAsTheyWere(format)
    ? kept[layer]!.flatMap((positions, head) => Array.from(positions, (position) => ({ head, position })))
    : []
