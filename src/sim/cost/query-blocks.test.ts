import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { queryBlocks } from "./query-blocks.ts"

const group = fc.record({
  queries: fc.integer({ min: 1, max: 10_000 }),
  kvHeads: fc.integer({ min: 1, max: 16 }),
  sharing: fc.integer({ min: 1, max: 16 })
})

describe("blocks of queries", () => {
  it("give a lone query of a prompt's call a block of 64 rows a head, or one a KV head where those are packed", () => {
    expect(queryBlocks(1, 32, 8, { rows: 64, packsHeads: false })).toEqual({ blocks: 32, padding: 64 })
    expect(queryBlocks(1, 32, 8, { rows: 64, packsHeads: true })).toEqual({ blocks: 8, padding: 16 })
    expect(queryBlocks(64, 32, 8, { rows: 64, packsHeads: false })).toEqual({ blocks: 32, padding: 1 })
    expect(queryBlocks(3, 32, 8, { rows: 1, packsHeads: false })).toEqual({ blocks: 96, padding: 1 })
    expect(queryBlocks(65, 32, 8, { rows: 64, packsHeads: false })).toEqual({ blocks: 64, padding: 128 / 65 })
  })

  it("have room for every query, and less than a block to spare for each head that has its own", () => {
    fc.assert(
      fc.property(group, fc.boolean(), ({ queries, kvHeads, sharing }, packs) => {
        const heads = kvHeads * sharing
        const { blocks, padding } = queryBlocks(queries, heads, kvHeads, { rows: 64, packsHeads: packs })
        const rows = blocks * 64
        expect(rows).toBeGreaterThanOrEqual(queries * heads)
        expect(rows - queries * heads).toBeLessThan(64 * (packs ? kvHeads : heads))
        expect(padding).toBeCloseTo(rows / (queries * heads), 9)
      })
    )
  })

  it("packed are never more", () => {
    fc.assert(
      fc.property(group, ({ queries, kvHeads, sharing }) => {
        const [packed, apart] = [true, false].map((packs) =>
          queryBlocks(queries, kvHeads * sharing, kvHeads, { rows: 64, packsHeads: packs })
        )
        expect(packed!.blocks).toBeLessThanOrEqual(apart!.blocks)
      })
    )
  })
})
