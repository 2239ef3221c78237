/** Named hardware, models, compressors and drafters, each figure with its source. */
import type { Schema } from "effect"
import { closest } from "./closest.ts"
import { type Fault, SourceDocument } from "./document.ts"
import { CompressorFile, DrafterFile, HardwareFile, ModelFile } from "./schema.ts"

export const SECTIONS = ["hardware", "models", "compressors", "drafters"] as const
export type Section = (typeof SECTIONS)[number]

/** A file of the catalog. */
export interface CatalogText {
  readonly section: Section
  readonly file: string
  readonly text: string
}

export interface Catalog {
  readonly hardware: ReadonlyMap<string, HardwareFile>
  readonly models: ReadonlyMap<string, ModelFile>
  readonly compressors: ReadonlyMap<string, CompressorFile>
  readonly drafters: ReadonlyMap<string, DrafterFile>
}

/** Merges objects key by key, deeply; other values are replaced. `extends` and undefined say nothing. */
export const mergeFields = (base: unknown, over: unknown): unknown => {
  if (!isRecord(base) || !isRecord(over)) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (key !== "extends" && value !== undefined)
      merged[key] = key in base ? mergeFields(base[key], value) : value
  }
  return merged
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Reads catalog files; an entry may extend another of its section. All faults of all files come back together. */
export const makeCatalog = (
  texts: readonly CatalogText[]
): { readonly catalog: Catalog; readonly faults: readonly Fault[] } => {
  const faults: Fault[] = []
  const section = <A extends { readonly name: string }>(
    name: Section,
    schema: Schema.Decoder<A>
  ): ReadonlyMap<string, A> => {
    const documents = texts
      .filter((text) => text.section === name)
      .map(({ file, text }) => new SourceDocument(file, text))
    const byName = new Map(documents.map((document) => [entryName(document), document]))
    const entries = new Map<string, A>()
    for (const document of documents) {
      faults.push(...document.faults)
      if (document.faults.length > 0) continue
      const merged = inherit(document, byName, [], faults)
      if (merged === undefined) continue
      const decoded = document.decode(schema, merged)
      if ("faults" in decoded) faults.push(...decoded.faults)
      else if (entries.has(decoded.value.name))
        faults.push(document.fault(["name"], `${decoded.value.name} is in the catalog twice`))
      else entries.set(decoded.value.name, decoded.value)
    }
    return new Map([...entries].toSorted(([a], [b]) => a.localeCompare(b)))
  }
  const catalog = {
    hardware: section("hardware", HardwareFile),
    models: section("models", ModelFile),
    compressors: section("compressors", CompressorFile),
    drafters: section("drafters", DrafterFile)
  }
  return { catalog, faults }
}

const entryName = ({ value }: SourceDocument): string => (isRecord(value) ? String(value["name"]) : "")

/** A document's fields over those of the entry it extends. */
const inherit = (
  document: SourceDocument,
  byName: ReadonlyMap<string, SourceDocument>,
  chain: readonly string[],
  faults: Fault[]
): unknown => {
  const { value } = document
  if (!isRecord(value) || value["extends"] === undefined) return value
  const parentName =
    typeof value["extends"] === "string" ? value["extends"] : JSON.stringify(value["extends"])
  const parent = byName.get(parentName)
  if (parent === undefined || chain.includes(parentName)) {
    const cycle = chain.includes(parentName)
    faults.push(
      document.fault(
        ["extends"],
        cycle ? `extends itself: ${[...chain, parentName].join(" → ")}` : `no ${parentName} in the catalog`,
        cycle ? undefined : closest(parentName, [...byName.keys()])
      )
    )
    return undefined
  }
  const base = inherit(parent, byName, [...chain, entryName(document)], faults)
  return base === undefined ? undefined : mergeFields(base, value)
}
