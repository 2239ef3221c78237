import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { closest, editDistance } from "./closest.ts"

describe("edit distance", () => {
  it("is a metric", () => {
    const word = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, a)).toBe(0)
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c))
        expect(editDistance(a, b) === 0).toBe(a === b)
      })
    )
  })

  it("counts inserted, deleted and replaced letters", () => {
    expect(editDistance("kitten", "sitting")).toBe(3)
    expect(editDistance("", "abc")).toBe(3)
  })
})

describe("did you mean", () => {
  const names = ["block_size", "max_num_seqs", "horizon"]
  it("suggests the near name, whatever its dashes and case", () => {
    expect(closest("block_sise", names)).toBe("did you mean block_size?")
    expect(closest("Block-Size", names)).toBe("did you mean block_size?")
  })
  it("lists what there is when nothing is near", () => {
    expect(closest("temperature", names)).toBe("known: block_size, horizon, max_num_seqs")
    expect(closest("anything", [])).toBeUndefined()
  })
  it("does not list more than a dozen", () => {
    const many = Array.from({ length: 30 }, (_, i) => `name-number-${i}-of-thirty`)
    expect(closest("x", many)!.split(", ")).toHaveLength(13)
    expect(closest("x", many)).toMatch(/…$/)
  })
})
