import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { normalCdf, normalQuantile } from "./normal.ts"

describe("the normal distribution", () => {
  it.each([
    [0, 0.5],
    [1, 0.841345],
    [-1.96, 0.024998],
    [3, 0.99865]
  ])("has P(Z ≤ %d) = %d", (z, p) => {
    expect(normalCdf(z)).toBeCloseTo(p, 6)
    expect(normalQuantile(p)).toBeCloseTo(z, 2)
  })

  it("is inverted by its quantiles", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), (p) => {
        expect(Math.abs(normalCdf(normalQuantile(p)) - p)).toBeLessThan(2e-4)
      })
    )
  })
})
