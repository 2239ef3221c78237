/** The kernels of attention over paged views, each in its place in the chain, against their plain TypeScript bodies. */
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ROW } from "../model/forward.ts"
import { toFloat32 } from "../weights/dtype.ts"
import { distance, floatsOf, noise, passWords, runKernel, runs } from "./kernel.fixture.ts"
import { merge, mergeReference } from "./merge.ts"
import { normalise, normaliseReference } from "./normalise.ts"
import { observe, observeReference } from "./observe.ts"
import { packReference, unpackReference } from "./pack.ts"
import { queries, queryAt } from "./queries.ts"
import { rope, ropeReference } from "./rope.ts"
import { scores, scoresGroups, scoresReference } from "./scores.ts"
import { CHUNK, SPAN, VIEWS_PER_SLOT } from "./shape.ts"
import { softmax, softmaxReference } from "./softmax.ts"
import { hadamardReference, unrotate } from "./unrotate.ts"
import { values, valuesGroups, valuesReference } from "./values.ts"
import { build, cases, DRAFT, FULL, kept } from "./views.fixture.ts"

const slotOf = (view: number): number => Math.floor(view / VIEWS_PER_SLOT)

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
          scoresGroups(shape, entries, count),
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
          valuesGroups(shape, entries, count),
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
              (i === 0 ? ROW.queries : 0) | ((1 + slotOf(view)) << ROW.slotShift)
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
                queryAt(shape, slotOf(view), layer, position)
              )
          expect(floatsOf(saved!).slice(0, room)).toEqual(expectedSaved)
          views.device.close()
        }
      ),
      runs(10)
    )
  })
})
