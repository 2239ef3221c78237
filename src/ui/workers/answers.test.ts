import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import { simulate } from "../../sim/simulate.ts"
import { loadScenario } from "../../scenario/load.ts"
import { Result } from "effect"
import { answer, load } from "./answers.ts"
import { CATALOG, reading } from "./library.ts"
import type { Response } from "./protocol.ts"

const file = "llama-70b-2xh100-long-context.yaml"

describe("the simulation worker", () => {
  it("says of a changed scenario what the command line says of the file that is saved", async () => {
    const source = {
      file,
      text: undefined,
      changes: [
        { field: "hardware.link.host_to_device", value: "64 GB/s" },
        { field: "workload.requests", value: 30 }
      ]
    }
    const told: Response[] = []
    await answer(
      { kind: "simulate", source },
      {
        tell: (response) => told.push(response),
        pause: () => Promise.resolve(),
        signal: new AbortController().signal
      }
    )
    const saved = load(source).text
    expect(saved).toContain("# always sixteen clients")
    const scenario = Result.getOrThrow(loadScenario(file, reading(file, saved), CATALOG))
    expect(scenario.hardware.link.hostToDevice).toBe(64e9)
    for (const [index, named] of scenario.methods.entries()) {
      const last = told.findLast((one) => one.kind === "method" && one.index === index)
      const exit = simulate(scenario, named)
      expect(last).toMatchObject({
        outcome: { metrics: Exit.isSuccess(exit) ? exit.value.metrics : undefined }
      })
    }
    expect(told.at(-1)).toEqual({ kind: "done" })
  })

  it("tells the faults of a text that makes no sense, with their places", async () => {
    const told: Response[] = []
    await answer(
      { kind: "simulate", source: { file: "mine.yaml", text: "model: llama-3.1-7b\n", changes: [] } },
      {
        tell: (response) => told.push(response),
        pause: () => Promise.resolve(),
        signal: new AbortController().signal
      }
    )
    const faults = told[0]?.kind === "faults" ? told[0].faults : []
    expect(faults).toContainEqual(expect.objectContaining({ line: 1, field: "model" }))
    expect(told.at(-1)).toEqual({ kind: "done" })
  })

  it("tells nothing more once it is cancelled", async () => {
    const told: Response[] = []
    const abort = new AbortController()
    await answer(
      { kind: "simulate", source: { file, text: undefined, changes: [] } },
      {
        tell: (response) => {
          told.push(response)
          abort.abort()
        },
        pause: () => Promise.resolve(),
        signal: abort.signal
      }
    )
    expect(told.map(({ kind }) => kind)).toEqual(["scenario"])
  })
})
