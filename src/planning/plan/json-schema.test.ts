import { Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { readCatalog } from "../../sim/scenarios.fixture.ts"
import { planJsonSchema } from "./json-schema.ts"
import { loadPlan } from "./load-plan.ts"
import { PLAN_KEYS } from "./plan-file.ts"

const PLANS = join(import.meta.dirname, "..", "..", "..", "scenarios", "plans")

describe("the JSON Schema of plans", () => {
  it("is the file that plans name; npm run schema writes it", () => {
    expect(readFileSync(join(PLANS, "schema.json"), "utf8")).toBe(
      `${JSON.stringify(planJsonSchema(readCatalog()), undefined, 2)}\n`
    )
  })

  const schema = planJsonSchema(readCatalog())

  it("has what a plan adds to a scenario, and the scenario's fields", () => {
    const fields = Object.keys(schema["properties"] as object)
    expect(fields).toEqual(expect.arrayContaining([...PLAN_KEYS, "model", "workload", "goodput"]))
  })

  it("asks for no hardware and no methods: those are what is chosen", () => {
    const required = (schema["required"] ?? []) as readonly string[]
    expect(required).not.toContain("hardware")
    expect(required).not.toContain("methods")
  })

  for (const name of readdirSync(PLANS).filter((file) => file.endsWith(".yaml")))
    it(`${name} can be planned`, () => {
      const plan = Result.getOrThrow(loadPlan(join(PLANS, name), readFileSync, readCatalog()))
      expect(plan.candidates.length).toBeGreaterThan(0)
      expect(plan.prices?.sample ?? true).toBe(true)
    })
})
