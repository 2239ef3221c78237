import { describe, expect, it } from "vitest"
import type { Method, NamedMethod, Scenario } from "../scenario/resolved.ts"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { pricedPasses, residual } from "./residuals.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 4)
const streaming = demo.methods
  .filter(({ method }) => method.kind === "vericache")
  .map(({ method }): NamedMethod => ({
    name: "streamed verifies",
    method: { ...method, granularity: "streaming" } as Method
  }))[0]!

/** How far the prices of a simulated run's passes are from the times the simulator gave them. */
const off = (scenario: Scenario, named: NamedMethod) => {
  const { trace } = ran(scenario, named)
  const passes = pricedPasses(scenario, named.method, trace)
  return residual(
    named.name,
    passes.map(({ predicted, measured }) => predicted / measured)
  )!
}

describe("the price of a recorded pass", () => {
  it.each([...demo.methods, streaming])(
    "is what the simulator takes for it, streams that it waits for included: $name",
    (named) => {
      const { medianError, p90Error } = off(demo, named)
      expect(medianError).toBeLessThan(1e-3)
      expect(p90Error).toBeLessThan(1e-3)
    }
  )

  it("is so on a device with one queue, but for copies that wait piece by piece", () => {
    const oneQueue = { submission: 1e-3, steps: 64, chunk: 4e6 }
    const queued = { ...demo, hardware: { ...demo.hardware, oneQueue } }
    const exact = queued.methods.filter(
      ({ method }) => method.kind === "full-kv" || method.kind === "offloaded"
    )
    expect(exact.length).toBe(2)
    for (const named of exact) expect(off(queued, named).medianError).toBeLessThan(1e-3)
    expect(off(queued, streaming).medianError).toBeLessThan(0.05)
  })
})
