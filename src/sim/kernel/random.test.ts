import { describe, expect, it } from "vitest"
import { hashUniform, Random } from "./random.ts"

const N = 100_000
const moments = (draw: () => number): { readonly mean: number; readonly variance: number } => {
  let [sum, squares] = [0, 0]
  for (let i = 0; i < N; i++) {
    const x = draw()
    sum += x
    squares += x * x
  }
  return { mean: sum / N, variance: squares / N - (sum / N) ** 2 }
}

describe("seeded randomness", () => {
  it("is the same for the same seed and names, and only for those", () => {
    const draws = (random: Random): readonly number[] => Array.from({ length: 5 }, () => random.uniform())
    expect(draws(new Random(1, "a", 2))).toEqual(draws(new Random(1, "a", 2)))
    for (const other of [
      new Random(2, "a", 2),
      new Random(1, "b", 2),
      new Random(1, "a", 3),
      new Random(1, "a"),
      new Random(1, "a2")
    ]) {
      expect(draws(other)).not.toEqual(draws(new Random(1, "a", 2)))
    }
  })

  it("has the moments of its distributions", () => {
    const random = new Random(5, "moments")
    const uniform = moments(() => random.uniform())
    expect(uniform.mean).toBeCloseTo(0.5, 2)
    expect(uniform.variance).toBeCloseTo(1 / 12, 2)
    expect(moments(() => random.exponential(3)).mean).toBeCloseTo(3, 1)
    expect(moments(() => random.normal()).variance).toBeCloseTo(1, 1)
    for (const shape of [0.3, 1, 4]) {
      const gamma = moments(() => random.gamma(shape))
      expect(Math.abs(gamma.mean / shape - 1)).toBeLessThan(0.03)
      expect(Math.abs(gamma.variance / shape - 1)).toBeLessThan(0.06)
    }
  })

  it("spreads evenly: Kolmogorov–Smirnov of streams and of stateless draws", () => {
    const random = new Random(9, "ks")
    const samples = [
      Array.from({ length: N }, () => random.uniform()),
      Array.from({ length: N }, (_, i) => hashUniform(3, i % 100, Math.floor(i / 100), 7))
    ]
    for (const sample of samples) {
      const sorted = sample.toSorted((a, b) => a - b)
      const distance = sorted.reduce((worst, x, i) => Math.max(worst, Math.abs(x - (i + 0.5) / N)), 0)
      // 1.95 / √N is exceeded once in a thousand.
      expect(distance).toBeLessThan(1.95 / Math.sqrt(N))
    }
  })

  it("draws strictly inside (0, 1)", () => {
    const random = new Random(0)
    for (let i = 0; i < N; i++) {
      const u = random.uniform()
      expect(u > 0 && u < 1).toBe(true)
    }
  })

  it("is pinned: the same numbers on every machine", () => {
    const random = new Random(42, "pinned")
    expect([random.uniform(), random.uniform(), hashUniform(1, 2, 3, 4)]).toMatchInlineSnapshot(`
      [
        0.6265112987432834,
        0.4591476086278111,
        0.004971992226130761,
      ]
    `)
  })
})
