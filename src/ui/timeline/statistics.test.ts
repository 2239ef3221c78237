import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { anyTrace, aRound } from "../../trace/trace.fixture.ts"
import { timelineModel } from "./model.ts"
import { shownRows } from "./shown-rows.ts"
import { slicesIn, statisticsOf } from "./statistics.ts"

describe("statistics of a stretch", () => {
  it("are those of every slice that reaches into it, counted one by one", () => {
    fc.assert(
      fc.property(anyTrace, fc.nat(900), fc.nat(500), (trace, from, length) => {
        const area = { from, to: from + length }
        const { rows } = timelineModel(trace)
        const statistics = statisticsOf(trace, slicesIn(rows, area))
        const { slices } = trace
        const expected = new Map<string, { count: number; total: number; bytes: number }>()
        for (let row = 0; row < slices.length; row++) {
          if (slices.end[row]! < area.from || slices.start[row]! >= area.to) continue
          const name = EVENT_KINDS[slices.kind[row]!]!
          const own = expected.get(name) ?? { count: 0, total: 0, bytes: 0 }
          own.count++
          own.total += slices.end[row]! - slices.start[row]!
          own.bytes += slices.bytes[row]!
          expected.set(name, own)
        }
        expect(statistics.map(({ name }) => name).toSorted()).toEqual([...expected.keys()].toSorted())
        for (const { name, count, total, bytes, p50, p95, p99, mean } of statistics) {
          const own = expected.get(name)!
          expect([count, total]).toEqual([own.count, own.total])
          expect(bytes).toBeCloseTo(own.bytes, 6)
          expect(mean).toBeCloseTo(own.total / own.count, 9)
          expect(p50).toBeLessThanOrEqual(p95)
          expect(p95).toBeLessThanOrEqual(p99)
        }
      })
    )
  })
})

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER }

describe("rows shown", () => {
  it("are all without a filter, and what a filter names with what is above and below it", () => {
    const { rows } = timelineModel(aRound())
    expect(shownRows(rows, { filter: "", all: true, view: EVER }).shown.length).toBe(rows.length)
    for (const row of rows) {
      const { shown } = shownRows(rows, { filter: row.label.toUpperCase(), all: false, view: EVER })
      expect(shown.map((one) => one.row)).toContain(row)
    }
    expect(shownRows(rows, { filter: "no such row", all: false, view: EVER }).shown).toEqual([])
  })

  it("leave out requests that do nothing in view, and nothing else", () => {
    const { rows } = timelineModel(aRound())
    const after = { from: 1e15, to: 2e15 }
    const { shown } = shownRows(rows, { filter: "", all: false, view: after })
    const left = rows.filter((row) => !shown.some((one) => one.row === row))
    expect(left.length).toBeGreaterThan(0)
    for (const { label } of left) expect(label).toMatch(/^request \d+/)
  })

  it("fold requests beyond the first few, and lose none of the others", () => {
    fc.assert(
      fc.property(fc.nat(80), (count) => {
        const rows = [
          { type: "heading" as const, label: "replica 0", depth: 0 },
          ...Array.from({ length: count }, (_, id) => ({
            type: "heading" as const,
            label: `request ${id}`,
            depth: 1
          }))
        ]
        const { shown, folded } = shownRows(rows, { filter: "", all: false, view: EVER })
        expect(shown.length + folded).toBe(rows.length)
        expect(folded).toBe(Math.max(0, count - 24))
      })
    )
  })
})
