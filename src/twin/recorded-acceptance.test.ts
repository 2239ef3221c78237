import { describe, expect, it } from "vitest"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import type { NamedMethod } from "../scenario/resolved.ts"
import { recordedAcceptance } from "./recorded-acceptance.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 24)
const vericache = demo.methods.find(({ method }) => method.kind === "vericache")!

const withCurve = (perPosition: readonly number[], requestCorrelation = 0): NamedMethod => {
  const { method } = vericache
  if (method.kind !== "vericache") throw new Error("the demo has VeriCache")
  const origin = { basis: "assumed", source: "made up for a test" } as const
  const compressor = {
    ...method.compressor,
    acceptance: { kind: "curve", perPosition, requestCorrelation, origin } as const
  }
  return { ...vericache, method: { ...method, compressor, window: { kind: "fixed", tokens: 4 } } }
}

describe("the acceptance of recorded rounds", () => {
  it("is the curve they were drawn from", () => {
    const curve = [0.9, 0.6, 0.95]
    const { trace } = ran(demo, withCurve(curve))
    const found = recordedAcceptance([trace])!
    expect(found.rounds).toBeGreaterThan(100)
    for (const [i, agrees] of curve.entries()) expect(found.curve[i]!).toBeCloseTo(agrees, 1)
  })

  it.each([0, 0.5])("says how alike rounds of a request are: %d", (requestCorrelation) => {
    const many = shortened(scenarioAt("llama-70b-2xh100-long-context"), 150)
    const { trace } = ran(many, withCurve([0.8, 0.6, 0.95], requestCorrelation))
    const found = recordedAcceptance([trace])!
    // Places among few lengths tell a little less than what decides them.
    expect(Math.abs(found.requestCorrelation! - requestCorrelation)).toBeLessThan(0.15)
    // The curve is that of all rounds whatever they share.
    expect(Math.abs(found.curve[0]! - 0.8)).toBeLessThan(0.1)
  })

  it("does not take the end of a window for a token that disagreed", () => {
    const { trace } = ran(demo, withCurve([1]))
    expect(recordedAcceptance([trace])!.curve.every((agrees) => agrees === 1)).toBe(true)
  })

  it("is unknown without rounds", () => {
    const { trace } = ran(
      demo,
      demo.methods.find(({ method }) => method.kind === "full-kv")!
    )
    expect(recordedAcceptance([trace])).toBeUndefined()
  })
})
