/** Rows and columns in the formats people and programs ask for. */

export const FORMATS = ["table", "json", "jsonl", "csv", "md"] as const
export type Format = (typeof FORMATS)[number]

export interface Column<Row> {
  readonly title: string
  /** Text for people. */
  readonly text: (row: Row) => string
  /** Value for programs, base units. */
  readonly value: (row: Row) => string | number | boolean | undefined
  /** Name for programs, with the unit. */
  readonly key: string
  /** Left in a table; right otherwise. */
  readonly left?: boolean
  /** Only for programs. */
  readonly detail?: boolean
  /** On a narrow screen the column with the highest number goes first; those without stay. */
  readonly dispensable?: number
}

const width = (text: string): number => Array.from(text).length

/** A plain-text table: titles, a rule, rows. */
export const plainTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const shown = columns.filter((column) => column.detail !== true)
  const cells = rows.map((row) => shown.map((column) => column.text(row)))
  const widths = shown.map((column, i) =>
    Math.max(width(column.title), ...cells.map((row) => width(row[i]!)))
  )
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const pad = " ".repeat(widths[i]! - width(text))
        return shown[i]!.left === true ? text + pad : pad + text
      })
      .join("  ")
      .trimEnd()
  return [
    line(shown.map((column) => column.title)),
    widths.map((w) => "─".repeat(w)).join("──"),
    ...cells.map(line)
  ].join("\n")
}

/** The columns that fit a screen of so many characters, or all that cannot be dispensed with. */
export const fitting = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: number
): readonly Column<Row>[] => {
  const needed = Math.max(...plainTable(columns, rows).split("\n").map(width))
  const last = columns.reduce<Column<Row> | undefined>(
    (worst, column) => ((column.dispensable ?? 0) > (worst?.dispensable ?? 0) ? column : worst),
    undefined
  )
  return needed <= screen || last === undefined
    ? columns
    : fitting(
        columns.filter((column) => column !== last),
        rows,
        screen
      )
}

/** A Markdown table. */
export const markdownTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const shown = columns.filter((column) => column.detail !== true)
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`
  return [
    line(shown.map((column) => column.title)),
    line(shown.map((column) => (column.left === true ? ":--" : "--:"))),
    ...rows.map((row) => line(shown.map((column) => column.text(row))))
  ].join("\n")
}

/** Comma-separated values, RFC 4180; every column, values in base units. */
export const csv = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const quote = (value: string | number | boolean | undefined): string => {
    const text = value === undefined ? "" : String(value)
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [
    columns.map((column) => column.key),
    ...rows.map((row) => columns.map((column) => column.value(row)))
  ]
    .map((cells) => cells.map(quote).join(","))
    .join("\n")
}

/** One object a row, every column. */
export const objects = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[]
): readonly Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(columns.map((column) => [column.key, column.value(row)])))

/** The grid in any format but `json`, whose shape is the caller's. */
export const renderGrid = <Row>(
  format: Exclude<Format, "json">,
  columns: readonly Column<Row>[],
  rows: readonly Row[]
): string => {
  switch (format) {
    case "table":
      return plainTable(columns, rows)
    case "md":
      return markdownTable(columns, rows)
    case "csv":
      return csv(columns, rows)
    case "jsonl":
      return objects(columns, rows)
        .map((row) => JSON.stringify(row))
        .join("\n")
  }
}
