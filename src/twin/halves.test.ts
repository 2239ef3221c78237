import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { halves } from "./halves.ts"

describe("halves of recorded passes", () => {
  it("have as many of each kind, however kinds take turns", () => {
    const turns = fc.record({
      period: fc.array(fc.constantFrom("draft", "verify", "prefill"), { minLength: 1, maxLength: 6 }),
      times: fc.integer({ min: 1, max: 40 })
    })
    fc.assert(
      fc.property(turns, ({ period, times }) => {
        const kinds = Array.from({ length: times }, () => period).flat()
        const [seen, kept] = halves(kinds, (kind) => kind)
        expect([...seen, ...kept].toSorted()).toEqual(kinds.toSorted())
        for (const kind of new Set(kinds)) {
          const [a, b] = [seen, kept].map((half) => half.filter((one) => one === kind).length)
          expect(Math.abs(a! - b!)).toBeLessThanOrEqual(2)
        }
      })
    )
  })

  it("share out what takes turns within a kind, too", () => {
    // Like work now with, now without something a key does not tell.
    const values = Array.from({ length: 64 }, (_, i) => ({ key: "prefill", compressed: i % 2 === 1 }))
    for (const half of halves(values, ({ key }) => key))
      expect(half.filter(({ compressed }) => compressed)).toHaveLength(16)
  })
})
