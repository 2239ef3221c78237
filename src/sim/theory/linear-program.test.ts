import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { maximise } from "./linear-program.ts"

const coefficient = fc.double({ min: 0.1, max: 10, noNaN: true })
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

describe("maximise", () => {
  it("solves a textbook case", () => {
    // max 3a + 5b, a ≤ 4, 2b ≤ 12, 3a + 2b ≤ 18.
    const rows = [
      [1, 0],
      [0, 2],
      [3, 2]
    ]
    const point = maximise([3, 5], rows, [4, 12, 18])
    expect(point[0]).toBeCloseTo(2, 9)
    expect(point[1]).toBeCloseTo(6, 9)
  })

  it("reaches what weak duality allows, and no point beats it", () => {
    const size = { minLength: 3, maxLength: 3 }
    const programs = fc.record({
      weights: fc.array(coefficient, size),
      rows: fc.array(fc.array(coefficient, size), { minLength: 1, maxLength: 6 }),
      scale: fc.double({ min: 1e-6, max: 1e12, noNaN: true })
    })
    fc.assert(
      fc.property(programs, fc.array(coefficient, { ...size }), ({ weights, rows, scale }, direction) => {
        const limits = rows.map((row) => scale * row[0]! * 2)
        const point = maximise(weights, rows, limits)
        for (const [i, row] of rows.entries())
          expect(dot(row, point)).toBeLessThanOrEqual(limits[i]! * (1 + 1e-6))
        for (const value of point) expect(value).toBeGreaterThanOrEqual(0)
        // The farthest feasible point along any direction is no better.
        const reach = Math.min(...rows.map((row, i) => limits[i]! / dot(row, direction)))
        expect(dot(weights, direction) * reach).toBeLessThanOrEqual(dot(weights, point) * (1 + 1e-9))
      })
    )
  })

  it("leaves everything at nought where a limit is nought", () => {
    expect(maximise([1, 1], [[1, 2]], [0])).toEqual([0, 0])
    expect(maximise([], [[]], [1])).toEqual([])
  })
})
