import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Histogram } from "./histogram.ts"

const UNIT = 1e-3
/** Half of a bucket relative to its lower edge: 2^-12. */
const ERROR = 2 ** -12

const values = fc.array(fc.double({ min: UNIT, max: 1e15, noNaN: true }), { minLength: 1, maxLength: 300 })
const percent = fc.integer({ min: 0, max: 100 })

const histogramOf = (noted: readonly number[]): Histogram => {
  const histogram = new Histogram(UNIT)
  for (const value of noted) histogram.record(value)
  return histogram
}

describe("the histogram", () => {
  it("knows percentiles as well as a sorted list does, within half a bucket", () => {
    fc.assert(
      fc.property(values, percent, (noted, p) => {
        const sorted = noted.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(0, Math.ceil((p * sorted.length) / 100) - 1)]!
        expect(Math.abs(histogramOf(noted).percentile(p) - exact) / exact).toBeLessThanOrEqual(ERROR)
      })
    )
  })

  it("knows count, mean, minimum and maximum exactly", () => {
    fc.assert(
      fc.property(values, (noted) => {
        const { count, mean, min, max } = histogramOf(noted).distribution(1)
        expect(count).toBe(noted.length)
        expect(mean).toBe(noted.reduce((sum, value) => sum + value, 0) / noted.length)
        expect([min, max]).toEqual([Math.min(...noted), Math.max(...noted)])
      })
    )
  })

  it("takes a weight for as many repetitions", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1e6), fc.integer({ min: 1, max: 9 })), { minLength: 1 }),
        (noted) => {
          const weighted = new Histogram(UNIT)
          const repeated = new Histogram(UNIT)
          for (const [value, weight] of noted) {
            weighted.record(value, weight)
            for (let i = 0; i < weight; i++) repeated.record(value)
          }
          expect(weighted.distribution(1)).toEqual(repeated.distribution(1))
        }
      )
    )
  })

  it("merges into the histogram of all values", () => {
    const whole = fc.array(fc.nat(), { minLength: 0, maxLength: 100 })
    fc.assert(
      fc.property(whole, whole, (some, others) => {
        const merged = histogramOf(some)
        merged.merge(histogramOf(others))
        expect(merged.distribution(2)).toEqual(histogramOf([...some, ...others]).distribution(2))
      })
    )
  })

  it("is all zeros when empty, and takes what is below its unit for zero", () => {
    expect(new Set(Object.values(new Histogram(1).distribution(1)))).toEqual(new Set([0]))
    const histogram = histogramOf([0, 0, UNIT / 2, 5])
    expect(histogram.percentile(50)).toBe(0)
    expect(histogram.percentile(100)).toBe(5)
  })

  it("refuses what is no quantity, and units that differ", () => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => new Histogram(1).record(value)).toThrow()
    expect(() => new Histogram(1).record(1, 0)).toThrow()
    expect(() => new Histogram(1).merge(new Histogram(2))).toThrow()
    expect(() => new Histogram(0)).toThrow()
  })
})
