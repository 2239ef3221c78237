import { describe, expect, it } from "vitest"
import { Random } from "../../sim/kernel/random.ts"
import { lagOne, steadyMean } from "./batch-means.ts"
import { warmUpOf } from "./warm-up.ts"

/** x(i+1) = c·x(i) + noise around `mean`, from `start`. */
const autoregressive = (
  seed: number,
  n: number,
  { c, mean, start }: { readonly c: number; readonly mean: number; readonly start: number }
): readonly number[] => {
  const random = new Random(seed, "series")
  let x = start - mean
  return Array.from({ length: n }, () => {
    x = c * x + random.normal()
    return x + mean
  })
}

describe("warm-up", () => {
  it("of a run that begins far from where it settles is cut about where it has settled", () => {
    // 0.95^n of 200 is below the noise of 3 after some eighty values.
    const drops = Array.from(
      { length: 40 },
      (_, seed) => warmUpOf(autoregressive(seed, 2000, { c: 0.95, mean: 10, start: 210 })).drop
    ).toSorted((a, b) => a - b)
    expect(drops[0]).toBeGreaterThanOrEqual(40)
    expect(drops[20]).toBeLessThan(500)
  })

  it("of a run that has settled from the start is short, as a rule", () => {
    const drops = Array.from(
      { length: 40 },
      (_, seed) => warmUpOf(autoregressive(seed, 2000, { c: 0.5, mean: 0, start: 0 })).drop
    )
    expect(drops.toSorted((a, b) => a - b)[20]).toBeLessThan(400)
  })

  it("is said not to have ended where a run only rises", () => {
    expect(warmUpOf(Array.from({ length: 500 }, (_, i) => i * i)).settled).toBe(false)
  })
})

describe("the steady-state mean", () => {
  it("lies in its interval as often as it says", () => {
    const mean = 100
    let inside = 0
    let trusted = 0
    for (let seed = 0; seed < 200; seed++) {
      const found = steadyMean(autoregressive(seed, 4000, { c: 0.8, mean, start: 160 }))!
      if (!found.trusted) continue
      trusted++
      if (Math.abs(found.mean - mean) <= found.half!) inside++
    }
    expect(trusted).toBeGreaterThan(100)
    expect(inside / trusted).toBeGreaterThan(0.88)
    expect(inside / trusted).toBeLessThan(0.995)
  })

  it("is not trusted of a short run, and is nothing of a single value", () => {
    expect(steadyMean(autoregressive(1, 60, { c: 0.9, mean: 0, start: 0 }))!.trusted).toBe(false)
    expect(steadyMean([1])).toBeUndefined()
  })

  it("knows how much neighbours resemble each other", () => {
    expect(lagOne(autoregressive(3, 20_000, { c: 0.7, mean: 0, start: 0 }))).toBeCloseTo(0.7, 1)
  })
})
