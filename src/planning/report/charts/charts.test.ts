import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { digestOf } from "../../../trace/digest.ts"
import { textsOf } from "../well-formed.fixture.ts"
import { barChart, sharesChart } from "./bars.ts"
import { heatmap } from "./heatmap.ts"
import { paretoFront, planeChart } from "./plane.ts"
import { rangesChart } from "./ranges.ts"

const basis = fc.constantFrom("measured" as const, "modelled" as const)
const name = fc.oneof(fc.string({ maxLength: 40 }), fc.constant(`<a href="x">&'`))
const amount = fc.double({ min: 0, max: 1e15, noNaN: true })
const any = fc.oneof(fc.double({ min: -1e12, max: 1e12 }), fc.constantFrom(Number.NaN, Infinity, 0))

/** Every number of a drawing is one, and no rectangle has a negative side. */
const checkNumbers = (svg: string): void => {
  expect(svg).not.toMatch(/="[^"]*(?:NaN|Infinity|undefined)[^"]*"(?=[^<]*>)(?<!aria-label="[^"]*")/)
  expect(svg).not.toMatch(/\s(?:width|height|r)="-/)
}
const check = (svg: string): void => {
  textsOf(svg)
  checkNumbers(svg.replace(/ aria-label="[^"]*"/g, ""))
}
const show = (value: number): string => value.toPrecision(3)

describe("drawings", () => {
  it("are well-formed and of finite numbers, whatever they show", () => {
    const bar = fc.record({ name, value: fc.option(amount, { nil: undefined }), text: name, basis })
    const mark = fc.record({ name, value: fc.oneof(any, amount) })
    const finite = (value: number): boolean => Number.isFinite(value)
    const range = fc.record({ name, basis, marks: fc.array(mark.filter(({ value }) => finite(value))) })
    const threshold = fc.record({ name, value: fc.double({ min: 1e-9, max: 1e9, noNaN: true }) })
    const point = fc.record({ x: any, y: any, title: name })
    const series = fc.record({ name, basis, hue: fc.nat(20), points: fc.array(point) })
    fc.assert(
      fc.property(
        fc.array(bar, { maxLength: 5 }),
        fc.array(range, { maxLength: 4 }),
        fc.array(threshold, { maxLength: 2 }),
        fc.array(series, { maxLength: 4 }),
        fc.boolean(),
        (bars, ranges, thresholds, all, joined) => {
          check(barChart("a", bars))
          check(rangesChart("b", ranges, thresholds, show))
          const axis = { title: "<&>", show, log: joined }
          check(planeChart("c", all, axis, axis, { joined }))
        }
      )
    )
  })

  it("bear numbers too small to reckon with", () => {
    const points = [
      { x: 1, y: -5e-323, title: "a" },
      { x: 5e-324, y: 2e-310, title: "b" }
    ]
    const axis = { title: "t", show }
    for (const log of [true, false])
      check(
        planeChart(
          "c",
          [{ name: "s", basis: "modelled", hue: 0, points }],
          { ...axis, log },
          { ...axis, log },
          { joined: true }
        )
      )
  })

  it("split a bar into shares as long as the shares are", () => {
    const svg = sharesChart("limits", ["a", "b", "c"], [{ name: "m", shares: [0.25, 0.75, 0] }], String)
    const widths = [...svg.matchAll(/ width="([\d.]+)" height="15"/g)].map(([, width]) => Number(width))
    expect(widths).toEqual([100, 300])
    expect(textsOf(svg)).not.toContain("c")
  })

  it("show an infeasible method by words alone", () => {
    const svg = barChart("t", [{ name: "m", value: undefined, text: "does not fit", basis: "modelled" }])
    expect(svg).not.toContain("<rect")
    expect(textsOf(svg)).toContain("does not fit")
  })

  it("draw measured lines solid and modelled ones dashed, by class", () => {
    const marks = [
      { name: "p50", value: 1 },
      { name: "p99", value: 2 }
    ]
    const svg = (of: "measured" | "modelled"): string =>
      rangesChart("t", [{ name: "m", basis: of, marks }], [], show)
    expect(svg("measured")).toContain("range h0 measured")
    expect(svg("modelled")).toContain("range h0 modelled")
  })

  it("stay as they are for what they were", () => {
    const heat = heatmap(
      "h",
      {
        across: { title: "x", values: ["1", "2"] },
        down: { title: "y", values: ["a"] },
        cells: [[1, undefined]],
        show
      },
      1
    )
    expect(textsOf(heat)).toEqual(["↓ y", "x →", "1", "2", "a", "1, a: 1.00", "1.00", "2, a: –", "–"])
    const curve = planeChart(
      "c",
      [
        {
          name: "m",
          basis: "modelled",
          hue: 0,
          points: [
            { x: 1, y: 10, title: "one" },
            { x: 100, y: 30, title: "two" }
          ]
        }
      ],
      { title: "x", show, log: true, ticks: [1, 100] },
      { title: "y", show },
      { joined: true, front: [{ x: 1, y: 10 }] }
    )
    expect([digestOf(heat), digestOf(curve)]).toMatchInlineSnapshot(`
      [
        "22893f0d3c7bf6a0",
        "01c5fd54a30f1523",
      ]
    `)
  })
})

describe("the front", () => {
  it("is what no point beats in both, and every other point is beaten by one of it", () => {
    const point = fc.record({ x: fc.nat(9), y: fc.nat(9) })
    fc.assert(
      fc.property(fc.array(point), (points) => {
        const front = paretoFront(points, { x: "less", y: "more" })
        const beats = (a: { x: number; y: number }, b: { x: number; y: number }): boolean =>
          a.x <= b.x && a.y >= b.y && (a.x < b.x || a.y > b.y)
        for (const one of front) expect(points.some((other) => beats(other, one))).toBe(false)
        for (const one of points)
          expect(front.some((best) => beats(best, one) || (best.x === one.x && best.y === one.y))).toBe(true)
      })
    )
  })
})
