import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { readCatalog } from "../../sim/scenarios.fixture.ts"
import { sizeOf } from "./design.ts"
import { sweepJsonSchema } from "./json-schema.ts"
import { loadSweep } from "./load-sweep.ts"

const SWEEPS = join(import.meta.dirname, "..", "..", "..", "scenarios", "sweeps")
const catalog = readCatalog()

describe("scenarios/sweeps", () => {
  it("has the schema that `vericache schema sweep` prints", () => {
    expect(readFileSync(join(SWEEPS, "schema.json"), "utf8")).toBe(
      `${JSON.stringify(sweepJsonSchema(catalog), undefined, 2)}\n`
    )
  })

  it("describes the fields of a sweep and of a scenario in it, and no others", () => {
    const { properties, additionalProperties } = sweepJsonSchema(catalog) as {
      readonly properties: { readonly scenario: { readonly anyOf: readonly unknown[] } }
      readonly additionalProperties: boolean
    }
    expect(additionalProperties).toBe(false)
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(["name", "axes", "sample", "seeds"]))
    expect(properties.scenario.anyOf).toEqual([
      expect.objectContaining({ type: "string" }),
      expect.objectContaining({
        type: "object",
        additionalProperties: false,
        properties: expect.objectContaining({ workload: expect.anything(), hardware: expect.anything() })
      })
    ])
  })

  it.each(readdirSync(SWEEPS).filter((name) => name.endsWith(".yaml")))("%s is sound", (name) => {
    const path = join(SWEEPS, name)
    const { design } = Result.getOrThrow(loadSweep(path, (file) => readFileSync(file), catalog))
    expect(sizeOf(design)).toBeGreaterThan(1)
  })
})

describe("docs/sweeps.md", () => {
  it("shows sweeps that load", () => {
    const guide = readFileSync(join(SWEEPS, "..", "..", "docs", "sweeps.md"), "utf8")
    const [grid = "", sample = ""] = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml!)
    const sizes = [grid, `name: s\nscenario: ../llama-8b-h100-chat.yaml\n${sample}`].map((text) => {
      const path = join(SWEEPS, "guide.yaml")
      const read = (file: string) => (file === path ? new TextEncoder().encode(text) : readFileSync(file))
      return sizeOf(Result.getOrThrow(loadSweep(path, read, catalog)).design)
    })
    expect(sizes).toEqual([5 * 3 * 2 * 3 * 2, 128 * 1])
  })
})
