/** Comma-separated tables of numbers and names, read strictly: every cell that is not what its column holds is a fault. */
import type { Fault } from "../../scenario/fault.ts"

/** What a column holds: a name, a whole number ≥ 0, or a finite number above 0. */
export type ColumnKind = "name" | "count" | "positive"

/** A table's columns in the order they must stand in. */
export type Layout = Readonly<Record<string, ColumnKind>>

/** A row by column. */
export type CsvRow = Readonly<Record<string, string | number>>

/** More faults than this say the same thing again. */
const MAX_FAULTS = 20

/** The header line, without a mark of byte order and spaces around names. */
export const headerOf = (text: string): string =>
  text
    .replace(/^\uFEFF/, "")
    .split("\n", 1)[0]!
    .split(",")
    .map((name) => name.trim())
    .join(",")

const read = (cell: string, kind: ColumnKind): string | number | undefined => {
  if (kind === "name") return cell === "" ? undefined : cell
  const value = cell === "" ? Number.NaN : Number(cell)
  if (kind === "count") return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  return Number.isFinite(value) && value > 0 ? value : undefined
}

const EXPECTED: Readonly<Record<ColumnKind, string>> = {
  name: "a name",
  count: "a whole number ≥ 0",
  positive: "a number above 0"
}

/** Rows of a file whose header is known to be `layout`'s names. */
export const readCsv = (
  file: string,
  text: string,
  layout: Layout
): { readonly rows: readonly CsvRow[]; readonly faults: readonly Fault[] } => {
  const columns = Object.entries(layout)
  const faults: Fault[] = []
  const rows: CsvRow[] = []
  const lines = text.split("\n")
  const last = lines.at(-1) === "" ? lines.length - 1 : lines.length
  for (let i = 1; i < last; i++) {
    const line = lines[i]!.trimEnd()
    const cells = line.split(",")
    const fault = (column: number, field: string, message: string): void => {
      if (faults.length < MAX_FAULTS)
        faults.push({ file, line: i + 1, column, field, message, excerpt: line })
    }
    if (cells.length !== columns.length) {
      fault(1, "", `expected ${columns.length} columns, found ${cells.length}`)
      continue
    }
    const row: Record<string, string | number> = {}
    let column = 1
    let sound = true
    columns.forEach(([name, kind], place) => {
      const cell = cells[place]!
      const value = read(cell.trim(), kind)
      if (value === undefined) {
        fault(column, name, `expected ${EXPECTED[kind]}, found ${JSON.stringify(cell.slice(0, 40))}`)
        sound = false
      } else row[name] = value
      column += cell.length + 1
    })
    if (sound) rows.push(row)
  }
  if (rows.length === 0 && faults.length === 0)
    faults.push({ file, line: 1, column: 1, field: "", message: "expected at least one row, found none" })
  return { rows, faults }
}
