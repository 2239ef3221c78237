/** Comma-separated values, RFC 4180 but for the line ends, which are those of Unix. Nothing is an empty cell. */
import { type Cell, type Column, inferred, type Row, type TableFormat } from "./table.ts"

const quoted = (cell: Cell): string => {
  if (cell === undefined) return ""
  const text = String(cell)
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const csvLine = (cells: Row): string => `${cells.map(quoted).join(",")}\n`

/** Rows of texts; undefined where a cell is empty and not quoted. Throws if a quote is not closed. */
const parse = (text: string): readonly (readonly (string | undefined)[])[] => {
  const rows: (string | undefined)[][] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  let row: (string | undefined)[] = []
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const match = cell.exec(text)
    if (match === null)
      throw new Error(`is no CSV: an open quote in line ${text.slice(0, at).split("\n").length}`)
    const [, inQuotes, bare, end] = match
    row.push(inQuotes === undefined ? bare || undefined : inQuotes.replaceAll('""', '"'))
    if (end === ",") continue
    rows.push(row)
    row = []
  }
  return rows
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

const typed = (text: string | undefined, type: Column["type"]): Cell => {
  if (text === undefined || type === "text") return text
  return type === "boolean" ? text === "true" : Number(text)
}

export const csvFormat: TableFormat = {
  *encode(columns, rows) {
    yield csvLine(columns.map(({ name }) => name))
    for (const row of rows) yield csvLine(row)
  },
  decode: async (bytes, typeOf) => {
    const [names = [], ...rows] = parse(new TextDecoder().decode(bytes))
    const columns = names.map((name = "", i): Column => {
      const looks = (row: readonly (string | undefined)[]): Cell =>
        row[i] !== undefined && NUMBER.test(row[i]) ? Number(row[i]) : row[i]
      return { name, type: typeOf(name) ?? inferred(rows.map(looks)) }
    })
    const torn = rows.findIndex((row) => row.length !== columns.length)
    if (torn >= 0)
      throw new Error(`has ${rows[torn]!.length} cells in row ${torn + 1}, and ${columns.length} columns`)
    return { columns, rows: rows.map((row) => columns.map(({ type }, i) => typed(row[i], type))) }
  }
}
