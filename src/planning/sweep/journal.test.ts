import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Row } from "../files/table.ts"
import { headerLine, type JournalHeader, mismatch, readJournal, rowAt, rowLine } from "./journal.ts"

const HEADER: JournalHeader = {
  journal: 1,
  sweep: "0123456789abcdef",
  points: 6,
  version: "1.0.0",
  ingredients: { sweep: "a", scenario: "b", files: "c" },
  options: {},
  shard: { index: 1, count: 1 },
  columns: []
}
/** Points in the order they came in; with text that needs more than a byte a letter, and cells without anything. */
const ROWS: readonly Row[] = [3, 0, 5, 1, 4, 2].map((point) => [
  HEADER.sweep,
  6,
  point,
  1,
  "VeriCache",
  0.1 * point,
  undefined,
  "TTFT ≤ 1 µs"
])
const encoder = new TextEncoder()
const LINES = [headerLine(HEADER), ...ROWS.map(rowLine)].map((line) => encoder.encode(line))
const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const WHOLE = joined(LINES)
/** Where each line ends. */
const ENDS = LINES.map((_, i) => joined(LINES.slice(0, i + 1)).length)

const rowsOf = (bytes: Uint8Array): readonly Row[] =>
  [...readJournal(bytes).lines.values()].map((line) => rowAt(bytes, line))

describe("a journal", () => {
  it("gives back what was put in", () => {
    const { header, soundBytes, damaged } = readJournal(WHOLE)
    expect([header, soundBytes, damaged]).toEqual([HEADER, WHOLE.length, 0])
    expect(rowsOf(WHOLE)).toEqual(ROWS)
    expect(readJournal(new Uint8Array())).toMatchObject({ header: undefined, soundBytes: 0 })
  })

  it("cut off after any byte holds the rows that were whole, and goes on to the same journal", () => {
    for (let length = 0; length <= WHOLE.length; length++) {
      const torn = WHOLE.subarray(0, length)
      const { header, lines, soundBytes, damaged } = readJournal(torn)
      const whole = ENDS.filter((end) => end <= length)
      expect([lines.size, soundBytes, damaged]).toEqual([Math.max(0, whole.length - 1), whole.at(-1) ?? 0, 0])
      expect(header === undefined).toBe(whole.length === 0)
      // What a resumed sweep does: cut, then add what is missing.
      const missing = ROWS.filter((row) => !lines.has(row[2] as number))
      const resumed = joined([
        torn.subarray(0, soundBytes),
        ...(header === undefined ? [LINES[0]!] : []),
        ...missing.map((row) => encoder.encode(rowLine(row)))
      ])
      expect(resumed).toEqual(WHOLE)
    }
  })

  it("with any byte changed loses the row it was in and no other, and makes none up", () => {
    fc.assert(
      fc.property(fc.nat(WHOLE.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = WHOLE.slice()
        bytes[at]! ^= change
        const found = rowsOf(bytes)
        for (const row of found) expect(ROWS).toContainEqual(row)
        // A line end put in the middle or taken away breaks one line or two.
        const { header } = readJournal(bytes)
        expect(found.length + (header === undefined ? 0 : 1)).toBeGreaterThanOrEqual(LINES.length - 2)
        expect(found.length + (header === undefined ? 0 : 1)).toBeLessThan(LINES.length)
      }),
      { numRuns: 500 }
    )
  })

  it("counts what is damaged between sound rows, and cuts off what is at the end", () => {
    const bytes = WHOLE.slice()
    const second = LINES[0]!.length + LINES[1]!.length
    bytes.fill(0, second + 20, second + 30)
    bytes.fill(0, WHOLE.length - 10)
    const { lines, damaged, soundBytes } = readJournal(bytes)
    expect([...lines.keys()]).toEqual([3, 5, 1, 4])
    expect([damaged, soundBytes]).toEqual([1, WHOLE.length - LINES.at(-1)!.length])
  })

  it("takes the first of two rows of a point", () => {
    expect(rowsOf(joined([WHOLE, encoder.encode(rowLine(ROWS[2]!))]))).toEqual(ROWS)
  })

  it("says in words why it cannot be gone on with", () => {
    expect(mismatch(HEADER, { ...HEADER, options: { theory: false } })).toBeUndefined()
    expect(mismatch(HEADER, { ...HEADER, columns: [{ name: "new", type: "text" }] })).toBe(
      "its rows have other columns"
    )
    expect(
      mismatch(HEADER, {
        ...HEADER,
        version: "1.1.0",
        ingredients: { sweep: "x", scenario: "x", files: "x" },
        options: { theory: true },
        shard: { index: 2, count: 4 }
      })
    ).toBe(
      "it was written by vericache 1.0.0; the sweep file has changed; the scenario has changed; a file that the scenario names, or the catalog, has changed; --theory or --digest were given otherwise; it holds shard 1/1"
    )
  })
})
