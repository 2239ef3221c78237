import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ranked } from "./advice-list.ts"

const advice = fc.array(
  fc.record({
    label: fc.string(),
    change: fc.record({ field: fc.constantFrom("window", "link", "compressor"), value: fc.nat() }),
    throughput: fc.double({ min: 0, max: 1000, noNaN: true })
  })
)

describe("what would help", () => {
  it("is worth it, best first, one change of a field, and the best of that field", () => {
    fc.assert(
      fc.property(advice, fc.double({ min: 1, max: 500, noNaN: true }), (all, now) => {
        const best = ranked(all, now)
        expect(new Set(best.map(({ change }) => change.field)).size).toBe(best.length)
        for (const [i, { throughput, change }] of best.entries()) {
          expect(throughput).toBeGreaterThan(now)
          if (i > 0) expect(throughput).toBeLessThanOrEqual(best[i - 1]!.throughput)
          for (const other of all)
            if (other.change.field === change.field) expect(other.throughput).toBeLessThanOrEqual(throughput)
        }
      })
    )
  })
})
