/** Fields of a scenario file replaced by path, catalog entries opened where a path leads into them. */
import { Result } from "effect"
import { type Catalog, isRecord, mergeFields } from "../scenario/catalog.ts"
import { closest } from "../scenario/closest.ts"
import { ScenarioInvalid } from "../scenario/document.ts"
import type { ReadFile } from "../scenario/files.ts"
import { resolveFields, type ScenarioFields } from "../scenario/load.ts"
import type { Scenario } from "../scenario/resolved.ts"

/**
 * A field of a scenario file and what it is to be. Paths are those of the file, methods by position or name, in brackets or
 * after a dot: `engine.max_num_seqs`, `methods[0].vericache.window`, `methods.VeriCache.vericache.keep`.
 * Values are written as in the file: `64 GB/s`, `27k tokens`, 0.2, or fields.
 */
export interface Override {
  readonly field: string
  readonly value: unknown
}

/** A step of a path: a field, or `[…]`: a place in a list, or the name of a method. The latter may be written as a field too. */
export type Step =
  | { readonly kind: "field"; readonly key: string }
  | { readonly kind: "item"; readonly key: string }

/** The steps of a path such as `methods[0].vericache.window`; undefined if it is none. */
export const parsePath = (path: string): readonly Step[] | undefined => {
  const steps: Step[] = []
  const step = /(?:^|\.)([^.[\]]+)|\[([^\]]+)\]/y
  while (step.lastIndex < path.length) {
    const match = step.exec(path)
    if (match === null) return undefined
    steps.push(match[1] === undefined ? { kind: "item", key: match[2]! } : { kind: "field", key: match[1] })
  }
  return steps.length === 0 || steps[0]!.kind === "item" ? undefined : steps
}

/** Why a path leads nowhere. */
class NoSuchField extends Error {
  readonly suggestion: string | undefined
  constructor(message: string, suggestion?: string) {
    super(message)
    this.suggestion = suggestion
  }
}

/** Forms of acceptance: one replaces the other, and where the figures came from is then not true any more. */
const ACCEPTANCE_FORMS: ReadonlySet<string> = new Set(["alpha", "curve", "table", "recorded"])

/** What a value that a path leads into, to `next`, stands for: an entry of the catalog, its fields written out. */
const opened = (value: unknown, trail: readonly string[], next: string, catalog: Catalog): unknown => {
  const key = trail.at(-1)
  // A config.json takes the place of an entry: the two have no field in common.
  if (trail.length === 1 && key === "model" && next === "config")
    return isRecord(value) && "config" in value ? value : {}
  const entries =
    trail.length === 1 && key === "hardware"
      ? catalog.hardware
      : trail.length === 1 && key === "model"
        ? catalog.models
        : key === "drafter"
          ? catalog.drafters
          : undefined
  if (entries === undefined) return value
  const name = isRecord(value) ? value["extends"] : value
  const entry = typeof name === "string" ? entries.get(name) : undefined
  if (entry === undefined) return value
  return isRecord(value) ? mergeFields(entry, value) : entry
}

const place = (items: readonly unknown[], key: string, at: string): number => {
  if (/^\d+$/.test(key)) {
    if (Number(key) < items.length) return Number(key)
    throw new NoSuchField(
      `${at} has ${items.length} ${items.length === 1 ? "item" : "items"}, counted from 0`
    )
  }
  const names = items.map(methodName)
  const found = names.indexOf(key)
  if (found < 0) throw new NoSuchField(`no item of ${at} is called ${key}`, closest(key, names))
  return found
}

/** Name of a method as it is written; that of its kind where it has none of its own. */
export const methodName = (method: unknown): string => {
  if (!isRecord(method)) return String(method)
  const { name } = method
  const kind = Object.keys(method).find((key) => key !== "name") ?? ""
  return typeof name === "string" ? name : kind.replaceAll("_", "-")
}

/** The tree with one value replaced. */
const replaced = (
  tree: unknown,
  steps: readonly Step[],
  value: unknown,
  catalog: Catalog,
  trail: readonly string[] = []
): unknown => {
  const [step, ...rest] = steps
  if (step === undefined) return value
  const at = trail.join(".")
  const here = opened(tree, trail, step.key, catalog)
  if (step.kind === "item" || Array.isArray(here)) {
    if (!Array.isArray(here)) throw new NoSuchField(`${at} is no list`)
    const index = place(here, step.key, at)
    return here.with(index, replaced(here[index], rest, value, catalog, [...trail, String(index)]))
  }
  if (here !== undefined && !isRecord(here))
    throw new NoSuchField(`${at} is ${JSON.stringify(here)}: it has no field ${step.key}`)
  if (trail.at(-1) === "acceptance" && ACCEPTANCE_FORMS.has(step.key))
    return { [step.key]: value, basis: "assumed", source: "set by hand in a plan or a sweep" }
  return { ...here, [step.key]: replaced(here?.[step.key], rest, value, catalog, [...trail, step.key]) }
}

/** Why a path leads nowhere in a scenario as it is written, if it does not; whether what it leads to is a field of a scenario is not asked. */
export const misplaced = (
  { value }: ScenarioFields,
  field: string,
  catalog: Catalog
): { readonly message: string; readonly suggestion: string | undefined } | undefined => {
  try {
    replaced(value, parsePath(field) ?? [], undefined, catalog)
    return undefined
  } catch (error) {
    if (error instanceof NoSuchField) return error
    throw error
  }
}

/** How deep a path leads: what replaces a whole section comes before what changes a field in it. */
const depth = (field: string): number => parsePath(field)?.length ?? 0

/** The fields with some replaced, shallow ones first; not checked yet. A path that leads nowhere is a fault. */
export const overridden = (
  base: ScenarioFields,
  overrides: readonly Override[],
  catalog: Catalog
): Result.Result<ScenarioFields, ScenarioInvalid> => {
  let { value } = base
  for (const { field, value: to } of overrides.toSorted((a, b) => depth(a.field) - depth(b.field))) {
    const steps = parsePath(field)
    try {
      if (steps === undefined) throw new NoSuchField("is no path such as methods[0].vericache.window")
      value = replaced(value, steps, to, catalog)
    } catch (error) {
      if (!(error instanceof NoSuchField)) throw error
      const fault = base.document.fault([], `${field}: ${error.message}`, error.suggestion)
      return Result.fail(new ScenarioInvalid({ faults: [fault] }))
    }
  }
  return Result.succeed({ document: base.document, value })
}

/** The scenario with fields replaced. Fails with the faults of the result; a path that leads nowhere is one of them. */
export const withOverrides = (
  base: ScenarioFields,
  overrides: readonly Override[],
  read: ReadFile,
  catalog: Catalog
): Result.Result<Scenario, ScenarioInvalid> =>
  Result.flatMap(overridden(base, overrides, catalog), (fields) => resolveFields(fields, read, catalog))
