import { describe, expect, it } from "vitest"
import { saltelliPoints, sobolIndices } from "./sobol-indices.ts"

/** Ishigami and Homma's function (ISUMA 1990) of points of the unit cube, and the indices that follow from it exactly. */
const [A, B] = [7, 0.1]
const ishigami = (point: readonly number[]): number => {
  const [x, y, z] = point.map((place) => Math.PI * (2 * place - 1)) as [number, number, number]
  return Math.sin(x) + A * Math.sin(y) ** 2 + B * z ** 4 * Math.sin(x)
}
const V1 = 0.5 * (1 + (B * Math.PI ** 4) / 5) ** 2
const V2 = A ** 2 / 8
const V13 = B ** 2 * Math.PI ** 8 * (1 / 18 - 1 / 50)
const V = V1 + V2 + V13

describe("Sobol indices", () => {
  const found = sobolIndices(saltelliPoints(4096, 3, 1).map(ishigami), 3)

  it("are those of Ishigami's function", () => {
    const first = [V1 / V, V2 / V, 0]
    const total = [(V1 + V13) / V, V2 / V, V13 / V]
    found.forEach((index, i) => {
      expect(Math.abs(index.first.value - first[i]!)).toBeLessThan(0.02)
      expect(Math.abs(index.total.value - total[i]!)).toBeLessThan(0.02)
    })
  })

  it("lie in their intervals, and first orders below totals", () => {
    for (const { first, total } of found) {
      expect(first.low).toBeLessThanOrEqual(first.value)
      expect(total.high).toBeGreaterThanOrEqual(total.value)
      expect(first.value).toBeLessThan(total.value + 0.02)
    }
  })

  it("are nothing where nothing varies", () => {
    for (const { first, total } of sobolIndices(
      saltelliPoints(8, 2, 1).map(() => 5),
      2
    ))
      expect([first.value, total.value]).toEqual([0, 0])
  })

  it("need n·(d + 2) points, and those of mixed rows differ from A in one column only", () => {
    const points = saltelliPoints(16, 3, 1)
    expect(points.length).toBe(16 * 5)
    const mixed = points.slice(32 + 16, 32 + 32)
    mixed.forEach((point, k) => {
      expect([point[0], point[2]]).toEqual([points[k]![0], points[k]![2]])
      expect(point[1]).toBe(points[16 + k]![1])
    })
  })
})
