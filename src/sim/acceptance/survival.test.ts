import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { acceptedAt, expectedAccepted, SurvivalCurve } from "./survival.ts"

const probability = fc.double({ min: 0, max: 1, noNaN: true })
const uniform = fc.double({ min: 1e-12, max: 1, maxExcluded: true, noNaN: true })

describe("i.i.d. agreement", () => {
  it("gives the lengths of a divergence of 0.023 nats per step", () => {
    const alpha = Math.exp(-0.023)
    const lengths = [25, 30, 40, 50].map((x) => expectedAccepted(alpha, x))
    for (const [i, length] of [18.8, 21.4, 25.9, 29.4].entries())
      expect(lengths[i]! / length).toBeCloseTo(1, 2)
  })

  it("accepts everything at α = 1 and nothing at α = 0", () => {
    expect([acceptedAt(1, 30, 0.5), acceptedAt(0, 30, 0.5)]).toEqual([30, 0])
    expect([expectedAccepted(1, 30), expectedAccepted(0, 30)]).toEqual([30, 0])
  })

  it("accepts i tokens exactly when α^(i+1) ≤ u < α^i", () => {
    expect(acceptedAt(0.5, 9, 0.51)).toBe(0)
    expect(acceptedAt(0.5, 9, 0.26)).toBe(1)
    expect(acceptedAt(0.5, 9, 0.24)).toBe(2)
    expect(acceptedAt(0.5, 3, 1e-9)).toBe(3)
  })
})

describe("SurvivalCurve", () => {
  it("finds the length a linear scan of the survival finds", () => {
    fc.assert(
      fc.property(
        fc.array(probability, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 12 }),
        uniform,
        (agreements, window, u) => {
          let [length, survival] = [0, 1]
          while (length < Math.min(window, agreements.length)) {
            survival *= agreements[length]!
            if (u >= survival) break
            length++
          }
          fc.pre(window <= agreements.length)
          expect(new SurvivalCurve(agreements).accepted(window, u)).toBe(length)
        }
      )
    )
  })

  it("goes on beyond its end with its last value, as an i.i.d. one does", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        uniform,
        (alpha, window, u) => {
          const curve = new SurvivalCurve([alpha, alpha])
          expect(curve.expected(window)).toBeCloseTo(expectedAccepted(alpha, window), 9)
          // At the boundary α^i = u either neighbour is right: rounding decides.
          expect(Math.abs(curve.accepted(window, u) - acceptedAt(alpha, window, u))).toBeLessThanOrEqual(
            Math.abs(Math.log(u) / Math.log(alpha) - Math.round(Math.log(u) / Math.log(alpha))) < 1e-9 ? 1 : 0
          )
        }
      )
    )
  })

  it("never accepts more than was drafted, nor more for a larger u", () => {
    fc.assert(
      fc.property(
        fc.array(probability, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 80 }),
        uniform,
        uniform,
        (agreements, window, u, v) => {
          const curve = new SurvivalCurve(agreements)
          const [few, many] = [curve.accepted(window, Math.max(u, v)), curve.accepted(window, Math.min(u, v))]
          expect(few).toBeLessThanOrEqual(many)
          expect(few).toBeGreaterThanOrEqual(0)
          expect(many).toBeLessThanOrEqual(window)
        }
      )
    )
  })
})
