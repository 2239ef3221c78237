import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { fieldHelp } from "./field-help.ts"
import { ScenarioFile } from "./schema/scenario.ts"

describe("field help", () => {
  const rows = fieldHelp(Schema.toJsonSchemaDocument(ScenarioFile).schema)
  const of = (field: string) => rows.find((row) => row.field === field)

  it("lists every field once, with what it takes and what it means", () => {
    expect(new Set(rows.map(({ field }) => field)).size).toBe(rows.length)
    expect(of("name")).toEqual({
      field: "name",
      required: true,
      takes: "text",
      description: "Name in the results."
    })
    expect(of("workload.context")!.takes).toBe("prefill | host | store")
    expect(of("engine.max_num_seqs")).toMatchObject({ required: false, takes: "integer" })
    expect(of("methods[].vericache.schedule")!.takes).toBe("staggered | lock-step")
  })

  it("says something of every field that takes a value", () => {
    const silent = rows.filter(
      ({ takes, description }) => takes !== "fields" && takes !== "list" && description === ""
    )
    expect(silent.map(({ field }) => field)).toEqual([])
  })
})
