import { Effect, Result } from "effect"
import { describe, expect, it } from "vitest"
import type { ScenarioInvalid } from "../scenario/document.ts"
import { readCatalog } from "../sim/scenarios.fixture.ts"
import { type BaseScenario, evaluate, type PointOptions, type PointRequest, PointRunner } from "./points.ts"

const catalog = readCatalog()
const nothing = (): undefined => undefined
const TINY: BaseScenario = {
  file: "tiny.yaml",
  text: `name: tiny
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 6, arrivals: { concurrency: 3 }, input: 2k tokens, output: 32 }
methods: [full-kv, offloaded]
`
}

const outcomes = (base: BaseScenario, points: readonly PointRequest[], options?: PointOptions) =>
  Effect.runPromise(
    evaluate(base, points, options).pipe(
      Effect.provide(PointRunner.inProcess(nothing, catalog)),
      Effect.result
    )
  )

describe("points in process", () => {
  it("come to the same again, in their order, whatever stands beside them", async () => {
    const points: readonly PointRequest[] = [
      { overrides: [], method: "offloaded" },
      { overrides: [{ field: "hardware.link.host_to_device", value: "10 GB/s" }], method: 1 },
      { overrides: [], method: 0, seed: 5 }
    ]
    const all = Result.getOrThrow(await outcomes(TINY, points, { digest: true, theory: true }))
    const backwards = Result.getOrThrow(
      await outcomes(TINY, points.toReversed(), { digest: true, theory: true })
    )
    expect(backwards.toReversed()).toEqual(all)
    expect(all.map(({ kind }) => kind)).toEqual(["simulated", "simulated", "simulated"])
    const rates = all.map((one) => (one.kind === "simulated" ? one.metrics.throughput.tokensPerSecond : 0))
    expect(rates[1]).toBeLessThan(rates[0]!)
  })

  it("say when they go beyond measured kernel times, and that a software adapter's are no GPU's", async () => {
    const tables = {
      source: "made up",
      basis: "measured",
      lm_head: { sequences: [1, 2], seconds: [1e-3, 1.1e-3] }
    }
    const all = Result.getOrThrow(
      await outcomes(TINY, [
        { overrides: [], method: 0 },
        { overrides: [{ field: "hardware.tables", value: tables }], method: 0 },
        {
          overrides: [{ field: "hardware.adapter", value: { name: "SwiftShader", kind: "software" } }],
          method: 0
        }
      ])
    )
    expect(all.map((one) => (one.kind === "simulated" ? one.caveats : one))).toEqual([
      [],
      ["extrapolated beyond measured kernel times: the output head"],
      ["software adapter: no evidence of GPU speed"]
    ])
  })

  it("do not stop at points that make no sense or do not fit", async () => {
    const all = Result.getOrThrow(
      await outcomes(TINY, [
        { overrides: [{ field: "engine.max_num_seqs", value: -1 }], method: 0 },
        { overrides: [{ field: "hardware.hbm.capacity", value: "12 GB" }], method: 0 },
        { overrides: [], method: "vericache" },
        { overrides: [], method: 0 }
      ])
    )
    expect(all.map(({ kind }) => kind)).toEqual(["invalid", "infeasible", "invalid", "simulated"])
    expect(all[0]).toMatchObject({ reason: expect.stringMatching(/^engine\.max_num_seqs: .*found -1$/) })
    expect(all[1]).toMatchObject({ available: expect.any(Number), reason: expect.stringContaining("short") })
    expect(all[2]).toMatchObject({ reason: "no method vericache; the scenario has full-kv, offloaded" })
  })

  it("fail together where the base cannot be read", async () => {
    const result = await outcomes({ file: "none.yaml" }, [{ overrides: [], method: 0 }])
    expect(Result.isFailure(result) && (result.failure satisfies ScenarioInvalid).message).toMatch(
      /^none\.yaml:1:1: cannot be read/
    )
  })
})
