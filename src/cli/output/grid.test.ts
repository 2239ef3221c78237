import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Column, csv, fitting, markdownTable, plainTable } from "./grid.ts"
import { bytes, percent, seconds, significant, times } from "./number.ts"
import { wrap } from "./screen.ts"

type Row = Readonly<Record<string, string>>
const column = (key: string, more: Partial<Column<Row>> = {}): Column<Row> => ({
  title: key,
  key,
  text: (row) => row[key] ?? "",
  value: (row) => row[key],
  ...more
})

describe("a table", () => {
  const columns = [column("name", { left: true }), column("rate"), column("hidden", { detail: true })]
  const rows = [
    { name: "a", rate: "1,000", hidden: "x" },
    { name: "µ–long", rate: "2", hidden: "y" }
  ]

  it("aligns words left and numbers right, and keeps what is for programs back", () => {
    expect(plainTable(columns, rows)).toBe(
      ["name     rate", "─────────────", "a       1,000", "µ–long      2"].join("\n")
    )
    expect(markdownTable(columns, rows)).toBe(
      ["| name | rate |", "| :-- | --: |", "| a | 1,000 |", "| µ–long | 2 |"].join("\n")
    )
    expect(csv(columns, rows)).toBe('name,rate,hidden\na,"1,000",x\nµ–long,2,y')
  })

  it("drops dispensable columns, the least needed first, until it fits the screen", () => {
    const wide = [column("aaaa"), column("bbbb", { dispensable: 1 }), column("cccc", { dispensable: 2 })]
    const keys = (screen: number): string =>
      fitting(wide, [], screen)
        .map(({ key }) => key[0])
        .join("")
    expect([16, 15, 10, 9, 4, 1].map(keys)).toEqual(["abc", "ab", "ab", "a", "a", "a"])
  })
})

describe("numbers for people", () => {
  it("have three digits and a unit of their size", () => {
    expect([0, 0.0123456, 12.345, 1234.5, Number.NaN, Infinity].map(significant)).toEqual([
      "0",
      "0.0123",
      "12.3",
      "1,235",
      "–",
      "∞"
    ])
    expect([0, 5e-7, 0.0123, 1.5, 119, 120, 7200].map(seconds)).toEqual([
      "–",
      "0.5 µs",
      "12.3 ms",
      "1.5 s",
      "119 s",
      "2 min",
      "120 min"
    ])
    expect([0, 999, 1000, 141e9, 3e15].map(bytes)).toEqual(["0 B", "999 B", "1 kB", "141 GB", "3 PB"])
    expect([percent(0.125), times(2.514), times(Number.NaN)]).toEqual(["13 %", "2.51×", "–"])
  })
})

describe("wrapped text", () => {
  it("loses no word, fits the line where words do, and keeps numbers with their per cent", () => {
    const words = fc.array(fc.constantFrom("a", "bb", "seven7", "74 %"), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(words, fc.integer({ min: 8, max: 40 }), (text, columns) => {
        const lines = wrap(text.join(" "), columns)
        expect(lines.join(" ")).toBe(text.join(" "))
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(columns)
          expect(line.startsWith("%")).toBe(false)
        }
      })
    )
  })
})
