import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { expectedAccepted } from "../acceptance/survival.ts"
import { alphaForSpeedup, hiddenLink, linkForSpeedup, threshold } from "./critical.ts"
import { gpuTime, idealOptimum, type SteadyState, transferTime } from "./steady-state.ts"

const GB = 1e9
const card: SteadyState = {
  weights: 65 * GB,
  kv: 4 * GB,
  keep: 0.2,
  memory: 86.4 * GB,
  hbmBandwidth: 1792 * GB,
  linkBandwidth: 64 * GB,
  accepted: (x) => expectedAccepted(0.977, x),
  reload: "missing",
  concurrency: Number.POSITIVE_INFINITY,
  maxWindow: 200
}
const speedup = (change: Partial<SteadyState>): number => idealOptimum({ ...card, ...change })!.speedup

describe("critical points", () => {
  it("threshold finds where a condition starts to hold", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e12, noNaN: true }), (edge) => {
        const found = threshold(1e-3, 1e12, (value) => value >= edge)!
        expect(found).toBeGreaterThanOrEqual(edge)
        expect(found).toBeLessThanOrEqual(edge * (1 + 1e-5))
      })
    )
    expect(threshold(1, 10, () => false)).toBeUndefined()
    expect(threshold(1, 10, () => true)).toBe(1)
  })

  it("the break-even link is slow enough to lose just below it and fast enough at it", () => {
    const link = linkForSpeedup(card)!
    expect(speedup({ linkBandwidth: link })).toBeGreaterThanOrEqual(1)
    expect(speedup({ linkBandwidth: link * 0.99 })).toBeLessThan(1)
    expect(linkForSpeedup(card, 2)!).toBeGreaterThan(link)
    expect(linkForSpeedup(card, 100)).toBeUndefined()
  })

  it("the break-even acceptance is the least that pays", () => {
    const alpha = alphaForSpeedup(card, 2)!
    expect(speedup({ accepted: (x) => expectedAccepted(alpha, x) })).toBeGreaterThanOrEqual(2)
    expect(speedup({ accepted: (x) => expectedAccepted(alpha * 0.99, x) })).toBeLessThan(2)
  })

  it("the link that hides reloads makes link and HBM time equal", () => {
    const linkBandwidth = hiddenLink(card, 23, 24)
    expect(transferTime({ ...card, linkBandwidth }, 23, 24)).toBeCloseTo(gpuTime(card, 23, 24), 12)
  })
})
