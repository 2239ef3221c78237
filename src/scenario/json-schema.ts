import { JsonSchema, Schema } from "effect"
import type { Catalog } from "./catalog.ts"
import { ScenarioFile } from "./schema/scenario.ts"

type Node = Readonly<Record<string, unknown>>

/** JSON Schema (draft-07) of scenario files, for editors: completion, hover and validation in YAML. */
export const scenarioJsonSchema = (catalog: Catalog): Node => {
  const { schema, definitions } = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(ScenarioFile))
  const methodNames = new Map([
    ["compressor", [...catalog.compressors.keys()]],
    ["drafter", [...catalog.drafters.keys()]]
  ])
  const { required, properties, ...root } = editorNode(schema, methodNames) as {
    readonly required: readonly string[]
    readonly properties: { readonly model: Node; readonly hardware: Node }
  }
  return {
    $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07,
    title: "vericache scenario",
    ...root,
    properties: {
      ...properties,
      model: withNames(properties.model, [...catalog.models.keys()]),
      hardware: withNames(properties.hardware, [...catalog.hardware.keys()])
    },
    // What a file extends may bring every field but the name.
    required: ["name"],
    anyOf: [{ required: ["extends"] }, { required }],
    ...(Object.keys(definitions).length === 0 ? {} : { definitions })
  }
}

/** Sections a file that extends another may give in part. */
const PARTIAL: ReadonlySet<string> = new Set(["workload", "remote_prefix"])

/** A node as editors need it: closed, because the loader refuses unknown fields; fields in `names` spell out the texts they take. */
export const editorNode = (
  node: unknown,
  names: ReadonlyMap<string, readonly string[]> = new Map()
): unknown => {
  if (Array.isArray(node)) return node.map((one) => editorNode(one, names))
  if (typeof node !== "object" || node === null) return node
  const walked = Object.fromEntries(Object.entries(node).map(([key, one]) => [key, editorNode(one, names)]))
  const { properties } = walked as { readonly properties?: Readonly<Record<string, Node>> }
  if (properties === undefined) return walked
  const fields = Object.entries(properties).map(([key, field]) => {
    const known = names.get(key)
    if (known !== undefined) return [key, withNames(field, known)]
    if (!PARTIAL.has(key)) return [key, field]
    const { required: _, ...partial } = field
    return [key, partial]
  })
  return { ...walked, properties: Object.fromEntries(fields), additionalProperties: false }
}

const withNames = (field: Node, names: readonly string[]): Node => {
  if (field["type"] === "string") return { ...field, enum: names }
  const forms = (field["anyOf"] ?? []) as readonly Node[]
  return {
    ...field,
    anyOf: forms.map((form) => (form["type"] === "string" ? { ...form, enum: names } : form))
  }
}
