import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { TABLE_FORMATS } from "../files/formats.ts"
import type { Column, Row, Table } from "../files/table.ts"
import { dealt } from "./design.ts"
import { mergeShards, ranges, type ShardTable } from "./merge.ts"
import { fixedType } from "./row.ts"

const COLUMNS: readonly Column[] = [
  { name: "sweep", type: "text" },
  { name: "points", type: "whole" },
  { name: "point", type: "whole" },
  { name: "window", type: "text" },
  { name: "link_bytes_per_s", type: "number" },
  { name: "objectives_met", type: "boolean" },
  { name: "reason", type: "text" }
]
const POINTS = 12
const ROWS: readonly Row[] = Array.from({ length: POINTS }, (_, i) => [
  "5eed",
  POINTS,
  i,
  i === 5 ? "optimal" : String(i),
  i / 7,
  i === 3 ? undefined : i > 6,
  i === 3 ? 'does not fit, "by far"\n' : undefined
])

const shard = (index: number, count: number): Table => ({
  columns: COLUMNS,
  recipe: "the sweep",
  rows: dealt(POINTS, { index, count })
    .toSorted((a, b) => a - b)
    .map((point) => ROWS[point]!)
})
const shards = (count: number): readonly ShardTable[] =>
  Array.from({ length: count }, (_, i) => ({ file: `${i + 1}.csv`, table: shard(i + 1, count) }))
const problems = (all: readonly ShardTable[]): string => {
  const merged = mergeShards(all)
  return "problems" in merged ? merged.problems.join("\n") : "merged"
}

describe("merged shards", () => {
  it("are the whole sweep, byte for byte, through every format, in whatever number and order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(TABLE_FORMATS)),
        fc.integer({ min: 1, max: POINTS + 3 }),
        fc.boolean(),
        async (name, count, backwards) => {
          const format = TABLE_FORMATS[name]!
          const bytes = ({ columns, rows, recipe }: Table) =>
            new Uint8Array(
              Buffer.concat([...format.encode(columns, rows, recipe)].map((part) => Buffer.from(part)))
            )
          const read = await Promise.all(
            shards(count).map(async ({ file, table }) => ({
              file,
              table: await format.decode(bytes(table), fixedType)
            }))
          )
          const merged = mergeShards(backwards ? read.toReversed() : read)
          if ("problems" in merged) throw new Error(merged.problems.join())
          expect(bytes(merged.table)).toEqual(bytes({ columns: COLUMNS, rows: ROWS, recipe: "the sweep" }))
        }
      ),
      { numRuns: 60 }
    )
  })

  it("are refused where points are missing, unless what there is will do", () => {
    const some = shards(4).slice(1)
    expect(problems(some)).toMatch(/^3 of 12 points are missing: \d+/)
    const merged = mergeShards(some, true)
    expect("table" in merged && merged.table.rows.length).toBe(9)
  })

  it("are refused where points come twice", () => {
    const [first, second] = shards(2)
    expect(problems([first!, second!, { ...first!, file: "again.csv" }])).toMatch(
      /^again\.csv: 6 points are in 1\.csv too: /
    )
    const twice = { columns: COLUMNS, rows: [...ROWS, ROWS[4]!] }
    expect(problems([{ file: "one.csv", table: twice }])).toBe("one.csv: 1 point is there twice: 4")
  })

  it("are refused where rows are of another sweep or of none", () => {
    const [first, second] = shards(2)
    const foreign = second!.table.rows.map((row) => ["0ther", ...row.slice(1)])
    expect(problems([first!, { file: "b.csv", table: { columns: COLUMNS, rows: foreign } }])).toMatch(
      /^b\.csv: 6 rows are of another sweep \(0ther, not 5eed\)\n6 of 12 points are missing: /
    )
    const beyond = { columns: COLUMNS, rows: [...ROWS, ROWS[0]!.with(2, 12)] }
    expect(problems([{ file: "c.csv", table: beyond }])).toBe(
      "c.csv: 1 point is not of this sweep: 12 of 0–11"
    )
    const strange = { columns: [{ name: "a", type: "number" as const }], rows: [[1]] }
    expect(problems([{ file: "d.csv", table: strange }])).toMatch(/^d\.csv is no result of vericache sweep/)
    const fewer = { columns: COLUMNS.slice(0, 4), rows: ROWS.map((row) => row.slice(0, 4)) }
    expect(problems([first!, { file: "e.csv", table: fewer }])).toBe("e.csv has other columns than 1.csv")
    expect(problems([])).toBe("no file has a row")
  })
})

describe("ranges", () => {
  it("draw neighbours together and stop after a few", () => {
    expect(ranges([5, 1, 2, 3, 9])).toBe("1–3, 5, 9")
    expect(ranges(Array.from({ length: 20 }, (_, i) => 2 * i))).toBe("0, 2, 4, 6, 8, 10, 12, 14, …")
  })
})
