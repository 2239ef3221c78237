import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { latinHypercube } from "./latin-hypercube.ts"

describe("Latin hypercube", () => {
  it("puts one point into every stratum of every dimension", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer(),
        (count, dimensions, seed) => {
          const points = latinHypercube(count, dimensions, seed)
          expect(points.length).toBe(count)
          for (let dimension = 0; dimension < dimensions; dimension++) {
            const strata = points.map((point) => Math.floor(point[dimension]! * count))
            expect(strata.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
          }
        }
      )
    )
  })

  it("draws each dimension on its own, and other points by another seed", () => {
    const two = latinHypercube(50, 2, 1)
    expect(latinHypercube(50, 5, 1).map((point) => point.slice(0, 2))).toEqual(two)
    expect(latinHypercube(50, 2, 2)).not.toEqual(two)
    expect(two.map(([x]) => x)).not.toEqual(two.map(([, y]) => y))
  })
})
