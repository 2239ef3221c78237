/** Named hardware, models, compressors and drafters, each figure with its source. */
import type { Schema } from "effect"
import { closest } from "./closest.ts"
import { SourceDocument } from "./document.ts"
import { type Fault, withoutRepeats } from "./fault.ts"
import { CompressorFile, DrafterFile } from "./schema/drafting.ts"
import { HardwareFile } from "./schema/hardware.ts"
import { ModelFile } from "./schema/model.ts"

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

/** Fields that hold one of several forms: a new form does not mix with the old one. */
const ALTERNATIVES: ReadonlySet<string> = new Set(["arrivals", "input", "output", "acceptance"])

/**
 * Merges objects key by key, deeply; other values are replaced, and so is what extends something of its own. The outermost
 * `extends` has done its work and goes.
 */
export const mergeFields = (base: unknown, over: unknown): unknown => {
  const { extends: _, ...fields } = merge(base, over) as Record<string, unknown>
  return fields
}

const merge = (base: unknown, over: unknown): unknown => {
  if (!isRecord(base) || !isRecord(over)) return over
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(over)) {
    const whole = ALTERNATIVES.has(key) || (isRecord(value) && "extends" in value)
    merged.set(key, whole || !merged.has(key) ? value : merge(merged.get(key), value))
  }
  return Object.fromEntries(merged)
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
      const inherited = inherit(document, byName, [], faults)
      if (inherited === undefined) continue
      const decoded = inherited.document.decode(schema, inherited.value)
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
  return { catalog, faults: withoutRepeats(faults) }
}

const entryName = ({ value }: SourceDocument): string => (isRecord(value) ? String(value["name"]) : "")

/** A document's fields over those of the entry it extends; undefined, with a fault, if that is not there. */
const inherit = (
  document: SourceDocument,
  byName: ReadonlyMap<string, SourceDocument>,
  chain: readonly string[],
  faults: Fault[]
): { readonly document: SourceDocument; readonly value: unknown } | undefined => {
  const { value } = document
  if (!isRecord(value) || value["extends"] === undefined) return { document, value }
  const parentName =
    typeof value["extends"] === "string" ? value["extends"] : JSON.stringify(value["extends"])
  const parent = byName.get(parentName)
  const names = [...chain, entryName(document)]
  if (parent === undefined || names.includes(parentName)) {
    // Entries that extend this one meet the same fault; it is told once.
    if (faults.some(({ file, field }) => file === document.file && field === "extends")) return undefined
    const cycle = names.includes(parentName)
    faults.push(
      document.fault(
        ["extends"],
        cycle ? `extends itself: ${[...names, parentName].join(" → ")}` : `no ${parentName} in the catalog`,
        cycle ? undefined : closest(parentName, [...byName.keys()])
      )
    )
    return undefined
  }
  // The parent's own faults come with the parent.
  if (parent.faults.length > 0) return undefined
  const base = inherit(parent, byName, names, faults)
  if (base === undefined) return undefined
  return { document: document.over(base.document), value: mergeFields(base.value, value) }
}
