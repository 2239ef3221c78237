import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { TABLE_FORMATS, tableFormat } from "./formats.ts"
import type { Cell, Column, Table } from "./table.ts"

const CELLS: Readonly<Record<Column["type"], fc.Arbitrary<Cell>>> = {
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  whole: fc.maxSafeInteger().map((value) => value + 0),
  // Lone surrogates are no text that a file could keep.
  text: fc.string({ unit: "grapheme" }),
  boolean: fc.boolean()
}

const tables: fc.Arbitrary<Table> = fc
  .uniqueArray(
    fc.record({
      name: fc.string({ unit: "grapheme-ascii" }).map((rest) => `c${rest}`),
      type: fc.constantFrom<Column["type"]>("number", "whole", "text", "boolean")
    }),
    { minLength: 1, maxLength: 6, selector: ({ name }) => name }
  )
  .chain((columns) =>
    fc
      .array(fc.tuple(...columns.map(({ type }) => fc.option(CELLS[type], { nil: undefined }))), {
        minLength: 1,
        maxLength: 30
      })
      .map((rows) => ({ columns, rows }))
  )

describe.each(Object.entries(TABLE_FORMATS))("%s", (name, format) => {
  const bytes = ({ columns, rows }: Table): Uint8Array =>
    new Uint8Array(Buffer.concat([...format.encode(columns, rows)].map((part) => Buffer.from(part))))

  it("gives back every cell", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        const types = new Map(table.columns.map((column) => [column.name, column.type]))
        expect(await format.decode(bytes(table), (column) => types.get(column))).toEqual(table)
      })
    )
  })

  it("has a place for the recipe, or leaves it out", async () => {
    const columns = [{ name: "a", type: "whole" as const }]
    const parts = [...format.encode(columns, [[1]], "name: a sweep")].map((part) => Buffer.from(part))
    expect(await format.decode(Buffer.concat(parts), () => "whole")).toEqual({
      columns,
      rows: [[1]],
      ...(name === ".parquet" ? { recipe: "name: a sweep" } : {})
    })
  })

  it("says what is wrong with bytes that are none of it", async () => {
    const garbage = new TextEncoder().encode('a,b\n1,"2\n{\n')
    await expect(format.decode(garbage, () => undefined)).rejects.toThrow(/./)
  })

  it("is asked for by the end of a name", () => {
    expect(tableFormat(`out/results.v2${name}`)).toBe(format)
    expect(tableFormat(`out${name}/results`)).toBeUndefined()
  })
})
