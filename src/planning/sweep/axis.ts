/** What an axis sets its field to. */
import type { Path, SourceDocument } from "../../scenario/document.ts"
import type { Fault } from "../../scenario/fault.ts"
import { type Dimension, EXAMPLES, parseQuantity } from "../../scenario/quantity.ts"
import type { Cell } from "../files/table.ts"
import { fieldAt, type Field, UNIT_SUFFIX } from "./fields.ts"
import type { GridAxisFile, SampleAxisFile } from "./sweep-file.ts"

/** A value of a field: as the scenario takes it, and as the results show it. */
export interface Setting {
  readonly value: unknown
  readonly shown: Cell
}

/** A field that varies. */
export interface Axis {
  readonly field: string
  /** Column of the results; it ends in `unit`. */
  readonly column: string
  /** As in a column's name: `_bytes_per_s`; empty for none. */
  readonly unit: string
  readonly type: "number" | "text"
  /** Where it stands in the sweep file. */
  readonly path: Path
  /** Values as they are listed there; none of a range. */
  readonly listed: readonly unknown[]
}

/** An axis of a grid. */
export interface GridAxis extends Axis {
  readonly settings: readonly Setting[]
}

/** An axis of a sample: where a place in [0, 1) on it is. */
export interface SampleAxis extends Axis {
  readonly settingAt: (place: number) => Setting
}

/** Finds faults where they stand in the sweep file. */
export interface Faults {
  readonly document: SourceDocument
  readonly faults: Fault[]
}

const told = ({ document, faults }: Faults, at: Path, message: string, suggestion?: string): undefined => {
  faults.push(document.fault(at, message, suggestion))
}

/** Cut where rounding of binary fractions begins, so that 0.1 to 0.5 in steps is 0.3 in the middle. */
const neat = (value: number): number => Number(value.toPrecision(12))

const shownAs = (value: unknown, dimension: Dimension | undefined): Cell => {
  if (typeof value === "number" || typeof value === "boolean") return value
  if (typeof value !== "string") return JSON.stringify(value)
  return dimension === undefined ? value : (parseQuantity(value, dimension) ?? value)
}

/** Numbers all through are a column of numbers; anything else is text. */
const listed = (values: readonly unknown[], { dimension }: Field) => {
  const cells = values.map((value) => shownAs(value, dimension))
  const type = cells.every((cell) => typeof cell === "number") ? "number" : "text"
  return {
    type,
    settings: values.map((value, i) => ({ value, shown: type === "number" ? cells[i] : String(cells[i]) }))
  } as const
}

/** Both ends in base units. */
interface Range {
  readonly from: number
  readonly to: number
  readonly log: boolean
}

const rangeOf = (
  axis: SampleAxisFile,
  { dimension, numeric }: Field,
  at: Path,
  into: Faults
): Range | undefined => {
  if (!numeric) return told(into, [...at, "from"], `${axis.field} takes no numbers`, "list its values")
  const end = (key: "from" | "to"): number | undefined => {
    const given = axis[key]!
    const parsed = typeof given === "number" ? given : dimension && parseQuantity(given, dimension)
    return parsed === undefined
      ? told(
          into,
          [...at, key],
          dimension === undefined
            ? `expected a number, found ${JSON.stringify(given)}`
            : `expected ${dimension} such as "${EXAMPLES[dimension]}", found ${JSON.stringify(given)}`
        )
      : parsed
  }
  const from = end("from")
  const to = end("to")
  if (from === undefined || to === undefined) return undefined
  const log = axis.scale === "log"
  if (log && (from <= 0 || to <= 0))
    return told(into, [...at, from <= 0 ? "from" : "to"], "expected more than 0 on a log scale")
  if (from === to) return told(into, [...at, "to"], `from and to are both ${from}`)
  return { from, to, log }
}

/** The value at a place from 0 to 1 of a range. */
const between = ({ from, to, log }: Range, place: number, whole: boolean): number => {
  const value = log ? from * (to / from) ** place : from + (to - from) * place
  return whole ? Math.round(value) : neat(value)
}

/** The field an axis leads to; a fault if there is none. */
const fieldOf = (axis: SampleAxisFile, at: Path, into: Faults): Field | undefined => {
  const field = fieldAt(axis.field)
  return "problem" in field ? told(into, [...at, "field"], field.problem, field.suggestion) : field
}

const axisOf = (
  { field, name = field, values = [] }: SampleAxisFile,
  path: Path,
  { dimension }: Field,
  type: Axis["type"]
): Axis => {
  const unit = dimension === undefined || type === "text" ? "" : UNIT_SUFFIX[dimension]
  return { field, column: name + unit, unit, type, path, listed: values }
}

export const gridAxis = (axis: GridAxisFile, at: Path, into: Faults): GridAxis | undefined => {
  const field = fieldOf(axis, at, into)
  if (field === undefined) return undefined
  if (axis.values !== undefined) {
    const { type, settings } = listed(axis.values, field)
    return { ...axisOf(axis, at, field, type), settings }
  }
  const range = rangeOf(axis, field, at, into)
  const points = axis.points ?? 1
  if (range === undefined) return undefined
  if (points < 2) return told(into, [...at, "points"], "expected at least 2: both ends")
  const values = Array.from({ length: points }, (_, i) =>
    // The ends as they are given, whatever arithmetic makes of them.
    i === points - 1 && !field.whole ? range.to : between(range, i / (points - 1), field.whole)
  )
  const distinct = [...new Set(values)]
  if (distinct.length < points)
    return told(
      into,
      [...at, "points"],
      `${points} points between ${range.from} and ${range.to}, but ${distinct.length} whole numbers`
    )
  return { ...axisOf(axis, at, field, "number"), settings: values.map((value) => ({ value, shown: value })) }
}

export const sampleAxis = (axis: SampleAxisFile, at: Path, into: Faults): SampleAxis | undefined => {
  const field = fieldOf(axis, at, into)
  if (field === undefined) return undefined
  if (axis.values !== undefined) {
    const { type, settings } = listed(axis.values, field)
    return {
      ...axisOf(axis, at, field, type),
      settingAt: (place) => settings[Math.floor(place * settings.length)]!
    }
  }
  const range = rangeOf(axis, field, at, into)
  if (range === undefined) return undefined
  return {
    ...axisOf(axis, at, field, "number"),
    settingAt: (place) => {
      const value = between(range, place, field.whole)
      return { value, shown: value }
    }
  }
}
