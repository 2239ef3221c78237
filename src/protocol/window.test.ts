import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bestWindow, estimateAlpha, expectedCommitted, observeRound, priorHistory } from "./window.ts"

describe("adaptive windows", () => {
  const alpha = fc.double({ min: 0.05, max: 0.999, noNaN: true })
  const cost = fc.double({ min: 0.1, max: 50, noNaN: true })

  it("are the best of all windows allowed", () => {
    fc.assert(
      fc.property(
        alpha,
        cost,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 80 }),
        (a, c, min, more) => {
          const best = bestWindow(a, c, min, min + more)
          expect(best).toBeGreaterThanOrEqual(min)
          expect(best).toBeLessThanOrEqual(min + more)
          const rate = (x: number): number => expectedCommitted(a, x) / (x + c)
          for (let x = min; x <= min + more; x++)
            expect(rate(best)).toBeGreaterThanOrEqual(rate(x) * (1 - 1e-9))
        }
      )
    )
  })

  it("follow a request's own acceptance", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        (truth, seed) => {
          let history = priorHistory(0.8, 50)
          let state = seed
          for (let round = 0; round < 400; round++) {
            state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
            const u = (state + 0.5) / 2 ** 32
            const accepted = Math.min(20, Math.floor(Math.log(u) / Math.log(truth)))
            history = observeRound(history, 20, accepted)
          }
          expect(Math.abs(estimateAlpha(history) - truth)).toBeLessThan(0.08)
        }
      )
    )
  })

  it("start from the acceptance they are given", () => {
    expect(estimateAlpha(priorHistory(0.977, 50))).toBeCloseTo(0.977, 6)
  })
})
