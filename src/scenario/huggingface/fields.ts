/** Fields of a Hugging Face config as it names them. Every one that is missing or wrong is noted, and reading goes on. */

/** A field that is missing or not understood. */
export interface ConfigFault {
  readonly path: readonly string[]
  readonly message: string
}

type Values = Readonly<Record<string, unknown>>

/** Stands for a count that is not there; faults keep it from getting anywhere. */
const PLACEHOLDER = 1

export class Fields {
  readonly #values: Values
  readonly #faults: ConfigFault[]
  readonly #path: readonly string[]

  constructor(values: Values, faults: ConfigFault[], path: readonly string[] = []) {
    // Absent and null are the same to transformers.
    this.#values = Object.fromEntries(
      Object.entries(values).filter(([, value]) => value !== null && value !== undefined)
    )
    this.#faults = faults
    this.#path = path
  }

  fault(field: string, message: string): void {
    const path = [...this.#path, field]
    const known = this.#faults.some((one) => one.path.join(".") === path.join("."))
    if (!known) this.#faults.push({ path, message })
  }

  /** Notes at the first of some fields that they do not go together, unless one of them is wrong by itself. */
  relate(fields: readonly [string, ...string[]], holds: boolean, message: string): void {
    const alone = (one: ConfigFault): boolean =>
      fields.some((field) => one.path.join(".") === [...this.#path, field].join("."))
    if (!holds && !this.#faults.some(alone)) this.fault(fields[0], message)
  }

  keys(): readonly string[] {
    return Object.keys(this.#values)
  }

  /** The same fields, those that are absent as in `defaults`. */
  with(defaults: Values): Fields {
    return new Fields({ ...defaults, ...this.#values }, this.#faults, this.#path)
  }

  /** A width or a count: a whole number that a layer can have. */
  count(field: string): number {
    if (this.#values[field] === undefined) this.fault(field, "is missing")
    return this.optionalCount(field) ?? PLACEHOLDER
  }

  optionalCount(field: string, least = 1): number | undefined {
    const value = this.#values[field]
    if (value === undefined) return undefined
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= 1e9) return value
    this.fault(field, `expected a whole number from ${least} to 1000000000, found ${shown(value)}`)
    return undefined
  }

  flag(field: string, otherwise: boolean): boolean {
    const value = this.#values[field]
    if (value === undefined || typeof value === "boolean") return value ?? otherwise
    this.fault(field, `expected true or false, found ${shown(value)}`)
    return otherwise
  }

  text(field: string): string | undefined {
    const value = this.#values[field]
    if (value === undefined || typeof value === "string") return value
    this.fault(field, `expected text, found ${shown(value)}`)
    return undefined
  }

  list(field: string): readonly unknown[] | undefined {
    const value = this.#values[field]
    if (value === undefined || Array.isArray(value)) return value
    this.fault(field, `expected a list, found ${shown(value)}`)
    return undefined
  }

  record(field: string, defaults: Values = {}): Fields | undefined {
    const value = this.#values[field]
    if (value === undefined) return undefined
    if (typeof value === "object" && !Array.isArray(value))
      return new Fields(value as Values, this.#faults, [...this.#path, field]).with(defaults)
    this.fault(field, `expected fields, found ${shown(value)}`)
    return undefined
  }
}

const shown = (value: unknown): string =>
  typeof value === "number" ? String(value) : JSON.stringify(value).slice(0, 60)
