import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Acceptance } from "../../scenario/resolved.ts"
import { alphaAt, makeAcceptance } from "./acceptance.ts"

const origin = { basis: "assumed", source: "test" } as const
const rows = [
  { context: 4_000, alpha: 0.84 },
  { context: 100_000, alpha: 0.79 }
]
const models: readonly Acceptance[] = [
  { origin, kind: "iid", alpha: 0.9 },
  { origin, kind: "curve", perPosition: [0.99, 0.9, 0.95, 0.8, 0.85] },
  { origin, kind: "table", rows }
]

const WINDOW = 12
const CONTEXT = 20_000
const ROUNDS = 40_000

/** Accepted lengths of many rounds, spread over requests. */
const draws = (acceptance: Acceptance, seed: number): number[] => {
  const model = makeAcceptance(acceptance, seed)
  return Array.from({ length: ROUNDS }, (_, i) =>
    model.accepted(i % 97, 1 + Math.floor(i / 97), WINDOW, CONTEXT)
  )
}

describe.each(models)("accepted lengths of $kind", (acceptance) => {
  const model = makeAcceptance(acceptance, 7)
  const lengths = draws(acceptance, 7)

  it("are distributed as the survival says (χ² at 0.1 %)", () => {
    // P(length = i) from differences of the exact expectation: E[min(x, L)] − E[min(x − 1, L)] = P(L ≥ x).
    const atLeast = (i: number): number =>
      i === 0 ? 1 : model.expected(i, CONTEXT) - model.expected(i - 1, CONTEXT)
    const counts = Array.from({ length: WINDOW + 1 }, () => 0)
    for (const length of lengths) counts[length]!++
    const chiSquare = counts.reduce((sum, count, i) => {
      const expected = ROUNDS * (i === WINDOW ? atLeast(i) : atLeast(i) - atLeast(i + 1))
      return sum + (count - expected) ** 2 / expected
    }, 0)
    // 99.9 % quantile of χ² with 12 degrees of freedom.
    expect(chiSquare).toBeLessThan(32.91)
  })

  it("average to the exact expectation", () => {
    const mean = lengths.reduce((sum, length) => sum + length, 0) / ROUNDS
    // Four standard errors; a length of 0…12 has a standard deviation of at most 6.
    expect(Math.abs(mean - model.expected(WINDOW, CONTEXT))).toBeLessThan((4 * 6) / Math.sqrt(ROUNDS))
  })

  it("do not depend on the order of the questions", () => {
    const again = makeAcceptance(acceptance, 7)
    for (let i = 999; i >= 0; i--) {
      expect(again.accepted(i % 97, 1 + Math.floor(i / 97), WINDOW, CONTEXT)).toBe(lengths[i])
    }
  })

  it("change with the seed", () => {
    expect(draws(acceptance, 8).slice(0, 200)).not.toEqual(lengths.slice(0, 200))
  })

  it("of consecutive rounds are uncorrelated", () => {
    const mean = lengths.reduce((sum, length) => sum + length, 0) / ROUNDS
    const centred = lengths.map((length) => length - mean)
    const variance = centred.reduce((sum, d) => sum + d * d, 0)
    for (const lag of [1, 97]) {
      const covariance = centred.slice(lag).reduce((sum, d, i) => sum + d * centred[i]!, 0)
      expect(Math.abs(covariance / variance)).toBeLessThan(4 / Math.sqrt(ROUNDS))
    }
  })
})

describe.each(models)("rounds of a request that are alike, of $kind", (acceptance) => {
  const REQUESTS = 20_000
  const model = makeAcceptance({ ...acceptance, requestCorrelation: 0.3 }, 7)
  const [first, second] = [1, 2].map((round) =>
    Array.from({ length: REQUESTS }, (_, request) => model.accepted(request, round, WINDOW, CONTEXT))
  ) as [number[], number[]]
  const meanOf = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length

  it("are drawn as any other round", () => {
    for (const lengths of [first, second])
      expect(Math.abs(meanOf(lengths) - model.expected(WINDOW, CONTEXT))).toBeLessThan(
        (4 * 6) / Math.sqrt(REQUESTS)
      )
  })

  it("correlate as much as is said", () => {
    const [a, b] = [meanOf(first), meanOf(second)]
    const covariance = meanOf(first.map((one, i) => (one - a) * (second[i]! - b)))
    // Lengths are whole and skewed: they correlate a little less than what decides them.
    const correlation = covariance / meanOf(first.map((one) => (one - a) ** 2))
    expect(correlation).toBeGreaterThan(0.2)
    expect(correlation).toBeLessThan(0.33)
  })
})

describe("a recording", () => {
  const accepted = [[3, 0, 12], [5]]
  const model = makeAcceptance({ origin, kind: "recorded", accepted }, 1)

  it("is replayed request by request, round by round, and starts over at its end", () => {
    const replay = (request: number) => [1, 2, 3, 4].map((round) => model.accepted(request, round, 30, 0))
    expect([0, 1, 2].map(replay)).toEqual([
      [3, 0, 12, 3],
      [5, 5, 5, 5],
      [3, 0, 12, 3]
    ])
  })

  it("is cut to what was drafted, in draws and in expectation", () => {
    expect(model.accepted(0, 3, 10, 0)).toBe(10)
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1 }), fc.nat(60), (lengths, drafted) => {
        const mean = lengths.reduce((sum, length) => sum + Math.min(drafted, length), 0) / lengths.length
        const recorded = makeAcceptance({ origin, kind: "recorded", accepted: [lengths] }, 1)
        expect(recorded.expected(drafted, 0)).toBeCloseTo(mean, 9)
      })
    )
  })
})

describe("α by context", () => {
  it("is interpolated between rows and held beyond them", () => {
    expect([1, 4_000, 52_000, 100_000, 1e6].map((context) => alphaAt(rows, context))).toEqual([
      0.84,
      0.84,
      expect.closeTo(0.815, 9),
      0.79,
      0.79
    ])
  })

  it("passes through every row and stays between its neighbours", () => {
    const table = fc
      .uniqueArray(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 9 })
      .chain((contexts) =>
        fc
          .array(fc.double({ min: 0, max: 1, noNaN: true }), {
            minLength: contexts.length,
            maxLength: contexts.length
          })
          .map((alphas) =>
            contexts.toSorted((a, b) => a - b).map((context, i) => ({ context, alpha: alphas[i]! }))
          )
      )
    fc.assert(
      fc.property(table, fc.integer({ min: 0, max: 1e6 }), (table, context) => {
        for (const row of table) expect(alphaAt(table, row.context)).toBeCloseTo(row.alpha, 12)
        const below = table.findLast((row) => row.context <= context) ?? table[0]!
        const above = table.find((row) => row.context >= context) ?? table.at(-1)!
        const alpha = alphaAt(table, context)
        expect(alpha).toBeGreaterThanOrEqual(Math.min(below.alpha, above.alpha) - 1e-12)
        expect(alpha).toBeLessThanOrEqual(Math.max(below.alpha, above.alpha) + 1e-12)
      })
    )
  })
})
