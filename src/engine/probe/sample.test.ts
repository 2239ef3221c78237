import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { timingOf } from "./sample.ts"

describe("repeated timings", () => {
  it("have a median among them and a spread that no scale changes", () => {
    const seconds = fc.array(fc.double({ min: 1e-6, max: 10, noNaN: true }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(seconds, (values) => {
        const timing = timingOf(values)
        expect(values).toContain(timing.seconds)
        expect(timing.spread).toBeGreaterThanOrEqual(0)
        expect(timingOf(values.map((value) => 8 * value)).spread).toBeCloseTo(timing.spread, 9)
      })
    )
  })

  it("that are alike have no spread, and one outlier makes none", () => {
    expect(timingOf([1, 1, 1, 1]).spread).toBe(0)
    expect(timingOf([1, 1, 1, 1, 1, 1, 50]).spread).toBe(0)
    expect(timingOf([1, 2, 3, 4]).spread).toBeGreaterThan(0.5)
  })
})
