import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { atMiddlePace } from "./pace.ts"

describe("errors at the middle pace", () => {
  const alike = ["full KV", "full KV", "full KV", "window 4"]
  const runs = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
  const errors = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  const pace = fc.double({ min: -0.5, max: 0.5, noNaN: true })

  it("forget how fast each repetition was, and keep what a model gets wrong of all of them", () => {
    fc.assert(
      fc.property(errors, pace, pace, (own, slower, faster) => {
        const [low, high] = [-Math.abs(slower), Math.abs(faster)]
        const shifted = [own.map((e) => e + low), own, own.map((e) => e + high), own].flat()
        const found = atMiddlePace(shifted, runs, alike)
        for (const [i, error] of found.entries()) expect(error).toBeCloseTo(own[i % 3]!, 9)
      })
    )
  })

  it("are as they were where nothing is repeated", () => {
    const own = [0.1, -0.2, 0.4, 0.3]
    for (const [i, error] of atMiddlePace(own, [0, 0, 1, 1], ["a", "b"]).entries())
      expect(error).toBeCloseTo(own[i]!, 12)
  })

  it("do without runs of which no pass was taken", () => {
    expect([...atMiddlePace([0.1], [1], ["a", "a"])]).toEqual([0.1])
  })
})
