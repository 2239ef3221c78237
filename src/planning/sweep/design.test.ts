import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { dealt, type Design, pointAt, sizeOf } from "./design.ts"

const axis = (field: string, values: readonly number[]) => ({
  field,
  column: field,
  unit: "",
  type: "number" as const,
  path: [],
  listed: [],
  settings: values.map((value) => ({ value, shown: value }))
})

const DESIGN: Design = {
  grid: [[axis("a", [1, 2, 3])], [axis("b", [10, 20]), axis("c", [100, 200])]],
  sample: {
    axes: [
      {
        field: "d",
        column: "d",
        unit: "",
        type: "number",
        path: [],
        listed: [],
        settingAt: (place) => ({ value: place, shown: place })
      }
    ],
    places: [[0.25], [0.75]]
  },
  seeds: [5, 6],
  methods: [3, 0]
}

describe("a design", () => {
  it("numbers every combination once, the first axis slowest, methods fastest, zipped axes in step", () => {
    expect(sizeOf(DESIGN)).toBe(3 * 2 * 2 * 2 * 2)
    const all = Array.from({ length: sizeOf(DESIGN) }, (_, i) => pointAt(DESIGN, i))
    expect(new Set(all.map((point) => JSON.stringify(point))).size).toBe(sizeOf(DESIGN))
    expect(all.slice(0, 5).map(({ cells, seed, method }) => [...cells, seed, method])).toEqual([
      [1, 10, 100, 0.25, 5, 3],
      [1, 10, 100, 0.25, 5, 0],
      [1, 10, 100, 0.25, 6, 3],
      [1, 10, 100, 0.25, 6, 0],
      [1, 10, 100, 0.75, 5, 3]
    ])
    expect(all.at(-1)).toMatchObject({ cells: [3, 20, 200, 0.75], seed: 6, method: 0 })
    for (const { cells } of all) expect(cells[2]).toBe(Number(cells[1]) * 10)
    expect(all[0]!.overrides).toEqual([
      { field: "a", value: 1 },
      { field: "b", value: 10 },
      { field: "c", value: 100 },
      { field: "d", value: 0.25 }
    ])
  })

  it("is the base alone without axes", () => {
    const design: Design = { grid: [], sample: undefined, seeds: [1], methods: [0] }
    expect(sizeOf(design)).toBe(1)
    expect(pointAt(design, 0)).toEqual({ method: 0, seed: 1, overrides: [], cells: [] })
  })
})

describe("shards", () => {
  it("share the points: each in one, as many in each, whatever their number", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 20 }), (size, count) => {
        const shards = Array.from({ length: count }, (_, i) => dealt(size, { index: i + 1, count }))
        expect(shards.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
        const sizes = shards.map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      })
    )
  })
})
