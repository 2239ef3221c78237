import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RAW } from "../compressors/keep.ts"
import { Placing } from "../cache/placing.ts"
import { Uploader } from "../webgpu/uploader.ts"
import { runs, tinyShape } from "./kernel.fixture.ts"
import { rowBytes } from "./shape.ts"
import { build, DRAFT, FULL } from "./views.fixture.ts"

const sizes = fc.constantFrom(
  { config: { heads: 4, kvHeads: 2, headDim: 16 }, kvBits: 16 as const },
  { config: { heads: 3, kvHeads: 1, headDim: 64 }, kvBits: 32 as const }
)
const cases = fc.record({
  size: sizes,
  tokens: fc.constantFrom(17, 33, 50),
  entries: fc.constantFrom(0, 4, 12),
  places: fc.uniqueArray(fc.nat(16), { maxLength: 9 }),
  layer: fc.nat(1),
  seed: fc.nat(1000)
})

describe("rows put in their places", () => {
  it("from host memory and from a packed part are there bit for bit, and nothing else has changed", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, tokens, entries, places, layer, seed }) => {
        const shape = tinyShape(size.config, { kvBits: size.kvBits, maxTokens: 128 })
        const { headDim, kvHeads } = shape.config
        const views = await build({
          shape,
          tokens,
          tail: 0,
          format: RAW,
          entries: Math.min(entries, Math.floor(tokens / 2)),
          codebook: false,
          seed
        })
        const placing = new Placing(views.device, shape, views.cache, new Uploader(views.device))
        const rows = places.map((position, i) => ({ head: i % kvHeads, position }))
        const bytes = rowBytes(shape)
        const bytesOf = ({ head, position }: { head: number; position: number }, side: 0 | 1): Uint8Array =>
          Uint8Array.from({ length: bytes }, (_, i) => (7 * i + 31 * position + 5 * head + side + seed) % 251)
        const before = await views.arena()
        const sent = await Effect.runPromise(placing.fromHost(FULL, layer, rows, bytesOf, () => true))
        expect(sent).toBe(rows.length === 0 ? 0 : 4 * (8 + rows.length) + rows.length * 2 * bytes)
        const after = new Uint8Array((await views.arena()).buffer)
        const expected = new Uint8Array(before.buffer.slice(0))
        const at = (position: number, side: number, head: number): number => {
          const { layers } = shape.config
          const page = views.pages[Math.floor(position / shape.pageTokens)]!
          const block = ((page * layers + layer) * 2 + side) * kvHeads + head
          return (block * shape.pageTokens + (position % shape.pageTokens)) * bytes
        }
        for (const row of rows)
          for (const side of [0, 1] as const)
            expected.set(bytesOf(row, side), at(row.position, side, row.head))
        expect(after).toEqual(expected)

        // What the packed part holds goes back to where it came from, over the rows written there.
        const list = Array.from({ length: kvHeads }, (_, head) => head).flatMap((head) =>
          views.keptOf(layer, head).map((position) => ({ head, position }))
        )
        await Effect.runPromise(placing.fromPacked(DRAFT, FULL, layer, list, () => true))
        for (const { head, position } of list)
          for (const side of [0, 1])
            expected.set(
              new Uint8Array(before.buffer, at(position, side, head), bytes),
              at(position, side, head)
            )
        expect(new Uint8Array((await views.arena()).buffer)).toEqual(expected)
        expect(headDim * (shape.kvBits / 8)).toBe(bytes)
        views.device.close()
      }),
      runs(12)
    )
  })

  it("are put nowhere once nobody wants them any more", async () => {
    const shape = tinyShape({}, { kvBits: 16, maxTokens: 128 })
    const views = await build({
      shape,
      tokens: 20,
      tail: 0,
      format: RAW,
      entries: 0,
      codebook: false,
      seed: 1
    })
    const placing = new Placing(views.device, shape, views.cache, new Uploader(views.device))
    const before = await views.arena()
    const rows = [{ head: 0, position: 3 }]
    const bytesOf = () => new Uint8Array(rowBytes(shape)).fill(1)
    expect(await Effect.runPromise(placing.fromHost(FULL, 0, rows, bytesOf, () => false))).toBe(0)
    expect(await views.arena()).toEqual(before)
    views.device.close()
  })
})
