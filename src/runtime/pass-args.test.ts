import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { limitArgs } from "./pass-args.ts"
import type { IterationResult, TimeByLimit } from "./ports.ts"

const result = (limits: TimeByLimit, priced: boolean): IterationResult => ({
  steps: 1,
  seconds: limits.hbm + limits.compute + limits.interconnect + limits.scheduling,
  verified: [],
  hbmBytes: 1,
  limits,
  ...(priced ? { priced: true } : {})
})

const part = fc.double({ min: 0, max: 1, noNaN: true })
const parts = fc.record({
  hbm: fc.double({ min: 0.01, max: 1, noNaN: true }),
  compute: part,
  interconnect: part,
  scheduling: part
})

describe("what a trace says bounded a pass", () => {
  it("sums to all of it, each share right to a ten-thousandth, HBM taking what rounding leaves", () => {
    fc.assert(
      fc.property(parts, (limits) => {
        const { seconds } = result(limits, true)
        const args = limitArgs(result(limits, true), seconds)
        const { limitHbm = 0, limitCompute = 0, limitInterconnect = 0, limitScheduling = 0 } = args
        expect(limitHbm + limitCompute + limitInterconnect + limitScheduling).toBeCloseTo(1, 9)
        expect(Math.abs(limitHbm - limits.hbm / seconds)).toBeLessThanOrEqual(2e-4)
        expect(Math.abs(limitCompute - limits.compute / seconds)).toBeLessThanOrEqual(5.1e-5)
        expect(Math.abs(limitScheduling - limits.scheduling / seconds)).toBeLessThanOrEqual(5.1e-5)
      })
    )
  })

  it("leaves what a pass waited for a stream", () => {
    const limits = { hbm: 0.3, compute: 0.1, interconnect: 0, scheduling: 0.1 }
    expect(limitArgs(result(limits, true), 1)).toEqual({
      limitHbm: expect.closeTo(0.3, 12),
      limitCompute: 0.1,
      limitInterconnect: 0,
      limitScheduling: 0.1
    })
  })

  it("is nothing where a physics guesses, and of a pass that is drawn without time", () => {
    const limits = { hbm: 0.3, compute: 0.7, interconnect: 0, scheduling: 0 }
    expect(limitArgs(result(limits, false), 1)).toEqual({})
    expect(limitArgs(result(limits, true), 0)).toEqual({})
  })
})
