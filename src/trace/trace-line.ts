/** One line of a trace in JSON lines, and where it goes wrong. */
import { describeAt, jsonFault } from "./json-fault.ts"
import { PASS_TIMES, type Peaks, type TraceMeta } from "./store.ts"

/** The file is not a whole trace. `line` and `column` count from 1. */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError"
  readonly line: number
  readonly column: number
  readonly expected: string
  readonly found: string

  constructor(line: number, column: number, expected: string, found: string) {
    super(`${line}:${column}: expected ${expected}, found ${found}`)
    this.line = line
    this.column = column
    this.expected = expected
    this.found = found
  }
}

/** A line of the file as the JSON object or row it should be, and the places to point at when it is not. */
export class Line {
  readonly #text: string
  readonly #number: number
  /** Of a row: the names of its columns. */
  readonly #columns: readonly string[] | undefined
  readonly #fields: Readonly<Record<string, unknown>>

  /** `columns`: of rows, where some were named before. */
  constructor(text: string, number: number, columns?: readonly string[]) {
    this.#text = text
    this.#number = number
    const value = this.#parse()
    if (Array.isArray(value) && columns !== undefined) {
      this.#columns = columns
      this.#fields = this.#row(value, columns)
      return
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.fault(0, columns === undefined ? "a JSON object" : "a JSON object or a row")
    this.#fields = value as Readonly<Record<string, unknown>>
  }

  #row(values: readonly unknown[], columns: readonly string[]): Readonly<Record<string, unknown>> {
    if (values.length === 0 || values.length > columns.length)
      throw this.fault(0, `1 to ${columns.length} columns`)
    // No request is null, and no other column may be.
    return Object.fromEntries(
      values.flatMap((value, i) => (value === null && columns[i] === "request" ? [] : [[columns[i]!, value]]))
    )
  }

  /** The first name on the line, which says what it is. */
  get kind(): string | undefined {
    for (const name in this.#fields) return name
    return undefined
  }

  get isRow(): boolean {
    return this.#columns !== undefined
  }

  get(name: string): unknown {
    return this.#fields[name]
  }

  get meta(): TraceMeta {
    const meta = this.get("meta")
    this.check("meta", typeof meta === "object" && meta !== null, "the metadata of a trace")
    const line = new Line(JSON.stringify(meta), this.#number)
    try {
      line.only("name", "scenario", "method", "seed", "clock", "basis", "clockOffset", "peaks", "passTimes")
      const peaks = line.#peaks()
      return {
        name: line.string("name"),
        scenario: line.string("scenario"),
        method: line.string("method"),
        seed: line.finite("seed"),
        clock: line.oneOf("clock", ["virtual", "wall"]),
        basis: line.oneOf("basis", ["modelled", "measured"]),
        clockOffset: line.finite("clockOffset"),
        ...(peaks === undefined ? {} : { peaks }),
        ...(line.get("passTimes") === undefined ? {} : { passTimes: line.oneOf("passTimes", PASS_TIMES) })
      }
    } catch (cause) {
      if (!(cause instanceof TraceFormatError)) throw cause
      throw this.fault(this.#position("meta"), `in the metadata ${cause.expected}`, cause.found)
    }
  }

  #peaks(): Peaks | undefined {
    const peaks = this.get("peaks")
    if (peaks === undefined) return undefined
    this.check("peaks", typeof peaks === "object" && peaks !== null, "what the hardware could move at most")
    const line = new Line(JSON.stringify(peaks), this.#number)
    line.only("hbm", "hostToDevice", "deviceToHost", "basis")
    return {
      hbm: line.finite("hbm"),
      hostToDevice: line.finite("hostToDevice"),
      ...(line.get("deviceToHost") === undefined ? {} : { deviceToHost: line.finite("deviceToHost") }),
      basis: line.oneOf("basis", ["measured", "modelled", "assumed"])
    }
  }

  string(name: string): string {
    const value = this.get(name)
    this.check(name, typeof value === "string", "a string")
    return value as string
  }

  strings(name: string): readonly string[] {
    const value = this.get(name)
    const sound = Array.isArray(value) && value.every((one) => typeof one === "string")
    this.check(name, sound, "a list of strings")
    return value as readonly string[]
  }

  finite(name: string): number {
    const value = this.get(name)
    this.check(name, typeof value === "number" && Number.isFinite(value), "a finite number")
    return value as number
  }

  share(name: string): number {
    const value = this.finite(name)
    this.check(name, value >= 0 && value <= 1, "a share, 0 to 1,")
    return value
  }

  /** Nanoseconds. */
  time(name: string): number {
    const value = this.get(name)
    this.check(name, Number.isSafeInteger(value) && (value as number) >= 0, "a time in whole nanoseconds")
    return value as number
  }

  /** A whole number from 0, if it is there. */
  count(name: string): number | undefined {
    return this.get(name) === undefined ? undefined : this.below(name, Number.MAX_SAFE_INTEGER, "a count")
  }

  below(name: string, limit: number, expected: string): number {
    const value = this.get(name)
    this.check(name, Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit, expected)
    return value as number
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.get(name)
    if (!allowed.includes(value as T))
      this.check(name, false, allowed.map((each) => `"${each}"`).join(" or "))
    return value as T
  }

  /** No names but these. */
  only(...names: readonly string[]): void {
    for (const name in this.#fields) {
      if (!names.includes(name))
        throw this.fault(this.#position(name, 0), `one of the names ${names.join(", ")}`)
    }
  }

  /** Throws, pointing at the value of `name`, unless `holds`. */
  check(name: string, holds: boolean, expected: string): void {
    if (holds) return
    if (this.get(name) === undefined) throw this.fault(this.#text.length, `"${name}": ${expected}`)
    throw this.fault(this.#position(name), `${expected} as "${name}"`)
  }

  /** The error at a character index of the line. */
  fault(index: number, expected: string, found = describeAt(this.#text, index)): TraceFormatError {
    return new TraceFormatError(this.#number, index + 1, expected, found)
  }

  #parse(): unknown {
    try {
      return JSON.parse(this.#text)
    } catch (cause) {
      const fault = jsonFault(this.#text)
      if (fault === undefined) throw cause
      throw new TraceFormatError(this.#number, fault.column, fault.expected, fault.found)
    }
  }

  /** Index of the value (or, with `skip` 0, of the name) of a field. Quotes in strings are escaped, so no string looks like one. */
  #position(name: string, skip = name.length + 3): number {
    if (this.#columns !== undefined) return this.#place(this.#columns.indexOf(name))
    const index = this.#text.indexOf(`"${name}":`)
    return index < 0 ? 0 : index + skip
  }

  /** Index of a value of a row. No string in a row that is sound has a comma. */
  #place(column: number): number {
    let index = this.#text.indexOf("[") + 1
    for (let i = 0; i < column; i++) index = this.#text.indexOf(",", index) + 1
    return index
  }
}
