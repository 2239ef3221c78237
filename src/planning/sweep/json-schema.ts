import { JsonSchema, Schema } from "effect"
import type { Catalog } from "../../scenario/catalog.ts"
import { editorNode, scenarioJsonSchema } from "../../scenario/json-schema.ts"
import { SweepFile } from "./sweep-file.ts"

type Node = Readonly<Record<string, unknown>>

/** JSON Schema (draft-07) of sweep files, for editors; a scenario written in one is completed as in a file of its own. */
export const sweepJsonSchema = (catalog: Catalog): Node => {
  const { schema } = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(SweepFile))
  const { properties, ...root } = editorNode(schema) as {
    readonly properties: Readonly<Record<string, Node>>
  }
  const { type, properties: fields, additionalProperties } = scenarioJsonSchema(catalog)
  const { anyOf: forms, ...scenario } = properties["scenario"] as { readonly anyOf: readonly Node[] }
  return {
    $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07,
    title: "vericache sweep",
    ...root,
    properties: {
      ...properties,
      scenario: {
        ...scenario,
        anyOf: [
          ...forms.filter((form) => form["type"] === "string"),
          { type, properties: fields, additionalProperties }
        ]
      }
    }
  }
}
