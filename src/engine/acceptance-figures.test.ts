import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { acceptanceFigures, curveOf, pairedDifference, wilson } from "./acceptance-figures.ts"

const WINDOW = 6
const rounds = fc.array(fc.record({ prompt: fc.nat(4), accepted: fc.nat(WINDOW) }), {
  minLength: 1,
  maxLength: 60
})

describe("figures of rounds", () => {
  it("count every round once by its length, and every position by those that reached it", () => {
    const { lengths, positions, meanLength, drafted } = acceptanceFigures(
      [0, 2, 2, 3].map((accepted, prompt) => ({ prompt, accepted })),
      3
    )
    expect(lengths).toEqual([1, 0, 2, 1])
    expect(positions.map(({ reached, agreed }) => [reached, agreed])).toEqual([
      [4, 3],
      [3, 3],
      [3, 1]
    ])
    expect([meanLength, drafted]).toEqual([7 / 4, 12])
  })

  it("give a curve whose survival has the mean accepted length", () => {
    fc.assert(
      fc.property(rounds, (given) => {
        const figures = acceptanceFigures(given, WINDOW)
        let [survival, mean] = [1, 0]
        for (const agreement of curveOf(figures)) {
          survival *= agreement
          mean += survival
        }
        expect(mean).toBeCloseTo(figures.meanLength, 9)
      })
    )
  })

  it("bound the mean by what single prompts have, and each share by an interval around it", () => {
    fc.assert(
      fc.property(rounds, (given) => {
        const figures = acceptanceFigures(given, WINDOW)
        const means = [...Map.groupBy(given, ({ prompt }) => prompt).values()].map(
          (own) => own.reduce((sum, { accepted }) => sum + accepted, 0) / own.length
        )
        const interval = figures.meanLengthInterval
        if (means.length < 2) expect(interval).toBeUndefined()
        else {
          expect(interval!.low).toBeGreaterThanOrEqual(Math.min(...means) - 1e-9)
          expect(interval!.high).toBeLessThanOrEqual(Math.max(...means) + 1e-9)
          expect(interval!.low).toBeLessThanOrEqual(interval!.high)
        }
        for (const { agreed, reached, interval: around } of figures.positions) {
          expect(around.low).toBeLessThanOrEqual(agreed / reached)
          expect(around.high).toBeGreaterThanOrEqual(agreed / reached)
        }
      })
    )
  })

  it("are the same whatever the order of the rounds within a prompt", () => {
    const given = [3, 1, 4, 1, 5, 2].map((accepted, i) => ({ prompt: i % 2, accepted }))
    const swapped = [given[2]!, given[1]!, given[0]!, ...given.slice(3)]
    expect(acceptanceFigures(swapped, WINDOW)).toEqual(acceptanceFigures(given, WINDOW))
  })

  it("say nothing of no rounds", () => {
    expect(acceptanceFigures([], 2)).toEqual({
      rounds: 0,
      drafted: 0,
      accepted: 0,
      meanLength: 0,
      meanLengthInterval: undefined,
      lengths: [0, 0, 0],
      positions: [],
      perPrompt: []
    })
  })
})

describe("a paired difference", () => {
  const figures = (lengths: readonly number[]) =>
    acceptanceFigures(
      lengths.map((accepted, prompt) => ({ prompt, accepted })),
      WINDOW
    )

  it("is certain where every prompt differs alike, though prompts differ widely", () => {
    const [one, other] = [figures([5, 1, 4, 2]), figures([4, 0, 3, 1])]
    expect(pairedDifference(one, other)).toEqual({ prompts: 4, meanLength: 1, interval: { low: 1, high: 1 } })
    expect(one.meanLengthInterval!.low).toBeLessThan(other.meanLengthInterval!.high)
  })

  it("is that of the means, turns its sign with its sides, and is none of a cell with itself", () => {
    fc.assert(
      fc.property(rounds, rounds, (some, others) => {
        const [one, other] = [acceptanceFigures(some, WINDOW), acceptanceFigures(others, WINDOW)]
        const there = pairedDifference(one, other)
        const back = pairedDifference(other, one)
        expect(there.meanLength).toBeCloseTo(-back.meanLength, 9)
        expect(there.prompts).toBe(back.prompts)
        if (there.prompts === one.perPrompt.length && there.prompts === other.perPrompt.length)
          expect(there.meanLength).toBeCloseTo(one.meanLength - other.meanLength, 9)
        const self = pairedDifference(one, one)
        expect(self.meanLength).toBe(0)
        if (self.interval !== undefined) expect(self.interval).toEqual({ low: 0, high: 0 })
      }),
      { numRuns: 30 }
    )
  })

  it("counts only prompts that both cells have", () => {
    const one = acceptanceFigures(
      [
        { prompt: 0, accepted: 3 },
        { prompt: 2, accepted: 6 }
      ],
      WINDOW
    )
    expect(pairedDifference(one, figures([1]))).toEqual({ prompts: 1, meanLength: 2, interval: undefined })
    expect(pairedDifference(one, figures([])).meanLength).toBe(0)
  })
})

it("Wilson's interval is the published one", () => {
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20 (method 3).
  const rounded = (hits: number, of: number): readonly number[] => {
    const { low, high } = wilson(hits, of)
    return [low, high].map((bound) => Number(bound.toFixed(4)))
  }
  expect(rounded(81, 263)).toEqual([0.2553, 0.3662])
  expect(rounded(15, 148)).toEqual([0.0624, 0.1605])
  expect(rounded(0, 20)).toEqual([0, 0.1611])
  expect(wilson(7, 7).high).toBe(1)
})
