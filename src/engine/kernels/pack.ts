import type { RowFormat } from "../compressors/compressor.ts"
import type { Kernel } from "../webgpu/device.ts"
import { fromFloat32, fromHalf } from "../weights/dtype.ts"
import hadamardSource from "./hadamard.wgsl?raw"
import codesSource from "./pack-codes.wgsl?raw"
import scalesSource from "./pack-scales.wgsl?raw"
import jobSource from "./pack-source.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

const packing = (shape: EngineShape, name: string, source: string): Kernel => ({
  name,
  source: withViews(`${hadamardSource}\n${jobSource}\n${source}`),
  constants: sizeConstants(shape)
})

/** Scale and zero of every group of a layer. Bindings: arena, views, kept, job. */
export const packScales = (shape: EngineShape): Kernel => packing(shape, "pack scales", scalesSource)
/** Codes of a layer, after its scales. Bindings: arena, views, kept, job. */
export const packCodes = (shape: EngineShape): Kernel => packing(shape, "pack codes", codesSource)

/** A side of a layer's packed part of one KV head: its codes, and (scale, zero) of every group as two halves of a word. */
export interface Packed {
  readonly codes: Uint32Array
  readonly scales: Uint32Array
}

/** Halves of a word as floats. */
const halvesOf = (word: number): readonly [number, number] => [fromHalf(word & 0xffff), fromHalf(word >>> 16)]
const halfBits = (value: number): number =>
  new Uint16Array(fromFloat32(Float32Array.of(value), "F16").buffer)[0]!

/** Groups in the order of their scales, and which of them an element belongs to. */
const groupAt = (
  { groupTokens, groupChannels }: RowFormat,
  headDim: number,
  entry: number,
  channel: number
) => Math.floor(entry / groupTokens) * (headDim / groupChannels) + Math.floor(channel / groupChannels)

/** Packs one KV head's rows; every operation rounds to single precision as on the device. */
export const packReference = (
  rows: readonly Float32Array[],
  format: RowFormat,
  levels: Float32Array | undefined
): Packed => {
  const { bits, groupTokens, groupChannels } = format
  const { fround } = Math
  const headDim = rows[0]!.length
  const most = 2 ** bits - 1
  const groups = (rows.length / groupTokens) * (headDim / groupChannels)
  const low = new Float32Array(groups).fill(Infinity)
  const high = new Float32Array(groups).fill(-Infinity)
  for (const [entry, row] of rows.entries())
    for (const [channel, value] of row.entries()) {
      const group = groupAt(format, headDim, entry, channel)
      low[group] = Math.min(low[group]!, value)
      high[group] = Math.max(high[group]!, value)
    }
  const scales = Uint32Array.from(low, (least, group) => {
    const reach = fround(high[group]! - least)
    const [scale, zero] =
      levels === undefined
        ? [fround(reach / most), least]
        : [fround(reach * 0.5), fround(fround(high[group]! + least) * 0.5)]
    return halfBits(scale) | (halfBits(zero) << 16)
  })
  const codes = new Uint32Array((rows.length * headDim * bits) / 32)
  for (const [entry, row] of rows.entries())
    for (const [channel, value] of row.entries()) {
      const [scale, zero] = halvesOf(scales[groupAt(format, headDim, entry, channel)]!)
      const ratio = scale === 0 ? 0 : fround(fround(value - zero) / scale)
      let code = 0
      if (scale !== 0 && levels === undefined)
        code = Math.min(most, Math.max(0, Math.floor(fround(ratio + 0.5))))
      if (scale !== 0 && levels !== undefined)
        for (const [i, level] of levels.entries())
          if (Math.abs(fround(ratio - level)) < Math.abs(fround(ratio - levels[code]!))) code = i
      const at = (entry * headDim + channel) * bits
      codes[Math.floor(at / 32)]! |= code << (at % 32)
    }
  return { codes, scales }
}

/** What attention reads out of a packed head again, [entry][channel]. */
export const unpackReference = (
  { codes, scales }: Packed,
  format: RowFormat,
  entries: number,
  headDim: number,
  levels: Float32Array | undefined
): Float32Array[] =>
  Array.from({ length: entries }, (_row, entry) =>
    Float32Array.from({ length: headDim }, (_value, channel) => {
      const at = (entry * headDim + channel) * format.bits
      const code = (codes[Math.floor(at / 32)]! >>> (at % 32)) & (2 ** format.bits - 1)
      const [scale, zero] = halvesOf(scales[groupAt(format, headDim, entry, channel)]!)
      return (levels?.[code] ?? code) * scale + zero
    })
  )
