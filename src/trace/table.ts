/** Rows of numbers stored as typed-array columns that grow together: 3 million rows cost megabytes, not gigabytes. */

type ColumnArray = Float64Array | Uint32Array | Uint16Array | Uint8Array
type ColumnType = new (length: number) => ColumnArray
/** Column names in order, each with the typed array its values are kept in. */
export type Schema = Readonly<Record<string, ColumnType>>
/** The columns of a schema, all of the same length. */
export type Columns<S extends Schema> = { readonly [K in keyof S]: InstanceType<S[K]> }
/** Columns for reading: `length` rows, row `i` of column `start` is `start[i]`. */
export type View<S extends Schema> = Columns<S> & { readonly length: number }

const FIRST_CAPACITY = 256

/** Whether a column holds zeros only. */
export const isZero = (column: ColumnArray): boolean => {
  // Of one type for all, which is many times as fast. Columns begin and end at whole words, but for what is read bytewise here.
  const words = new Uint32Array(column.buffer, column.byteOffset, column.byteLength >>> 2)
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false
  const rest = new Uint8Array(column.buffer, column.byteOffset + words.byteLength, column.byteLength % 4)
  return rest.every((byte) => byte === 0)
}

export class Table<S extends Schema> {
  readonly schema: S
  #capacity = 0
  #length = 0
  #columns: Columns<S>
  #view: View<S> | undefined

  constructor(schema: S) {
    this.schema = schema
    this.#columns = this.#resized(FIRST_CAPACITY)
  }

  get length(): number {
    return this.#length
  }

  /** Bytes the columns occupy, room to grow included. */
  get byteLength(): number {
    return Object.values<ColumnArray>(this.#columns).reduce((sum, column) => sum + column.byteLength, 0)
  }

  /** Adds a row of zeros and returns its index; fill it through `columns`, read anew since growing replaces it. */
  add(): number {
    if (this.#length === this.#capacity) this.#columns = this.#resized(this.#capacity * 2)
    this.#view = undefined
    return this.#length++
  }

  /** Makes room for so many rows at once, rather than by and by. */
  reserve(rows: number): void {
    if (rows > this.#capacity) this.#columns = this.#resized(rows)
  }

  /** The columns with room to grow, for filling rows. */
  get columns(): Columns<S> {
    return this.#columns
  }

  /** The columns cut to the rows there are: no copies, but a snapshot; ask again after adding rows. */
  get view(): View<S> {
    this.#view ??= this.#snapshot()
    return this.#view
  }

  /** The columns by name in the order of the schema, cut to the rows there are. */
  get entries(): readonly (readonly [name: string, column: ColumnArray])[] {
    return Object.entries<ColumnArray>(this.#columns).map(([name, column]) => [
      name,
      column.subarray(0, this.#length)
    ])
  }

  #snapshot(): View<S> {
    return { ...Object.fromEntries(this.entries), length: this.#length } as View<S>
  }

  #resized(capacity: number): Columns<S> {
    const columns = Object.entries(this.schema).map(([name, Type]) => {
      const column = new Type(capacity)
      if (this.#length > 0) column.set(this.#columns[name]!)
      return [name, column]
    })
    this.#capacity = capacity
    return Object.fromEntries(columns) as Columns<S>
  }
}
