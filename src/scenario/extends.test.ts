/** Scenarios that extend another: what they inherit, and where faults are told. */
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { CATALOG, faultsOf, GOOD, scenarioOf, told } from "./catalog.fixture.ts"
import { loadScenario } from "./load.ts"

describe("a scenario that extends another", () => {
  const child = "extends: ../base.yaml\nname: child\n"

  it("takes all it does not say itself", () => {
    const text = `${child}engine: { block_size: 32 }\nworkload: { arrivals: { rate: 2 } }\n`
    const scenario = scenarioOf({ "a/s.yaml": text, "base.yaml": GOOD }, "a/s.yaml")
    const base = scenarioOf({ "s.yaml": GOOD })
    expect(scenario).toEqual({
      ...base,
      name: "child",
      engine: { ...base.engine, blockSize: 32 },
      workload: { ...base.workload, arrivals: { kind: "poisson", rate: 2 } }
    })
  })

  it("reports inherited faults where they stand, and its own where they do", () => {
    const files = {
      "a/s.yaml": `${child}workload: { timeout: soon }\n`,
      "base.yaml": GOOD.replace("requests: 20", "requests: many").replace("  output: 64\n", "  uotput: 64\n")
    }
    expect(told(faultsOf(files, "a/s.yaml"))).toEqual([
      'base.yaml:6:3 workload.requests: expected number, found "many"',
      "base.yaml:9:3 workload.uotput: unknown field; did you mean output?",
      'a/s.yaml:3:13 workload.timeout: expected seconds ≥ 0 such as "10 us", found "soon"'
    ])
  })

  it("finds files from the folder of the file that names them", () => {
    const trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n"
    const base = GOOD.replace(
      /requests: 20\n[\s\S]*output: 64\n/,
      "trace: { file: traces/t.csv, format: azure-csv, source: test }\n"
    )
    const files = {
      "a/s.yaml": "extends: ../b/base.yaml\nname: child\n",
      "b/base.yaml": base,
      "b/traces/t.csv": trace
    }
    expect(scenarioOf(files, "a/s.yaml").workload.kind).toBe("trace")
  })

  it("does not come back to itself", () => {
    const files = { "a.yaml": "extends: b.yaml\nname: a\n", "b.yaml": "name: b\nextends: ./a.yaml\n" }
    expect(told(faultsOf(files, "a.yaml"))).toEqual([
      "b.yaml:2:1 extends: extends itself: a.yaml → b.yaml → a.yaml"
    ])
    expect(told(faultsOf({ "s.yaml": "extends: s.yaml\n" }))).toEqual([
      "s.yaml:1:1 extends: extends itself: s.yaml → s.yaml"
    ])
  })

  it("does not go on for ever", () => {
    const linked = loadScenario(
      "s.yaml",
      () => new TextEncoder().encode("extends: loop/s.yaml\nname: s\n"),
      CATALOG
    )
    if (Result.isSuccess(linked)) throw new Error("expected faults")
    expect(linked.failure.faults.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      "extends: more than 50 files extend one another"
    ])
  })

  it("says that the other is not there, or broken", () => {
    expect(told(faultsOf({ "a/s.yaml": child }, "a/s.yaml"))).toEqual([
      "a/s.yaml:1:1 extends: base.yaml cannot be read"
    ])
    expect(told(faultsOf({ "a/s.yaml": child, "base.yaml": "x: [" }, "a/s.yaml"))[0]).toMatch(
      /^base\.yaml:1:/
    )
    expect(told(faultsOf({ "s.yaml": "extends: 7\nname: a\n" }))[0]).toBe(
      "s.yaml:1:1 extends: expected string, found 7"
    )
  })
})
