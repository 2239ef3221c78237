import { describe, expect, it } from "vitest"
import { hiddenShare } from "./overlap.ts"

const timing = (seconds: number, spread: number) => ({ seconds, spread, repetitions: 9, all: [] })

describe("the share of a copy that hides behind passes", () => {
  it("is all of it where both take no longer than the longer, and none where they add up", () => {
    expect(hiddenShare(timing(1, 0), timing(0.5, 0), timing(1, 0))).toBe(1)
    expect(hiddenShare(timing(1, 0), timing(0.5, 0), timing(1.5, 0))).toBe(0)
    expect(hiddenShare(timing(1, 0), timing(0.5, 0), timing(1.25, 0))).toBe(0.5)
  })

  it("is not told where noise drowns it", () => {
    expect(hiddenShare(timing(0.3, 0.05), timing(0.0015, 0.1), timing(0.3, 0.05))).toBeUndefined()
    expect(hiddenShare(timing(1, 0.05), timing(1, 0.05), timing(1.2, 0.05))).toBeCloseTo(0.8, 5)
  })
})
