/**
 * From a path to a resolved scenario, or to everything that is wrong with it. Files are read through a function, so the
 * same code serves the command line, tests and browsers.
 */
import { Result } from "effect"
import { type Catalog, isRecord, mergeFields } from "./catalog.ts"
import { closest } from "./closest.ts"
import { type ReadFile, readText, relativeTo } from "./files.ts"
import { type Fault, type Path, ScenarioInvalid, SourceDocument } from "./document.ts"
import { resolve } from "./resolve.ts"
import type { Scenario } from "./resolved.ts"
import { ScenarioFile } from "./schema/scenario.ts"

/** Loads a scenario with all files it names. */
export const loadScenario = (
  path: string,
  read: ReadFile,
  catalog: Catalog
): Result.Result<Scenario, ScenarioInvalid> => {
  const merged = withParents(path, read, [])
  if ("faults" in merged) return invalid(merged.faults)
  const { document, value } = merged
  const decoded = document.decode(ScenarioFile, value)
  // Faults of references come with those of form, as far as the fields are there.
  // Faults of references come with those of form, as far as the fields are there.
  if ("faults" in decoded) return invalid([...decoded.faults, ...unknownNames(document, value, catalog)])
  const { scenario, faults } = resolve({ document, file: decoded.value, catalog, read })
  return scenario === undefined ? invalid(faults) : Result.succeed(scenario)
}

/** Faults in reading order, file by file. */
const invalid = (faults: readonly Fault[]): Result.Result<never, ScenarioInvalid> => {
  const files = [...new Set(faults.map(({ file }) => file))]
  const inOrder = faults.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column
  )
  return Result.fail(new ScenarioInvalid({ faults: inOrder }))
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
  return { document: document.over(base.document), value: mergeFields(base.value, value) }
}

/** Unknown catalog names in a file whose form is wrong elsewhere. */
const unknownNames = (document: SourceDocument, value: unknown, catalog: Catalog): readonly Fault[] => {
  const check = (path: Path, name: unknown, known: ReadonlyMap<string, unknown>): readonly Fault[] =>
    typeof name !== "string" || known.has(name)
      ? []
      : [document.fault(path, `no ${name} in the catalog`, closest(name, [...known.keys()]))]
  if (!isRecord(value)) return []
  const methods = Array.isArray(value["methods"]) ? (value["methods"] as readonly unknown[]) : []
  return [
    ...check(["model"], value["model"], catalog.models),
    ...check(["hardware"], value["hardware"], catalog.hardware),
    ...methods.flatMap((method, i) => {
      if (!isRecord(method)) return []
      const uses = ["lossy", "sparse", "vericache"].flatMap((kind) => {
        const use = method[kind]
        if (!isRecord(use)) return []
        return [
          ...check(["methods", i, kind, "compressor"], use["compressor"], catalog.compressors),
          ...check(["methods", i, kind, "drafter"], use["drafter"], catalog.drafters)
        ]
      })
      return [...uses, ...check(["methods", i, "drafter"], method["drafter"], catalog.drafters)]
    })
  ]
}
