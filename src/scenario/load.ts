/**
 * From a path to a resolved scenario, or to everything that is wrong with it. Files are read through a function, so the
 * same code serves the command line, tests and browsers.
 */
import { Option, Result, Schema } from "effect"
import { type Catalog, isRecord, mergeFields } from "./catalog.ts"
import { closest } from "./closest.ts"
import { type ReadFile, readText, relativeTo } from "./files.ts"
import { type Path, ScenarioInvalid, SourceDocument } from "./document.ts"
import { type Fault, withoutRepeats } from "./fault.ts"
import { resolve } from "./resolve.ts"
import type { SoundFile } from "./resolve/resolution.ts"
import type { Scenario } from "./resolved.ts"
import { MethodFile } from "./schema/method.ts"
import { ScenarioFile } from "./schema/scenario.ts"

/** A scenario as it is written, the files it extends under it: not checked yet. */
export interface ScenarioFields {
  readonly document: SourceDocument
  readonly value: unknown
}

/** Loads a scenario with all files it names. */
export const loadScenario = (
  path: string,
  read: ReadFile,
  catalog: Catalog
): Result.Result<Scenario, ScenarioInvalid> =>
  Result.flatMap(readFields(path, read), (fields) => resolveFields(fields, read, catalog))

/** Reads a scenario and what it extends. */
export const readFields = (path: string, read: ReadFile): Result.Result<ScenarioFields, ScenarioInvalid> => {
  const merged = withParents(path, read, [])
  return "faults" in merged ? invalid(merged.faults) : Result.succeed(merged)
}

/** What the fields mean; other fields than the document's own are judged where those stand. */
export const resolveFields = (
  { document, value }: ScenarioFields,
  read: ReadFile,
  catalog: Catalog
): Result.Result<Scenario, ScenarioInvalid> => {
  const decoded = document.decode(ScenarioFile, value)
  const malformed = "faults" in decoded ? decoded.faults : []
  const file = "value" in decoded ? decoded.value : soundParts(value)
  const { scenario, faults } = resolve({ document, file, written: keysOf(value), catalog, read })
  return scenario === undefined || malformed.length > 0
    ? invalid([...malformed, ...faults, ...unknownNames(document, value, catalog)])
    : Result.succeed(scenario)
}

const keysOf = (value: unknown): ReadonlySet<string> => new Set(isRecord(value) ? Object.keys(value) : [])

/** What is well formed in a file that is not, so that faults of meaning are told with those of form. */
const soundParts = (value: unknown): SoundFile => {
  if (!isRecord(value)) return {}
  const sound = (schema: Schema.Decoder<unknown>, part: unknown): unknown =>
    Option.getOrUndefined(Schema.decodeUnknownOption(schema)(part, { onExcessProperty: "error" }))
  const parts = Object.entries(ScenarioFile.fields).flatMap(([key, schema]) =>
    key === "methods" || value[key] === undefined ? [] : [[key, sound(schema, value[key])] as const]
  )
  const methods = Array.isArray(value["methods"])
    ? value["methods"].map((method) => sound(MethodFile, method))
    : undefined
  return { ...Object.fromEntries(parts), ...(methods === undefined ? {} : { methods }) } as SoundFile
}

/** Faults in reading order, file by file. */
const invalid = (faults: readonly Fault[]): Result.Result<never, ScenarioInvalid> => {
  const files = [...new Set(faults.map(({ file }) => file))]
  const inOrder = withoutRepeats(faults).toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column
  )
  return Result.fail(new ScenarioInvalid({ faults: inOrder }))
}

/** A longer chain of files goes in circles by another name: a linked folder, say. */
const MAX_PARENTS = 50

/** The document at `path` with the fields of the files it extends under its own. */
const withParents = (
  path: string,
  read: ReadFile,
  chain: readonly string[]
): ScenarioFields | { readonly faults: readonly Fault[] } => {
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
  if (names.length >= MAX_PARENTS)
    return { faults: [document.fault(["extends"], `more than ${MAX_PARENTS} files extend one another`)] }
  const base = withParents(parent, read, names)
  if ("faults" in base) {
    const missing = base.faults[0]?.file === parent && read(parent) === undefined
    return { faults: missing ? [document.fault(["extends"], `${parent} cannot be read`)] : base.faults }
  }
  return { document: document.over(base.document), value: mergeFields(base.value, value) }
}

/** Unknown catalog names in methods that are wrong in form. */
const unknownNames = (document: SourceDocument, value: unknown, catalog: Catalog): readonly Fault[] => {
  const check = (path: Path, name: unknown, known: ReadonlyMap<string, unknown>): readonly Fault[] =>
    typeof name !== "string" || known.has(name)
      ? []
      : [document.fault(path, `no ${name} in the catalog`, closest(name, [...known.keys()]))]
  const methods = isRecord(value) && Array.isArray(value["methods"]) ? value["methods"] : []
  return methods.flatMap((method: unknown, i) => {
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
}
