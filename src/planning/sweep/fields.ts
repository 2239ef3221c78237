/** The fields of a scenario file that an axis can lead along, what unit they have, and which of them are whole numbers. */
import { Schema } from "effect"
import { closest } from "../../scenario/closest.ts"
import { type FieldHelp, fieldHelp } from "../../scenario/field-help.ts"
import type { Dimension } from "../../scenario/quantity.ts"
import { HardwareFile } from "../../scenario/schema/hardware.ts"
import { ConfigModelFile, ModelFile } from "../../scenario/schema/model.ts"
import { ScenarioFile } from "../../scenario/schema/scenario.ts"
import { parsePath } from "../override.ts"

export interface Field {
  /** Unit of its numbers, if it has one. */
  readonly dimension?: Dimension
  /** Takes numbers, with or without a unit. */
  readonly numeric: boolean
  /** Takes whole numbers only, tokens among them. */
  readonly whole: boolean
}

const below = (prefix: string, schema: Schema.Top): readonly FieldHelp[] =>
  fieldHelp(Schema.toJsonSchemaDocument(schema).schema).map((row) => ({ ...row, field: prefix + row.field }))

let known: ReadonlyMap<string, FieldHelp> | undefined

/** Every field there is, `[]` for a place in a list; read off the schemas once. */
const fields = (): ReadonlyMap<string, FieldHelp> => {
  known ??= new Map(
    [
      ...below("", ScenarioFile),
      ...below("hardware.", HardwareFile),
      ...below("model.", ModelFile),
      ...below("model.", ConfigModelFile)
    ].map((row) => [row.field, row])
  )
  return known
}

/** Fields that are no matter of the deployment, or that the sweep sets itself. */
const OTHER_WAYS: ReadonlyMap<string, string> = new Map([
  ["seed", "give seeds or replications beside the axes"],
  ["extends", "give several sweeps, or the fields in which the scenarios differ"]
])

/** Quantities say their unit in this way in the schemas' descriptions. */
const UNIT = /In (bytes\/s|bytes|flop\/s|seconds|tokens|watts), or with a unit/

/** The field meant, if its path is near; else those whose last name shares a word with this one's. */
const nearest = (name: string): string | undefined => {
  const paths = [...fields().keys()]
  const near = closest(name, paths)
  if (near?.startsWith("did you mean") === true) return near
  const lastOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1)
  const words = lastOf(name).split("_")
  const alike = paths.filter((path) =>
    lastOf(path)
      .split("_")
      .some((word) => words.includes(word))
  )
  return alike.length === 0 ? near : `known: ${alike.slice(0, 6).join(", ")}${alike.length > 6 ? ", …" : ""}`
}

/** The field at a path; or why there is none, with the nearest name. */
export const fieldAt = (path: string): Field | { readonly problem: string; readonly suggestion?: string } => {
  const steps = parsePath(path)
  if (steps === undefined)
    return { problem: `${path} is no path of fields`, suggestion: "write one as methods[0].vericache.window" }
  const items: string[] = []
  const name = steps.reduce((name, { kind, key }) => {
    if (kind === "item" || fields().get(name)?.takes.split(" | ").includes("list") === true) {
      items.push(key)
      return `${name}[]`
    }
    return name === "" ? key : `${name}.${key}`
  }, "")
  const elsewhere = OTHER_WAYS.get(name)
  if (elsewhere !== undefined) return { problem: `${name} is no axis`, suggestion: elsewhere }
  const found = fields().get(name) ?? (name.endsWith("[]") ? fields().get(name.slice(0, -2)) : undefined)
  if (found === undefined) {
    // With the methods that were written, where the field meant has any.
    const suggestion = nearest(name)?.replaceAll("[]", () => (items.length > 0 ? `.${items.shift()!}` : "[]"))
    return { problem: `no field ${path} in a scenario`, ...(suggestion === undefined ? {} : { suggestion }) }
  }
  const dimension = UNIT.exec(found.description)?.[1] as Dimension | undefined
  const takes = found.takes.split(" | ")
  return {
    numeric: dimension !== undefined || takes.includes("number") || takes.includes("integer"),
    whole: dimension === "tokens" || (takes.includes("integer") && !takes.includes("number")),
    ...(dimension === undefined ? {} : { dimension })
  }
}

/** How a unit is written at the end of a column's name. */
export const UNIT_SUFFIX: Readonly<Record<Dimension, string>> = {
  bytes: "_bytes",
  "bytes/s": "_bytes_per_s",
  "flop/s": "_flop_per_s",
  seconds: "_s",
  tokens: "_tokens",
  watts: "_w"
}
