import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { rowBlocks } from "./row-blocks.ts"

describe("the blocks of a pass's rows", () => {
  it.each([
    [1, 1, 1],
    [2, 1, 4],
    [4, 1, 4],
    [5, 2, 5],
    [6, 2, 8],
    [17, 5, 17]
  ])("%i rows in blocks of four: %i blocks that compute %i", (rows, blocks, computed) => {
    expect(rowBlocks(rows, 4)).toEqual({ blocks, computed })
  })

  it("hold all rows, and compute less than a block more than those", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 128 }), (rows, ofBlock) => {
        const { blocks, computed } = rowBlocks(rows, ofBlock)
        expect((blocks - 1) * ofBlock).toBeLessThan(rows)
        expect(blocks * ofBlock).toBeGreaterThanOrEqual(computed)
        expect(computed).toBeGreaterThanOrEqual(rows)
        expect(computed).toBeLessThan(rows + ofBlock)
      })
    )
  })

  it("take rows that are a mean of passes as whole but for rounding", () => {
    expect(rowBlocks(4 + 1e-9, 4).blocks).toBe(1)
    expect(rowBlocks(8 - 1e-9, 4).computed).toBe(8)
  })
})
