import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  brushed,
  frontOf,
  fullestPair,
  heatCells,
  parseBrushes,
  resultsOf,
  type Results,
  spellBrushes,
  valueOf
} from "./results.ts"

const NAMES = [
  "sweep",
  "method",
  "window",
  "context",
  "status",
  "reason",
  "tokens_per_s_per_gpu",
  "tokens_per_s_per_user"
]
const TYPES = ["text", "text", "whole", "whole", "text", "text", "number", "number"] as const

const tables = fc
  .array(
    fc.tuple(
      fc.constantFrom(8, 16, 32),
      fc.constantFrom(1000, 2000),
      fc.option(fc.tuple(fc.nat(500), fc.nat(500)), { nil: undefined })
    ),
    { minLength: 1, maxLength: 30 }
  )
  .map((points) => ({
    columns: NAMES.map((name, i) => ({ name, type: TYPES[i]! })),
    rows: points.map(([window, context, figures]) => [
      "id",
      "VeriCache",
      window,
      context,
      figures === undefined ? "infeasible" : "simulated",
      figures === undefined ? "the KV does not fit" : undefined,
      figures?.[0],
      figures?.[1]
    ])
  }))

const read = (table: Parameters<typeof resultsOf>[0]): Results => {
  const results = resultsOf(table)
  if ("problem" in results) throw new Error(results.problem)
  return results
}

describe("the heatmap's axes at first", () => {
  const NAMED = ["name", "a", "b", "c"]
  const table = (rows: readonly (readonly [number, number, number])[]): Results => ({
    columns: NAMED.map((name) => ({ name, type: "number" })),
    points: rows.map((row, i) => ({ row: i, cells: ["x", ...row], reason: undefined, caveats: undefined })),
    axes: NAMED.slice(1).map((name, i) => ({ name, place: i + 1, isNumber: true })),
    metrics: [],
    recipe: undefined
  })
  const chosen = (results: Results): readonly string[] =>
    fullestPair(results, results.axes).map(({ name }) => name)

  it("are the first two where every pair of values was tried", () => {
    expect(chosen(table([0, 1].flatMap((a) => [0, 1].map((b) => [a, b, 0] as const))))).toEqual(["a", "b"])
  })

  it("are not two that a sweep moves together", () => {
    expect(chosen(table([0, 1].flatMap((a) => [0, 1].map((c) => [a, 10 * a, c] as const))))).toEqual([
      "a",
      "c"
    ])
  })

  it("are as many as there are", () => {
    const one = table([[1, 2, 3]])
    expect(fullestPair(one, one.axes.slice(0, 1))).toHaveLength(1)
    expect(fullestPair(one, [])).toEqual([])
  })
})

describe("results of a sweep", () => {
  it("know their axes, figures and what could not be served", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const { axes, points, metrics } = read(table)
        expect(axes.map(({ name }) => name)).toEqual(["window", "context"])
        for (const { row, reason } of points)
          expect(reason).toBe(table.rows[row]![4] === "simulated" ? undefined : "the KV does not fit")
        if (points.some(({ reason }) => reason === undefined))
          expect(metrics.map(({ name }) => name)).toEqual(NAMES.slice(6))
      })
    )
  })

  it("are brushed as their values say, and brushes are the same after a journey through the address", () => {
    fc.assert(
      fc.property(tables, fc.nat(500), fc.nat(500), (table, a, b) => {
        const results = read(table)
        const brushes = [{ field: "tokens_per_s_per_gpu", from: Math.min(a, b), to: Math.max(a, b) }]
        expect(parseBrushes(spellBrushes(brushes))).toEqual(brushes)
        const kept = brushed(results, brushes)
        for (const point of results.points) {
          const value = point.cells[6]
          expect(kept.includes(point)).toBe(
            typeof value === "number" && value >= brushes[0]!.from && value <= brushes[0]!.to
          )
        }
      })
    )
  })

  it("fill a heatmap with every point once, and a front that nothing beats", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const results = read(table)
        const [window, context] = results.axes
        const perGpu = { name: "tokens_per_s_per_gpu", place: 6, isNumber: true }
        const perUser = { name: "tokens_per_s_per_user", place: 7, isNumber: true }
        const cells = heatCells(results, results.points, window!, context!, perGpu)
        expect(cells.flatMap(({ points }) => points).length).toBe(results.points.length)
        const front = frontOf(results.points, perGpu, perUser)
        for (const one of front)
          for (const other of results.points)
            expect(
              valueOf(other, perGpu) !== undefined &&
                valueOf(other, perGpu)! > valueOf(one, perGpu)! &&
                valueOf(other, perUser)! > valueOf(one, perUser)!
            ).toBe(false)
      })
    )
  })

  it("say of a table that is none what was expected", () => {
    expect(resultsOf({ columns: [{ name: "a", type: "text" }], rows: [] })).toEqual({
      problem: 'expected results of "vericache sweep", with the columns method and status; found a'
    })
    expect(parseBrushes("nonsense;a:3~1;b:1~2")).toEqual([{ field: "b", from: 1, to: 2 }])
  })
})
