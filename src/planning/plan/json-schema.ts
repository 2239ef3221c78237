import { JsonSchema, Schema } from "effect"
import type { Catalog } from "../../scenario/catalog.ts"
import { editorNode, scenarioJsonSchema } from "../../scenario/json-schema.ts"
import { PlanPart } from "./plan-file.ts"

type Node = Readonly<Record<string, unknown>>

/** What a plan chooses, and so need not say. */
const CHOSEN: ReadonlySet<string> = new Set(["hardware", "methods"])

/** JSON Schema (draft-07) of plan files, for editors: a scenario with what may be chosen. */
export const planJsonSchema = (catalog: Catalog): Node => {
  const { schema } = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(PlanPart))
  const { properties: own } = editorNode(schema) as { readonly properties: Readonly<Record<string, Node>> }
  const { properties, required, ...scenario } = scenarioJsonSchema(catalog) as Node & {
    readonly properties: Readonly<Record<string, Node>>
    readonly required?: readonly string[]
  }
  return {
    ...scenario,
    title: "vericache plan",
    ...(required === undefined ? {} : { required: required.filter((field) => !CHOSEN.has(field)) }),
    properties: { ...properties, ...own }
  }
}
