import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_DIMENSIONS, sobolPoints } from "./sobol.ts"

/** How often each box of the unit square, cut into `a` × `b` of them, is hit. */
const hits = (
  points: readonly (readonly number[])[],
  [i, j]: readonly [number, number],
  a: number,
  b: number
) => {
  const boxes = new Map<number, number>()
  for (const point of points) {
    const box = Math.floor(point[i]! * a) * b + Math.floor(point[j]! * b)
    boxes.set(box, (boxes.get(box) ?? 0) + 1)
  }
  return boxes
}

describe("Sobol points", () => {
  it("begin as everybody's do", () => {
    expect(sobolPoints(8, 3)).toEqual([
      [0, 0, 0],
      [0.5, 0.5, 0.5],
      [0.25, 0.75, 0.75],
      [0.75, 0.25, 0.25],
      [0.125, 0.625, 0.375],
      [0.625, 0.125, 0.875],
      [0.375, 0.375, 0.625],
      [0.875, 0.875, 0.125]
    ])
  })

  it.each([undefined, 1, 7])(
    "put one of 1024 points into each 1024th of every dimension, seed %s",
    (seed) => {
      const points = sobolPoints(1024, MAX_DIMENSIONS, seed)
      for (let dimension = 0; dimension < MAX_DIMENSIONS; dimension++)
        expect(new Set(points.map((point) => Math.floor(point[dimension]! * 1024))).size).toBe(1024)
    }
  )

  it.each([undefined, 3])(
    "put one of 256 into every box of 1/256 in the first two dimensions, seed %s",
    (seed) => {
      const points = sobolPoints(256, 2, seed)
      for (let k = 0; k <= 8; k++) expect(hits(points, [0, 1], 2 ** k, 2 ** (8 - k)).size).toBe(256)
    }
  )

  it("put one of 2^16 into each of the 2^16 corners of 16 dimensions (property A)", () => {
    const corners = new Set<number>()
    for (const point of sobolPoints(2 ** 16, 16))
      corners.add(point.reduce((corner, place) => corner * 2 + (place < 0.5 ? 0 : 1), 0))
    expect(corners.size).toBe(2 ** 16)
  })

  it("depend on seed, index and dimension alone", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: MAX_DIMENSIONS }),
        (seed, count, dimensions) => {
          const all = sobolPoints(64, MAX_DIMENSIONS, seed)
          expect(sobolPoints(count, dimensions, seed)).toEqual(
            all.slice(0, count).map((point) => point.slice(0, dimensions))
          )
        }
      ),
      { numRuns: 20 }
    )
  })

  it("integrate better than their number of random points would", () => {
    // E[Π 2x] over eight dimensions is 1; a random mean of 4096 such has a standard error of 0.05.
    const points = sobolPoints(4096, 8, 1)
    const mean =
      points.reduce((sum, point) => sum + point.reduce((product, x) => product * 2 * x, 1), 0) / 4096
    expect(Math.abs(mean - 1)).toBeLessThan(0.01)
  })
})
