import { describe, expect, it } from "vitest"
import { isScenario, openedTogether } from "./own-files.ts"

const mine = { name: "mine.yaml", text: "hardware: { profile: profiles/my-gpu.yaml }\nextends: base.yaml" }
const gpu = { name: "my-gpu.yaml", text: "name: my-gpu" }
const base = { name: "base.yaml", text: "workload: { trace: arrivals.csv }" }
const arrivals = { name: "arrivals.csv", text: "TIMESTAMP,ContextTokens,GeneratedTokens" }

describe("files opened together", () => {
  it("are the scenario that none of the others names, and its own files, in any order", () => {
    for (const files of [
      [mine, gpu, base, arrivals],
      [arrivals, base, gpu, mine]
    ]) {
      expect(isScenario(files, undefined)).toBe(true)
      const { scenario, own } = openedTogether(files, undefined)
      expect(scenario).toBe(mine)
      expect(own).toHaveLength(3)
    }
  })

  it("belong to the scenario that is shown where it names them all", () => {
    expect(openedTogether([gpu], mine.text)).toEqual({ scenario: undefined, own: [gpu] })
    expect(isScenario([arrivals], base.text)).toBe(true)
    // Another scenario is opened, whatever is shown.
    expect(openedTogether([mine, gpu], mine.text).scenario).toBe(mine)
  })

  it("are no scenario without one", () => {
    expect(isScenario([arrivals], undefined)).toBe(false)
    expect(isScenario([arrivals], mine.text)).toBe(false)
    expect(openedTogether([arrivals], undefined).scenario).toBeUndefined()
  })
})
