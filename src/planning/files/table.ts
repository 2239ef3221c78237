/** Results as a table, and the formats it is kept in. */

/** Text, a number in base units, yes or no, or nothing. */
export type Cell = string | number | boolean | undefined

/** A column; `whole` numbers are integers up to 2^53. */
export interface Column {
  readonly name: string
  readonly type: "number" | "whole" | "text" | "boolean"
}

/** Cells in the order of the columns. */
export type Row = readonly Cell[]

export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** A sweep file that makes these rows: `Sweep.recipe`. Only Parquet has a place for it. */
  readonly recipe?: string
}

/** A file format of tables. */
export interface TableFormat {
  /** The file in pieces; rows are asked for once, in order. What the format has no place for is left out. */
  readonly encode: (
    columns: readonly Column[],
    rows: Iterable<Row>,
    recipe?: string
  ) => Iterable<Uint8Array | string>
  /** Rejects with words if the bytes are none of this format. `typeOf`: types of columns known by name. */
  readonly decode: (bytes: Uint8Array, typeOf: TypeOf) => Promise<Table>
}

export type TypeOf = (column: string) => Column["type"] | undefined

/** Numbers all through are a column of numbers, anything else is text. */
export const inferred = (cells: readonly Cell[]): Column["type"] =>
  cells.every((cell) => cell === undefined || typeof cell === "number") ? "number" : "text"
