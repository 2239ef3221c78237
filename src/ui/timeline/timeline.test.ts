import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { anyTrace, aRound } from "../../trace/trace.fixture.ts"
import { type SliceRow, timelineModel } from "./model.ts"
import { rowOfTrack } from "./rows.fixture.ts"
import { drawCounter, drawCover, drawInstants, drawSlices } from "./painter.ts"
import { firstFrom, longestOf, longestPyramid } from "./pyramid.ts"
import { clamped, panned, parsed, spelled, type Viewport, zoomed } from "./viewport.ts"

/** Slices one after the other, as gap and length. */
const lane = fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { minLength: 1, maxLength: 200 }).map((pairs) => {
  let now = 0
  const start: number[] = []
  const end: number[] = []
  for (const [gap, length] of pairs) {
    start.push((now += gap))
    end.push((now += length))
  }
  return { start: Float64Array.from(start), end: Float64Array.from(end) }
})

const rowOf = ({ start, end }: { readonly start: Float64Array; readonly end: Float64Array }): SliceRow => ({
  type: "slices",
  ...rowOfTrack(),
  start,
  end,
  kind: new Uint8Array(start.length),
  source: Uint32Array.from(start, (_, i) => i),
  longest: longestPyramid({ start, end })
})

describe("the pyramid", () => {
  it("finds the longest slice of any range, as looking at all of them does", () => {
    fc.assert(
      fc.property(lane, fc.nat(), fc.nat(), (slices, a, b) => {
        const rows = slices.start.length
        const from = a % rows
        const to = from + 1 + (b % (rows - from))
        const lengths = Array.from(slices.start, (start, i) => slices.end[i]! - start)
        const longest = Math.max(...lengths.slice(from, to))
        expect(longestOf(slices, longestPyramid(slices), from, to)).toBe(lengths.indexOf(longest, from))
      })
    )
  })

  it("finds the first value from anywhere before it", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.nat(60), fc.nat(), (some, x, skip) => {
        const values = Float64Array.from(some).toSorted()
        const first = values.findIndex((value) => value >= x)
        const expected = first < 0 ? values.length : first
        expect(firstFrom(values, x, skip % (expected + 1))).toBe(expected)
      })
    )
  })
})

describe("drawing slices", () => {
  it("draws two a column at most, every slice in view once, each where it is", () => {
    fc.assert(
      fc.property(lane, fc.integer({ min: 1, max: 60 }), fc.nat(100), fc.nat(100), (slices, width, a, b) => {
        const row = rowOf(slices)
        const last = slices.end.at(-1)! + 1
        const from = (last * a) / 200
        const view = { from, to: from + Math.max(1, ((last - from) * b) / 100) }
        const perColumn = (view.to - view.from) / width
        let counted = 0
        let edge = 0
        const drawn = drawSlices(row, view, width, (x0, x1, slice, merged) => {
          expect(x0).toBeGreaterThanOrEqual(0)
          expect(x1).toBeGreaterThan(x0)
          expect(x1).toBeLessThanOrEqual(width)
          if (merged > 1 || x1 - x0 === 1)
            expect(slices.start[slice]!).toBeLessThanOrEqual(view.from + x1 * perColumn + 1e-6)
          edge = Math.max(edge, x1)
          counted += merged
        })
        expect(drawn).toBeLessThanOrEqual(2 * width + 2)
        const visible = slices.start.filter((start, i) => start <= view.to && slices.end[i]! >= view.from)
        // A slice that goes on beyond its first column is drawn twice: there and in the others.
        expect(counted).toBeGreaterThanOrEqual(visible.length)
        if (visible.length > 0) expect(edge).toBeGreaterThan(0)
      })
    )
  })

  it("shows a lone slice of a nanosecond in an hour", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3.6e12 }), fc.integer({ min: 1, max: 3000 }), (start, width) => {
        const columns: number[] = []
        const row = rowOf({ start: Float64Array.of(start), end: Float64Array.of(start + 1) })
        drawSlices(row, { from: 0, to: 3.6e12 }, width, (x0, x1) => columns.push(x0, x1))
        expect(columns.length).toBeGreaterThan(0)
      })
    )
  })
})

describe("drawing what lies over slices", () => {
  it("shows instants where they are, all of them, once a column", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), fc.integer({ min: 1, max: 40 }), (some, width) => {
        const at = Float64Array.from(some).toSorted()
        let counted = 0
        let last = -1
        const drawn = drawInstants(at, { from: 0, to: 200 }, width, (x, instant, count) => {
          expect(x).toBeGreaterThan(last)
          last = x
          expect(Math.min(width - 1, Math.floor((at[instant]! * width) / 200))).toBe(x)
          counted += count
        })
        expect(counted).toBe(at.length)
        expect(drawn).toBeLessThanOrEqual(width)
      }),
      { examples: [[[100], 22]] }
    )
  })

  it("covers just the columns that parts reach into", () => {
    fc.assert(
      fc.property(lane, fc.integer({ min: 1, max: 60 }), (parts, width) => {
        const to = parts.end.at(-1)! + 5
        const perColumn = to / width
        const covered = Array.from({ length: width }, () => false)
        const drawn = drawCover(parts, { from: 0, to }, width, (x0, x1) => covered.fill(true, x0, x1))
        expect(drawn).toBeLessThanOrEqual(width)
        for (let x = 0; x < width; x++) {
          const [left, right] = [x * perColumn, (x + 1) * perColumn]
          const inside = parts.start.some((start, i) => parts.end[i]! > left + 1e-6 && start < right - 1e-6)
          // Where a part only touches the edge of a column, or takes no time, either will do.
          const beside = parts.start.some((start, i) => parts.end[i]! >= left - 1e-6 && start <= right + 1e-6)
          if (inside) expect(covered[x]).toBe(true)
          if (!beside) expect(covered[x]).toBe(false)
        }
      })
    )
  })
})

describe("drawing counters", () => {
  it("has the least and the most of every column", () => {
    const row = {
      type: "counter",
      ...rowOfTrack(),
      unit: "",
      at: Float64Array.of(0, 1, 2, 15),
      value: Float64Array.of(5, 9, 3, 7),
      before: Float64Array.of(0, 5, 14, 53),
      most: 9
    } as const
    const columns: number[][] = []
    expect(drawCounter(row, { from: 0, to: 20 }, 2, (...column) => columns.push(column))).toBe(2)
    expect(columns).toEqual([
      [0, 3, 9],
      [1, 3, 7]
    ])
  })
})

describe("the model of a trace", () => {
  it("has every slice once, on lanes whose slices do not overlap", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const lanes = timelineModel(trace).rows.flatMap((row) => (row.type === "slices" ? [row] : []))
        const sources = lanes.flatMap(({ source }) => [...source]).toSorted((a, b) => a - b)
        expect(sources).toEqual(Array.from({ length: trace.slices.length }, (_, row) => row))
        for (const { start, end } of lanes)
          start.forEach((at, i) => i > 0 && expect(at).toBeGreaterThanOrEqual(end[i - 1]!))
      })
    )
  })

  it("puts GPU, HBM, links, scheduler and requests in this order, each below its replica", () => {
    expect(timelineModel(aRound()).rows.map(({ label, depth }) => `${depth} ${label}`)).toEqual([
      "0 replica 0",
      "1 GPU",
      "2 passes",
      "1 HBM occupancy",
      "1 link host → device",
      "1 requests in the batch",
      "1 request 0"
    ])
  })
})

describe("the viewport", () => {
  const run: Viewport = { from: 0, to: 1e9 }
  const views = fc
    .tuple(fc.nat(999_999_000), fc.nat(1e9))
    .map(([from, length]) => clamped({ from, to: from + length }, run))

  it("stays in the run, whatever it does", () => {
    fc.assert(
      fc.property(
        views,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: -9, max: 9, noNaN: true }),
        (view, factor, share) => {
          for (const moved of [zoomed(view, factor, 0.5, run), panned(view, share, run)]) {
            expect(moved.from).toBeGreaterThanOrEqual(0)
            expect(moved.to).toBeLessThanOrEqual(run.to + 1e-6)
            expect(moved.to - moved.from).toBeGreaterThan(9)
          }
        }
      )
    )
  })

  it("survives the address to the nanosecond", () => {
    fc.assert(
      fc.property(views, (view) => {
        const again = parsed(spelled(view))!
        expect(Math.abs(again.from - view.from)).toBeLessThanOrEqual(1)
        expect(Math.abs(again.to - view.to)).toBeLessThanOrEqual(1)
      })
    )
    expect(parsed("5-3")).toBeUndefined()
    expect(parsed("nonsense")).toBeUndefined()
  })
})
