import { JsonSchema, Schema } from "effect"
import { ScenarioFile } from "./schema/scenario.ts"

/** JSON Schema (draft-07) of scenario files, for editors: completion, hover and validation in YAML. */
export const scenarioJsonSchema = (): JsonSchema.JsonSchema => {
  const { schema, definitions } = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(ScenarioFile))
  return {
    $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07,
    title: "vericache scenario",
    ...closed(schema),
    ...(Object.keys(definitions).length === 0 ? {} : { definitions })
  }
}

/** The loader refuses unknown fields, so the editor marks them too. */
const closed = (node: unknown): Record<string, unknown> => {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== "object" || value === null) return value
    const entries = Object.entries(value).map(([key, inner]) => [key, walk(inner)] as const)
    const result = Object.fromEntries(entries)
    return "properties" in result ? { ...result, additionalProperties: false } : result
  }
  return walk(node) as Record<string, unknown>
}
