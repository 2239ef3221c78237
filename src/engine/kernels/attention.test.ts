/** The kernels of attention over paged views, each in its place in the chain, against their plain TypeScript bodies. */
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DeviceCache, packedPages } from "../cache/device-cache.ts"
import { layOut, type PackedSide } from "../cache/packed-layout.ts"
import type { Compression, Format, RowFormat } from "../compressors/compressor.ts"
import { softwareDevice } from "../engine.fixture.ts"
import { ROW } from "../model/forward.ts"
import { fromFloat32, toFloat32 } from "../weights/dtype.ts"
import { copyReference } from "./copy.ts"
import { distance, floatsOf, noise, passWords, runKernel, runs, tinyShape } from "./kernel.fixture.ts"
import { merge, mergeReference } from "./merge.ts"
import { normalise, normaliseReference } from "./normalise.ts"
import { observe, observeReference } from "./observe.ts"
import { packReference, unpackReference } from "./pack.ts"
import { queries, queryAt } from "./queries.ts"
import { rope, ropeReference } from "./rope.ts"
import { scores, scoresReference } from "./scores.ts"
import { CHUNK, type EngineShape, pageWords, SPAN, tokenWords } from "./shape.ts"
import { softmax, softmaxReference } from "./softmax.ts"
import { hadamardReference, unrotate } from "./unrotate.ts"
import { values, valuesReference } from "./values.ts"

const RAW: Format = { keys: "raw", values: "raw", rotated: false }
const FULL = 1
const DRAFT = 2

/** What an element of the cache keeps of numbers. */
const kept = (row: Float32Array, { kvBits }: EngineShape): Float32Array =>
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
const build = async ({ shape, tokens, tail, format, entries, codebook, seed }: Case) => {
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
  return { device, cache, rows, pages, words, formats, arena, source, bookOf, onDevice, seen }
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

const cases = sizes
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

describe("attention over paged views", () => {
  it("packs as its reference does, bit by bit where the rows are not turned", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { config } = one.shape
        const views = await build(one)
        const all = await views.arena()
        for (let layer = 0; layer < config.layers; layer++)
          for (const [side, format] of views.formats.entries())
            for (let head = 0; head < config.kvHeads && format !== "raw"; head++) {
              const rows = views.source(layer, side, head)
              const levels = views.bookOf(layer, side)
              const found = views.onDevice(all, layer, side, head, format)
              if (one.entries === 0) continue
              const expected = packReference(rows, format, levels)
              if (!one.format.rotated) expect(found).toEqual(expected)
              const unpack = (part: typeof found) =>
                unpackReference(part, format, one.entries, config.headDim, levels)
              // Turned rows differ in their last bits, and so may a code: by one level at most.
              const most = levels === undefined ? 8.1 / (2 ** format.bits - 1) : 8
              for (const [i, row] of unpack(found).entries()) {
                expect(distance(row, unpack(expected)[i]!)).toBeLessThan(1.01)
                if (levels === undefined)
                  for (const [channel, value] of row.entries())
                    expect(Math.abs(value - rows[i]![channel]!)).toBeLessThan(2 * most)
              }
            }
        views.device.close()
      }),
      runs(25)
    )
  })

  it("attends as its reference does, kernel by kernel", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { shape } = one
        const { heads, kvHeads, headDim, layers, slidingWindow = 0 } = shape.config
        const views = await build(one)
        const layer = one.seed % layers
        // The newest token of each view, one token earlier in full KV, and one with nothing behind it but the packed part.
        const rows = [
          { view: FULL, tail: one.tokens - 1 },
          { view: FULL, tail: Math.max(0, one.tokens - 2) },
          ...(one.tail > 0
            ? [
                { view: DRAFT, tail: one.tail - 1 },
                { view: DRAFT, tail: 0 }
              ]
            : [])
        ]
        const words = Uint32Array.from(
          rows.flatMap(({ view, tail }, i) => [
            view,
            tail,
            tail,
            (i < 2 ? ROW.observed : 0) | (one.seed % 2 === 0 ? ROW.most : 0) | (1 << ROW.slotShift)
          ])
        )
        const width = (heads + 2 * kvHeads) * headDim
        const projected = noise(rows.length * width, one.seed + 5, 2)
        const entries = Math.ceil((Math.max(one.tokens, one.entries + one.tail) + 1) / CHUNK) * CHUNK
        const spans = Math.ceil(entries / SPAN)
        const count = rows.length
        const { device } = views
        const buffer = (floats: number): GPUBuffer => device.buffer("test", 4 * floats)
        const [scored, chunks] = [
          buffer(count * heads * entries),
          buffer((2 * count * heads * entries) / CHUNK)
        ]
        const parts = buffer(count * heads * headDim * spans)
        const pass = passWords(count, 0, entries)
        const number = { uniform: Uint32Array.of(layer, 0, 0, 0) }
        const { arena, views: table } = views.cache
        const [rawScores] = await runKernel(
          scores(shape),
          [projected, arena, table, words, pass, number, scored],
          [Math.ceil(entries / 64), heads, count],
          [6]
        )
        const [weights, sums] = await runKernel(
          softmax(shape),
          [scored, table, words, pass, number, chunks],
          [Math.ceil(entries / CHUNK / 16), heads, count],
          [0, 5]
        )
        const [factors] = await runKernel(
          normalise(shape),
          [chunks, table, words, pass, number],
          [Math.ceil(heads / 4), Math.ceil(count / 4)],
          [0]
        )
        await runKernel(
          values(shape),
          [scored, chunks, arena, table, words, pass, number, parts],
          [Math.ceil((heads * headDim) / 64), spans, count],
          []
        )
        const before = noise(2 * layers * kvHeads * shape.maxTokens, one.seed + 8).map(Math.abs)
        const [observed] = await runKernel(
          observe(shape),
          [scored, chunks, words, pass, number, before],
          [Math.ceil(entries / 64), kvHeads],
          [5]
        )
        const [attended] = await runKernel(
          merge(shape),
          [parts, table, words, pass, number, new Float32Array(count * heads * headDim)],
          [Math.ceil((heads * headDim) / 64), 1, count],
          [5]
        )
        const [turned] = await runKernel(
          unrotate(shape),
          [floatsOf(attended!), table, words, pass],
          [Math.ceil(heads / 4), Math.ceil(count / 4)],
          [0]
        )

        const all = await views.arena()
        const expectedObserved = before.slice()
        for (const [i, { view, tail }] of rows.entries()) {
          const visible = view === FULL ? tail + 1 : one.entries + tail + 1
          const window = view === FULL || one.entries === 0 ? slidingWindow : 0
          const attention: number[][] = []
          for (let head = 0; head < heads; head++) {
            const kvHead = Math.floor(head / (heads / kvHeads))
            const keys = views.seen(all, view, layer, 0, kvHead).slice(0, visible)
            const rowsValues = views.seen(all, view, layer, 1, kvHead).slice(0, visible)
            const from = i * width + head * headDim
            const score = scoresReference(projected.slice(from, from + headDim), keys, window)
            const base = (i * heads + head) * entries
            expect(distance(floatsOf(rawScores!).subarray(base, base + visible), score)).toBeLessThan(2e-4)
            const soft = softmaxReference(score)
            expect(distance(floatsOf(weights!).subarray(base, base + visible), soft.weights)).toBeLessThan(
              2e-3
            )
            const chunk = base / CHUNK
            const pairs = floatsOf(sums!).subarray(2 * chunk, 2 * (chunk + soft.chunks.length))
            for (const [c, [most, sum]] of soft.chunks.entries()) {
              expect(distance([pairs[2 * c]!], [most])).toBeLessThan(2e-3)
              expect(distance([pairs[2 * c + 1]!], [sum])).toBeLessThan(2e-3)
            }
            const factor = normaliseReference(soft.chunks)
            const found = floatsOf(factors!).filter((_, at) => at % 2 === 0)
            expect(distance(found.subarray(chunk, chunk + factor.length), factor)).toBeLessThan(2e-3)
            const result = Float32Array.from(
              mergeReference(valuesReference(soft.weights, factor, rowsValues))
            )
            const at = (i * heads + head) * headDim
            expect(distance(floatsOf(attended!).subarray(at, at + headDim), result)).toBeLessThan(2e-3)
            const back = view === DRAFT && one.format.rotated ? hadamardReference(result) : result
            expect(distance(floatsOf(turned!).subarray(at, at + headDim), back)).toBeLessThan(2e-3)
            attention.push(soft.weights.map((weight, entry) => weight * factor[Math.floor(entry / CHUNK)]!))
          }
          if (i >= 2) continue
          for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
            const group = heads / kvHeads
            const at = (layer * kvHeads + kvHead) * shape.maxTokens
            observeReference(
              expectedObserved.subarray(at, at + shape.maxTokens),
              attention.slice(kvHead * group, (kvHead + 1) * group),
              one.seed % 2 === 0
            )
          }
        }
        expect(distance(floatsOf(observed!), expectedObserved)).toBeLessThan(2e-3)
        device.close()
      }),
      runs(25)
    )
  })

  it("turns, norms and appends as its reference does, and keeps queries asked for", async () => {
    await fc.assert(
      fc.asyncProperty(
        cases.filter(({ tail, tokens }) => tail > 0 && tokens > 4),
        fc.boolean(),
        async (one, qkNorm) => {
          const shape = { ...one.shape, config: { ...one.shape.config, qkNorm } }
          const { heads, kvHeads, headDim, layers } = shape.config
          const views = await build({ ...one, shape })
          const before = await views.arena()
          const layer = one.seed % layers
          const rows = [
            { view: FULL, position: one.tokens - 1, tail: one.tokens - 1 },
            { view: DRAFT, position: 9, tail: one.tail },
            { view: FULL, position: 2, tail: 2 }
          ]
          const words = Uint32Array.from(
            rows.flatMap(({ view, position, tail }, i) => [
              view,
              position,
              tail,
              (i === 0 ? ROW.queries : 0) | ((1 + (view >> 1)) << ROW.slotShift)
            ])
          )
          const width = (heads + 2 * kvHeads) * headDim
          const projected = noise(rows.length * width, one.seed + 5, 2)
          const turns = noise(shape.maxTokens * headDim, one.seed + 6)
          const gains = noise(2 * headDim, one.seed + 7)
          const pass = passWords(rows.length)
          const number = { uniform: Uint32Array.of(layer, 0, 0, 0) }
          const [after] = await runKernel(
            rope(shape),
            [projected, views.cache.arena, views.cache.views, words, pass, turns, gains, number],
            [Math.ceil((heads + 2 * kvHeads) / 4), 1],
            [0]
          )
          const all = await views.arena()
          const found = floatsOf(after!)
          for (const [i, { view, position }] of rows.entries()) {
            const own = projected.slice(i * width, (i + 1) * width)
            const turn = turns.subarray(position * headDim, (position + 1) * headDim)
            const rotated = view === DRAFT && one.format.rotated
            const expected = ropeReference(shape.config, own, turn, gains, rotated)
            // What becomes of values in the buffer is nobody's business; rows of rotated views turn them there.
            const result = found.subarray(i * width, (i + 1) * width)
            expect(distance(result, expected)).toBeLessThan(1e-5)
          }
          // Every row's keys and values lie in the arena as they left the kernel, and nothing else has changed.
          const isNew = new Set<number>()
          const moved = await Effect.runPromise(views.cache.startReading(DRAFT, one.tail, 1)[0]!.collect)
          const draftRow = toFloat32(moved, shape.kvBits === 32 ? "F32" : "F16")
          const kvFrom = layer * 2 * kvHeads * headDim
          expect(draftRow.slice(kvFrom, kvFrom + 2 * kvHeads * headDim)).toEqual(
            kept(found.slice(width + heads * headDim, 2 * width), shape)
          )
          for (const [i, { view, tail }] of rows.entries()) {
            if (view !== FULL) continue
            const read = await Effect.runPromise(views.cache.startReading(FULL, tail, 1)[0]!.collect)
            const row = toFloat32(read, shape.kvBits === 32 ? "F32" : "F16")
            const appended = kept(found.slice(i * width + heads * headDim, (i + 1) * width), shape)
            const expected = views.rows[tail]!.slice()
            expected.set(appended, kvFrom)
            expect(row).toEqual(expected)
          }
          for (let word = 0; word < all.length; word++) if (all[word] !== before[word]) isNew.add(word)
          const perRow = (2 * kvHeads * headDim * shape.kvBits) / 32
          expect(isNew.size).toBeLessThanOrEqual(rows.length * perRow)

          const room = 2 * layers * shape.queryRows * heads * headDim
          const [saved] = await runKernel(
            queries(shape),
            [after!, words, number, new Float32Array(room)],
            [Math.ceil((heads * headDim) / 128), rows.length],
            [3]
          )
          const expectedSaved = new Float32Array(room)
          for (const [i, { view, position }] of rows.entries())
            if (i === 0)
              expectedSaved.set(
                found.subarray(i * width, i * width + heads * headDim),
                queryAt(shape, view >> 1, layer, position)
              )
          expect(floatsOf(saved!).slice(0, room)).toEqual(expectedSaved)
          views.device.close()
        }
      ),
      runs(10)
    )
  })
})
