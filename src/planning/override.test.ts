import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { readFields } from "../scenario/load.ts"
import type { Scenario } from "../scenario/resolved.ts"
import { readCatalog } from "../sim/scenarios.fixture.ts"
import { type Override, parsePath, withOverrides } from "./override.ts"

const catalog = readCatalog()
const ACCEPTANCE = "acceptance: { alpha: 0.95, source: a test, basis: assumed }"
const BASE = `name: tiny
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 6, arrivals: { concurrency: 3 }, input: 2k tokens, output: 32 }
methods:
  - full-kv
  - drafter: eagle-70b
  - name: VeriCache
    vericache: { compressor: kvzip, keep: 0.2, window: 8, ${ACCEPTANCE} }
`
const read = (path: string): Uint8Array | undefined =>
  path === "base.yaml" ? new TextEncoder().encode(BASE) : undefined
const fields = Result.getOrThrow(readFields("base.yaml", read))

const changed = (...overrides: readonly Override[]): Scenario =>
  Result.getOrThrow(withOverrides(fields, overrides, read, catalog))
const refused = (...overrides: readonly Override[]): string => {
  const result = withOverrides(fields, overrides, read, catalog)
  return Result.isFailure(result) ? result.failure.message : "accepted"
}

describe("withOverrides", () => {
  it("changes nothing without overrides, and one field with one", () => {
    const base = changed()
    expect(base.methods.map(({ name }) => name)).toEqual(["full-kv", "drafter", "VeriCache"])
    expect(changed({ field: "seed", value: 7 })).toEqual({ ...base, seed: 7 })
    expect(changed({ field: "engine.max_num_seqs", value: 12 })).toEqual({
      ...base,
      engine: { ...base.engine, maxNumSeqs: 12 }
    })
  })

  it("opens catalog entries, and keeps what else stands in them", () => {
    const base = changed()
    const { hardware } = changed({ field: "hardware.link.host_to_device", value: "38 GB/s" })
    expect(hardware).toEqual({ ...base.hardware, link: { ...base.hardware.link, hostToDevice: 38e9 } })
    const { model } = changed({ field: "model.layers[0].count", value: 16 })
    expect(model.layers[0]).toEqual({ ...base.model.layers[0], count: 16 })
    const drafted = changed({ field: "methods[drafter].drafter.num_speculative_tokens", value: 2 })
    expect(drafted.methods[1]).toMatchObject({
      method: { drafter: { name: "eagle-70b", numSpeculativeTokens: 2 } }
    })
  })

  it("replaces a section before it changes a field in it", () => {
    const { hardware } = changed(
      { field: "hardware.hbm.capacity", value: "90 GB" },
      { field: "hardware", value: "a100-80-sxm" }
    )
    expect([hardware.name, hardware.hbm.capacity]).toEqual(["a100-80-sxm", 90e9])
  })

  it("finds methods by position and by name", () => {
    const byName = changed({ field: "methods[VeriCache].vericache.window", value: 16 })
    expect(byName).toEqual(changed({ field: "methods[2].vericache.window", value: 16 }))
    expect(byName).toEqual(changed({ field: "methods.VeriCache.vericache.window", value: 16 }))
    expect(byName).toEqual(changed({ field: "methods.2.vericache.window", value: 16 }))
    expect(byName.methods[2]).toMatchObject({ method: { window: { kind: "fixed", tokens: 16 } } })
  })

  it("calls an acceptance that was put in assumed, whatever its form was", () => {
    const { methods } = changed({ field: "methods[VeriCache].vericache.acceptance.curve", value: [0.9, 0.8] })
    expect(methods[2]).toMatchObject({
      method: {
        compressor: { acceptance: { kind: "curve", perPosition: [0.9, 0.8], origin: { basis: "assumed" } } }
      }
    })
  })

  it("says where a path ends, and what was meant", () => {
    expect(refused({ field: "methods[Vericache].vericache.window", value: 1 })).toMatch(
      /no item of methods is called Vericache; did you mean VeriCache\?/
    )
    expect(refused({ field: "methods[5].vericache", value: 1 })).toMatch(
      /methods has 3 items, counted from 0/
    )
    expect(refused({ field: "workload.input.uniform.max", value: 1 })).toMatch(
      /workload\.input is "2k tokens": it has no field uniform/
    )
    expect(refused({ field: "engine.max_num_sqs", value: 1 })).toMatch(
      /engine\.max_num_sqs: unknown field; did you mean max_num_seqs\?/
    )
    expect(refused({ field: "methods[2].vericache.keep", value: 1.2 })).toMatch(/keep: .*found 1\.2/)
    expect(refused({ field: "[0]", value: 1 })).toMatch(/is no path/)
  })
})

describe("parsePath", () => {
  it("takes names with spaces and dots in brackets, and nothing odd", () => {
    expect(parsePath("methods[VeriCache + v1.5].vericache.keep")?.map(({ key }) => key)).toEqual([
      "methods",
      "VeriCache + v1.5",
      "vericache",
      "keep"
    ])
    for (const odd of ["", ".", "a.", "a..b", "[0]", "a[", "a[]", "a]b", "a[0]b"])
      expect([odd, parsePath(odd)]).toEqual([odd, undefined])
  })
})
