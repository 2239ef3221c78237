import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { aRound } from "../../trace/trace.fixture.ts"
import { laidOut, ROW_HEIGHT, rowAt, wholeHeight } from "./layout.ts"
import { toggled } from "./looking.ts"
import { type Row, timelineModel } from "./model.ts"
import { rowOfTrack } from "./rows.fixture.ts"
import { shownRows } from "./shown-rows.ts"

const NONE: ReadonlySet<string> = new Set()
const CHOICE = {
  filter: "",
  all: false,
  pins: NONE,
  shut: NONE,
  view: { from: 0, to: Number.MAX_SAFE_INTEGER }
}
const { rows } = timelineModel(aRound())

describe("rows shown", () => {
  it("are all without a filter, and what a filter names with what is above and below it", () => {
    expect(shownRows(rows, { ...CHOICE, all: true }).rows).toEqual(rows)
    for (const row of rows)
      expect(shownRows(rows, { ...CHOICE, filter: row.label.toUpperCase() }).rows).toContain(row)
    expect(shownRows(rows, { ...CHOICE, filter: "no such row" }).rows).toEqual([])
  })

  it("leave out requests that do nothing in view, and nothing else", () => {
    const { rows: shown } = shownRows(rows, { ...CHOICE, view: { from: 1e15, to: 2e15 } })
    const left = rows.filter((row) => !shown.includes(row))
    expect(left.length).toBeGreaterThan(0)
    for (const { what } of left) expect(what).toBe("request")
  })

  it("leave out what is below a collapsed row, at any depth, and the row stays", () => {
    for (const [place, { key, depth }] of rows.entries()) {
      const { rows: shown } = shownRows(rows, { ...CHOICE, all: true, shut: new Set([key]) })
      const after = rows.slice(place + 1)
      const end = after.findIndex((row) => row.depth <= depth)
      const below = end < 0 ? after : after.slice(0, end)
      expect(shown).toEqual(rows.filter((row) => !below.includes(row)))
    }
  })

  it("keep pinned rows whatever the filter", () => {
    const [pin] = rows.filter(({ what }) => what === "link-h2d") as [Row]
    const { pinned } = shownRows(rows, { ...CHOICE, filter: "GPU", pins: new Set([pin.key]) })
    expect(pinned).toEqual([pin])
  })

  it("fold requests beyond the first few, and lose none of the others", () => {
    fc.assert(
      fc.property(fc.nat(80), (count) => {
        const some = [
          { type: "heading" as const, ...rowOfTrack("replica 0") },
          ...Array.from({ length: count }, (_, id) => ({
            type: "heading" as const,
            ...rowOfTrack(`request ${id}`, String(id + 1)),
            what: "request" as const
          }))
        ]
        const { rows: shown, folded } = shownRows(some, CHOICE)
        expect(shown.length + folded).toBe(some.length)
        expect(folded).toBe(Math.max(0, count - 24))
      })
    )
  })

  it("have keys that toggle in and out of the address", () => {
    expect(toggled(NONE, "3.1")).toBe("3.1")
    expect(toggled(new Set(["3.1", "4"]), "3.1")).toBe("4")
    expect(toggled(new Set(["4"]), "4")).toBeUndefined()
  })
})

describe("the layout", () => {
  it("finds the row at every height, pinned ones above what scrolls", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(60), fc.nat(400), (pins, count, scrolled) => {
        const made = (n: number, name: string): Row[] =>
          Array.from({ length: n }, (_, i) => ({
            type: "heading",
            ...rowOfTrack(`${name}${i}`, `${name}${i}`)
          }))
        const shown = { pinned: made(pins, "p"), rows: made(count, "r"), folded: 0 }
        const height = Math.min(300, wholeHeight(shown))
        const scroll = Math.min(scrolled, wholeHeight(shown) - height)
        const layout = laidOut(shown, scroll, height)
        const head = wholeHeight({ ...shown, rows: [] })
        for (let y = head - pins * ROW_HEIGHT; y < height; y += 7) {
          const expected =
            y < head
              ? shown.pinned[Math.floor((y - head) / ROW_HEIGHT) + pins]
              : shown.rows[Math.floor((y - head + scroll) / ROW_HEIGHT)]
          expect(rowAt(layout, y)).toBe(expected)
        }
        expect(layout.length).toBeLessThanOrEqual(pins + Math.ceil(height / ROW_HEIGHT) + 1)
      })
    )
  })
})
