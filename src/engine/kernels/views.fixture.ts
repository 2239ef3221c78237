/** Two views of one context in a paged arena, for tests of the kernels that read, write and pack them. */
import { Effect } from "effect"
import fc from "fast-check"
import { DeviceCache, draftView, fullView, packedPages } from "../cache/device-cache.ts"
import { layOut, type PackedSide } from "../cache/packed-layout.ts"
import type { Compression, Format, RowFormat } from "../compressors/compressor.ts"
import { RAW } from "../compressors/keep.ts"
import { softwareDevice } from "../engine.fixture.ts"
import { fromFloat32, toFloat32 } from "../weights/dtype.ts"
import { copyReference } from "./copy.ts"
import { noise, tinyShape } from "./kernel.fixture.ts"
import { unpackReference } from "./pack.ts"
import { type EngineShape, pageWords, tokenWords } from "./shape.ts"
import { hadamardReference } from "./unrotate.ts"

/** View of full KV, and view drafts attend to, of two slots. */
export const FULL = fullView(0)
export const DRAFT = draftView(1)

/** What an element of the cache keeps of numbers. */
export const kept = (row: Float32Array, { kvBits }: EngineShape): Float32Array =>
  kvBits === 32 ? row : toFloat32(fromFloat32(row, "F16"), "F16")

interface Case {
  readonly shape: EngineShape
  /** Tokens of full KV, and of the tail of the draft view behind what is packed. */
  readonly tokens: number
  readonly tail: number
  readonly format: Format
  readonly entries: number
  readonly codebook: boolean
  readonly seed: number
}

/**
 * Two views over one arena: full KV of `tokens` random tokens in pages out of order, and a draft view with every second or
 * third of them packed and a tail copied behind.
 */
export const build = async ({ shape, tokens, tail, format, entries, codebook, seed }: Case) => {
  const { device: root } = await softwareDevice()
  const device = root.share()
  const { layers, kvHeads, headDim } = shape.config
  const cache = new DeviceCache(device, shape, 64)
  const words = tokenWords(shape)
  const rows = Array.from({ length: tokens }, (_, token) =>
    kept(noise(layers * 2 * kvHeads * headDim, seed + 31 * token, 2), shape)
  )
  const pages = cache.pages
    .take(Math.ceil(tokens / shape.pageTokens))!
    .toSorted((a, b) => ((a * 7) % 13) - ((b * 7) % 13))
  cache.setTail(FULL, pages)
  cache.clearPacked(FULL)
  for (const [token, row] of rows.entries())
    for (let block = 0; block < layers * 2 * kvHeads; block++) {
      const element =
        (pages[Math.floor(token / shape.pageTokens)]! * layers * 2 * kvHeads + block) *
          shape.pageTokens *
          headDim +
        (token % shape.pageTokens) * headDim
      const part = row.slice(block * headDim, (block + 1) * headDim)
      device.write(
        cache.arena,
        (element * shape.kvBits) / 8,
        fromFloat32(part, shape.kvBits === 32 ? "F32" : "F16")
      )
    }
  const levels = (rows: RowFormat | "raw", side: number): { readonly [key: string]: Float32Array } =>
    rows === "raw" || !codebook
      ? {}
      : { [side === 0 ? "keys" : "values"]: noise(2 ** rows.bits, seed + side).toSorted((a, b) => a - b) }
  const compression: Compression = {
    tailStart: tokens,
    kept: Array.from({ length: layers }, (_layer, layer) =>
      Array.from({ length: kvHeads }, (_head, head) =>
        Uint32Array.from({ length: entries }, (_, i) => Math.min(tokens - 1, 2 * i + ((head + layer) % 2)))
      )
    ),
    format,
    codebooks: Array.from({ length: layers }, () => ({
      ...levels(format.keys, 0),
      ...levels(format.values, 1)
    }))
  }
  const layout = layOut(compression, { ...shape.config, kvBits: shape.kvBits })
  const packed = cache.pages.take(packedPages(shape, layout))!
  cache.describePacked(DRAFT, compression, layout, packed)
  cache.pack(FULL, DRAFT, compression, layout, packed)
  cache.setTail(DRAFT, cache.pages.take(Math.ceil((tail + 1) / shape.pageTokens))!)
  cache.copyRows(Array.from({ length: tail }, (_, i) => ({ fromView: FULL, from: i, toView: DRAFT, to: i })))
  const arena = async (): Promise<Uint32Array> =>
    new Uint32Array((await Effect.runPromise(device.read(cache.arena, 0, cache.arena.size))).buffer)

  const block = (token: number, layer: number, side: number, head: number): Float32Array => {
    const from = ((layer * 2 + side) * kvHeads + head) * headDim
    return rows[token]!.subarray(from, from + headDim)
  }
  const turned = (row: Float32Array): Float32Array => (format.rotated ? hadamardReference(row) : row)
  /** Rows a head of the draft view's packed part was made of, and what it ought to be. */
  const source = (layer: number, side: number, head: number): Float32Array[] =>
    Array.from(compression.kept[layer]![head]!, (token) => turned(block(token, layer, side, head)))
  const formats = [format.keys, format.values]
  const bookOf = (layer: number, side: number): Float32Array | undefined =>
    side === 0 ? compression.codebooks![layer]!.keys : compression.codebooks![layer]!.values
  /** Words of the packed part from the device. */
  const packedWords = (all: Uint32Array, from: number, count: number): Uint32Array =>
    Uint32Array.from({ length: count }, (_, i) => {
      const at = from + i
      return all[packed[Math.floor(at / pageWords(shape))]! * pageWords(shape) + (at % pageWords(shape))]!
    })
  /** Rows of a view as attention reads them, oldest first. */
  const seen = (
    all: Uint32Array,
    view: number,
    layer: number,
    side: number,
    head: number
  ): Float32Array[] => {
    if (view === FULL) return rows.map((_, token) => block(token, layer, side, head))
    const tails = Array.from({ length: tail }, (_, token) =>
      kept(copyReference(block(token, layer, side, head), headDim, format.rotated), shape)
    )
    const rowsFormat = formats[side]!
    if (rowsFormat === "raw") return [...source(layer, side, head).map((row) => kept(row, shape)), ...tails]
    const part = onDevice(all, layer, side, head, rowsFormat)
    return [...unpackReference(part, rowsFormat, entries, headDim, bookOf(layer, side)), ...tails]
  }
  const onDevice = (all: Uint32Array, layer: number, side: number, head: number, rowsFormat: RowFormat) => {
    const { codes, scales }: PackedSide = layout.layers[layer]![side === 0 ? "keys" : "values"]
    const codeWords = (entries * headDim * rowsFormat.bits) / 32
    const groups = (entries / rowsFormat.groupTokens) * (headDim / rowsFormat.groupChannels)
    return {
      codes: packedWords(all, codes + head * codeWords, codeWords),
      scales: packedWords(all, scales! + head * groups, groups)
    }
  }
  /** Tokens whose rows a head of the packed part has, in its order. */
  const keptOf = (layer: number, head: number): readonly number[] => [...compression.kept[layer]![head]!]
  return { device, cache, rows, pages, words, formats, arena, source, bookOf, onDevice, seen, keptOf }
}

const rowFormats = (headDim: number) =>
  fc.oneof(
    fc.constant("raw" as const),
    fc.record({
      bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
      groupTokens: fc.constantFrom(1, 4),
      groupChannels: fc.constantFrom(1, 2, 4, headDim / 2, headDim)
    })
  )

/** Few sizes, or compiling would be most of the time. */
const sizes = fc.constantFrom(
  { heads: 4, kvHeads: 2, headDim: 16, kvBits: 16 as const },
  { heads: 4, kvHeads: 2, headDim: 16, kvBits: 32 as const },
  { heads: 3, kvHeads: 1, headDim: 64, kvBits: 16 as const },
  { heads: 2, kvHeads: 2, headDim: 32, kvBits: 32 as const, slidingWindow: 37 }
)

/** Shapes, lengths and formats of both views. */
export const cases = sizes
  .chain(({ kvBits, ...config }) =>
    fc.record({
      shape: fc.constant(tinyShape(config, { kvBits, maxTokens: 640 })),
      tokens: fc.constantFrom(1, 16, 63, 64, 65, 100, 520),
      tail: fc.constantFrom(0, 5, 20),
      format: fc.record({
        keys: rowFormats(config.headDim),
        values: rowFormats(config.headDim),
        rotated: fc.boolean()
      }),
      entries: fc.constantFrom(0, 4, 24, 60),
      codebook: fc.boolean(),
      seed: fc.integer({ min: 0, max: 1000 })
    })
  )
  .map((one) => ({
    ...one,
    tail: Math.min(one.tail, one.tokens),
    format: one.entries === 0 ? RAW : one.format
  }))
