import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Method, NamedMethod } from "../scenario/resolved.ts"
import { scenarioAt } from "../sim/validation/runs.fixture.ts"
import { againstBaseline, orderOf, type Rated, windowsOf } from "./together.ts"

const { methods } = scenarioAt("llama-70b-2xh100-long-context")
const vericache = methods.find(({ method }) => method.kind === "vericache")!.method

const rate = (tokensPerSecond: number) => ({ tokensPerSecond })

const rated = (name: string, predicted: number, runs: readonly number[], window?: number): Rated => {
  const method = (
    window === undefined ? { kind: "full-kv" } : { ...vericache, window: { kind: "fixed", tokens: window } }
  ) as Method
  const middle = runs.toSorted((a, b) => a - b)[(runs.length - 1) >> 1]!
  return {
    named: { name, method } satisfies NamedMethod,
    predicted: rate(predicted),
    measured: rate(middle),
    repetitions: runs.map(rate)
  }
}

describe("methods beside each other", () => {
  it("are compared repetition by repetition: what slows all of one repetition down changes nothing", () => {
    const paces = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(paces, (some) => {
        const [full, ours] = [some.map((pace) => 50 * pace), some.map((pace) => 30 * pace)]
        const [against] = againstBaseline([rated("full", 60, full), rated("ours", 30, ours, 4)], "full")
        expect(against!.predicted).toBeCloseTo(0.5, 12)
        for (const one of [against!.low, against!.measured, against!.high]) expect(one).toBeCloseTo(0.6, 9)
      })
    )
  })

  it("are in the predicted order, in another, or not told by repetitions that do not agree", () => {
    const a = rated("a", 30, [30, 31])
    const b = rated("b", 20, [40, 41])
    const c = rated("c", 10, [30.5, 30.5])
    expect(orderOf([a, b, c])).toEqual({
      asPredicted: 1,
      otherwise: [{ faster: "b", slower: "a" }],
      notTold: 1
    })
  })
})

describe("the best window", () => {
  it("has those beside it that are as good, by prediction and by pairs of measured runs", () => {
    const windows = [
      rated("1", 30, [20, 40], 1),
      rated("4", 40, [24, 44], 4),
      rated("8", 39, [23.5, 43], 8),
      rated("16", 30, [10, 20], 16)
    ]
    expect(windowsOf([rated("full", 99, [99, 99]), ...windows])).toEqual({
      predicted: { best: 4, flat: [4, 8] },
      measured: { best: 4, flat: [4, 8] }
    })
    // 1 was once ahead of 4 and once behind it: which is better is not told.
    const crossing = [rated("1", 30, [25, 40], 1), ...windows.slice(1)]
    expect(windowsOf(crossing)!.measured.flat).toEqual([1, 4, 8])
  })

  it("is none where there is one window, or none", () => {
    expect(windowsOf([rated("full", 1, [1]), rated("4", 1, [1], 4)])).toBeUndefined()
  })
})
