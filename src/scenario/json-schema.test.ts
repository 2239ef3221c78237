import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import { describe, expect, it } from "vitest"
import { CATALOG, SCENARIOS } from "./catalog.fixture.ts"
import { scenarioJsonSchema } from "./json-schema.ts"

interface Node {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Node
  readonly items?: Node
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Node[]
  readonly allOf?: readonly Node[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly minItems?: number
  readonly description?: string
}

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : value === null ? "null" : typeof value

/** The part of draft-07 that our schema uses. */
const accepts = (node: Node, value: unknown): boolean => {
  const type = node.type === "integer" ? "number" : node.type
  if (type !== undefined && type !== typeOf(value)) return false
  if (node.type === "integer" && !Number.isInteger(value)) return false
  if (node.enum !== undefined && !node.enum.includes(value)) return false
  if (node.anyOf !== undefined && !node.anyOf.some((one) => accepts(one, value))) return false
  if (node.allOf !== undefined && !node.allOf.every((one) => accepts(one, value))) return false
  if (typeof value === "number")
    return (
      value >= (node.minimum ?? -Infinity) &&
      value <= (node.maximum ?? Infinity) &&
      value > (node.exclusiveMinimum ?? -Infinity)
    )
  if (typeof value === "string") return value.length >= (node.minLength ?? 0)
  if (Array.isArray(value))
    return value.length >= (node.minItems ?? 0) && value.every((one) => accepts(node.items ?? {}, one))
  if (typeof value !== "object" || value === null) return true
  return (
    (node.required ?? []).every((key) => key in value) &&
    Object.entries(value).every(([key, one]) => {
      const field = node.properties?.[key]
      return field === undefined ? node.additionalProperties !== false : accepts(field, one)
    })
  )
}

const SCHEMA = scenarioJsonSchema(CATALOG) as Node
const files = readdirSync(SCENARIOS, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".yaml") && !/^(catalog|sweeps|plans|twin\/profiles)\//.test(name)
)
const read = (name: string): unknown => parse(readFileSync(join(SCENARIOS, name), "utf8"))

describe("scenarios/schema.json", () => {
  it("is what `vericache schema` prints; run `npm run schema` after a change", () => {
    expect(readFileSync(join(SCENARIOS, "schema.json"), "utf8")).toBe(
      `${JSON.stringify(scenarioJsonSchema(CATALOG), undefined, 2)}\n`
    )
  })

  it.each(files)("accepts %s", (name) => {
    expect(accepts(SCHEMA, read(name))).toBe(true)
  })

  it("refuses what the loader refuses", () => {
    const demo = read("llama-70b-2xh100-long-context.yaml") as Readonly<Record<string, unknown>>
    expect(accepts(SCHEMA, demo)).toBe(true)
    for (const change of [
      { engine: { block_sise: 16 } },
      { engine: { block_size: 0 } },
      { model: "llama-3.1-9b" },
      { methods: [] },
      { methods: [{ vericache: { compressor: "kvzipp", keep: 0.2 } }] },
      { seed: 1.5 },
      { goodput: { ttft: { percentile: 98, at_most: "1 s" } } },
      { unheard_of: 1 },
      { workload: undefined }
    ])
      expect(
        accepts(SCHEMA, JSON.parse(JSON.stringify({ ...demo, ...change }))),
        JSON.stringify(change)
      ).toBe(false)
  })

  it("names the catalog and describes the fields", () => {
    const { properties } = SCHEMA
    expect(properties?.["hardware"]?.anyOf?.[0]?.enum).toEqual([...CATALOG.hardware.keys()])
    for (const key of ["model", "hardware", "methods", "seed", "goodput", "extends"])
      expect(properties?.[key]?.description, key).toBeDefined()
    for (const [key, field] of Object.entries(properties?.["engine"]?.properties ?? {}))
      expect(field.description, key).toBeDefined()
  })
})
