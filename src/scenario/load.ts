/**
 * From a path to a resolved scenario, or to everything that is wrong with it. Files are read through a function, so the
 * same code serves the command line, tests and browsers.
 */
import { Result } from "effect"
import { type Catalog, isRecord, mergeFields } from "./catalog.ts"
import { closest } from "./closest.ts"
import { type ReadFile, readText, relativeTo } from "./files.ts"
import { type Fault, ScenarioInvalid, SourceDocument } from "./document.ts"
import { Resolver } from "./resolve.ts"
import type { Scenario } from "./resolved.ts"
import { ScenarioFile } from "./schema.ts"

/** Loads a scenario with all files it names. */
export const loadScenario = (
  path: string,
  read: ReadFile,
  catalog: Catalog
): Result.Result<Scenario, ScenarioInvalid> => {
  const merged = withParents(path, read, [])
  if ("faults" in merged) return Result.fail(new ScenarioInvalid({ faults: merged.faults }))
  const { document, value } = merged
  const decoded = document.decode(ScenarioFile, value)
  // Faults of references come with those of form, as far as the fields are there.
  if ("faults" in decoded)
    return Result.fail(
      new ScenarioInvalid({ faults: [...decoded.faults, ...referenceFaults(document, value, catalog)] })
    )
  const resolver = new Resolver(document, decoded.value, catalog, read)
  const scenario = resolver.scenario()
  return resolver.faults.length > 0 || scenario === undefined
    ? Result.fail(new ScenarioInvalid({ faults: resolver.faults }))
    : Result.succeed(scenario)
}

/** The document at `path` with the fields of the files it extends under its own. */
const withParents = (
  path: string,
  read: ReadFile,
  chain: readonly string[]
): { readonly document: SourceDocument; readonly value: unknown } | { readonly faults: readonly Fault[] } => {
  const text = readText(path, read)
  if (typeof text !== "string") return { faults: [text] }
  const document = new SourceDocument(path, text)
  if (document.faults.length > 0) return { faults: document.faults }
  const { value } = document
  if (!isRecord(value) || typeof value["extends"] !== "string") return { document, value }
  const parent = relativeTo(path, value["extends"])
  const names = [...chain, path]
  if (names.includes(parent))
    return { faults: [document.fault(["extends"], `extends itself: ${[...names, parent].join(" → ")}`)] }
  const base = withParents(parent, read, names)
  if ("faults" in base) {
    const missing = base.faults[0]?.file === parent && read(parent) === undefined
    return { faults: missing ? [document.fault(["extends"], `${parent} cannot be read`)] : base.faults }
  }
  return { document, value: mergeFields(base.value, value) }
}

/** Unknown catalog names in a file whose form is wrong elsewhere. */
const referenceFaults = (document: SourceDocument, value: unknown, catalog: Catalog): readonly Fault[] => {
  if (!isRecord(value)) return []
  const check = (field: "model" | "hardware", known: ReadonlyMap<string, unknown>): readonly Fault[] => {
    const name = value[field]
    return typeof name !== "string" || known.has(name)
      ? []
      : [document.fault([field], `no ${name} in the catalog`, closest(name, [...known.keys()]))]
  }
  return [...check("model", catalog.models), ...check("hardware", catalog.hardware)]
}
