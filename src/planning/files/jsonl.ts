/** JSON lines: an object a row, every column in each, null for nothing. */
import { type Cell, type Column, inferred, type TableFormat } from "./table.ts"

const cellOf = (value: unknown): Cell =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined

export const jsonlFormat: TableFormat = {
  *encode(columns, rows) {
    const names = columns.map(({ name }) => JSON.stringify(name))
    for (const row of rows)
      yield `{${names.map((name, i) => `${name}:${JSON.stringify(row[i]) ?? "null"}`).join(",")}}\n`
  },
  decode: async (bytes, typeOf) => {
    const lines = new TextDecoder().decode(bytes).split("\n")
    const objects = lines.flatMap((line, i): readonly Readonly<Record<string, unknown>>[] => {
      if (line === "") return []
      try {
        return [JSON.parse(line) as Readonly<Record<string, unknown>>]
      } catch {
        throw new Error(`is no JSON in line ${i + 1}`)
      }
    })
    const names = [...new Set(objects.flatMap((one) => Object.keys(one)))]
    const rows = objects.map((one) => names.map((name) => cellOf(one[name])))
    const columns = names.map((name, i): Column => ({
      name,
      type: typeOf(name) ?? inferred(rows.map((row) => row[i]))
    }))
    return { columns, rows }
  }
}
