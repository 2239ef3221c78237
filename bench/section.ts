/** One part of the benchmark: rows of figures, and how a person reads them. */

/** A figure or a name; undefined where a row has none. */
export type Cell = string | number | undefined

export interface Column {
  /** Name of the figure in `--json`, with its unit. */
  readonly key: string
  readonly title: string
  /** Digits behind the point; without them large numbers are scaled and small ones whole. */
  readonly digits?: number
  /** Written behind each figure. */
  readonly unit?: string
}

export interface Section {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly Readonly<Record<string, Cell>>[]
  /** What was set, what it is compared with, and how far the figures scatter. */
  readonly notes: readonly string[]
}

/** 12.3 M, 45.6 k, 789. */
export const scaled = (value: number): string =>
  value >= 1e6
    ? `${(value / 1e6).toFixed(2)} M`
    : value >= 1e4
      ? `${(value / 1e3).toFixed(1)} k`
      : value.toFixed(0)

const shown = ({ digits, unit = "" }: Column, value: Cell): string =>
  typeof value === "number"
    ? `${digits === undefined ? scaled(value) : value.toFixed(digits)}${unit}`
    : (value ?? "")

/** The section as text: names to the left, figures to the right. */
export const render = ({ title, columns, rows, notes }: Section): string => {
  const cells = rows.map((row) => columns.map((column) => shown(column, row[column.key])))
  const isName = columns.map(({ key }) => rows.every((row) => typeof row[key] !== "number"))
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => row[i]!.length))
  )
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (isName[i] === true ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join("  ")
      .trimEnd()
  return [
    title,
    "",
    line(columns.map((column) => column.title)),
    ...cells.map(line),
    "",
    ...notes.map((note) => `  ${note}`),
    ""
  ].join("\n")
}

/** Middle value; the mean of the two middle ones of an even number. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2
}

/** Half the range over the median: how far repeated measurements of the same work lie apart. */
export const scatter = (values: readonly number[]): number =>
  (Math.max(...values) - Math.min(...values)) / 2 / median(values)
