import { describe, expect, it } from "vitest"
import { hashInteger, hashUniform, Random } from "./random.ts"

const N = 100_000
const draws = (n: number, draw: (i: number) => number): readonly number[] =>
  Array.from({ length: n }, (_, i) => draw(i))
const first = (random: Random): readonly number[] => draws(5, () => random.uniform())

/** Largest distance between the distribution of a sample and `cdf`, times √n: above 1.95 once in a thousand. */
const kolmogorov = (sample: readonly number[], cdf: (x: number) => number): number => {
  const n = sample.length
  const sorted = sample.toSorted((a, b) => a - b)
  return (
    sorted.reduce((worst, x, i) => Math.max(worst, cdf(x) - i / n, (i + 1) / n - cdf(x)), 0) * Math.sqrt(n)
  )
}

/** Correlation of two samples, times √n: about standard normal if they are independent. */
const correlation = (a: readonly number[], b: readonly number[]): number => {
  const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length
  const [meanA, meanB] = [mean(a), mean(b)]
  const covariance = mean(a.map((x, i) => (x - meanA) * (b[i]! - meanB)))
  const spread = Math.sqrt(mean(a.map((x) => (x - meanA) ** 2)) * mean(b.map((x) => (x - meanB) ** 2)))
  return (covariance / spread) * Math.sqrt(a.length)
}

describe("a stream", () => {
  it("is the same for the same seed and names", () => {
    expect(first(new Random(1, "a", 2))).toEqual(first(new Random(1, "a", 2)))
  })

  it("differs for any other seed or names", () => {
    const others: Random[] = [
      new Random(1, "a", 2),
      new Random(2, "a", 2),
      new Random(1, "b", 2),
      new Random(1, "a", 3),
      new Random(1, "a"),
      new Random(1, "a2"),
      new Random(1, "a", "2"),
      new Random(1, 2, "a"),
      new Random(1, 97, 2),
      new Random(1)
    ]
    expect(new Set(others.map((random) => first(random).join())).size).toBe(others.length)
  })

  it("is pinned: the same numbers on every machine, in every version", () => {
    expect(first(new Random(42, "pinned"))).toEqual([
      0.10758988400119607, 0.9976837278878455, 0.33223066867724993, 0.9628289126813353, 0.8275990067212401
    ])
    // FNV-1a of 10,000 draws.
    const random = new Random(7, "digest", 1)
    let digest = 0x811c9dc5
    for (let i = 0; i < 10_000; i++)
      digest = Math.imul(digest ^ Math.floor(random.uniform() * 2 ** 32), 0x01000193)
    expect(digest >>> 0).toBe(3112205650)
  })

  it("draws strictly inside (0, 1), evenly", () => {
    const random = new Random(9, "uniform")
    const sample = draws(N, () => random.uniform())
    expect(sample.every((u) => u > 0 && u < 1)).toBe(true)
    expect(kolmogorov(sample, (x) => x)).toBeLessThan(1.95)
    // Successive draws, and the fine bits of a draw, are even too.
    expect(Math.abs(correlation(sample.slice(1), sample.slice(0, -1)))).toBeLessThan(3.3)
    expect(
      kolmogorov(
        sample.map((u) => (u * 2 ** 30) % 1),
        (x) => x
      )
    ).toBeLessThan(1.95)
  })

  it("knows nothing of the streams beside it", () => {
    const one = new Random(3, "request", 1)
    const other = new Random(3, "request", 2)
    const sample = draws(N, () => one.uniform())
    expect(
      Math.abs(
        correlation(
          sample,
          draws(N, () => other.uniform())
        )
      )
    ).toBeLessThan(3.3)
    // First draws of streams that differ by a counter only.
    expect(
      kolmogorov(
        draws(20_000, (i) => new Random(3, "request", i).uniform()),
        (x) => x
      )
    ).toBeLessThan(1.95)
  })

  it("does not shift when another is drawn from in between", () => {
    const alone = new Random(5, "arrivals")
    const beside = new Random(5, "arrivals")
    const added = new Random(5, "faults")
    const interleaved = draws(100, () => {
      added.normal()
      return beside.uniform()
    })
    expect(interleaved).toEqual(draws(100, () => alone.uniform()))
  })

  it("draws exponentials", () => {
    const random = new Random(11, "exponential")
    expect(
      kolmogorov(
        draws(N, () => random.exponential(3)),
        (x) => 1 - Math.exp(-x / 3)
      )
    ).toBeLessThan(1.95)
  })

  it("draws integers evenly from all below n", () => {
    const random = new Random(12, "integer")
    const counts = Array.from({ length: 7 }, () => 0)
    for (let i = 0; i < N; i++) counts[random.integer(7)]!++
    // χ² with 6 degrees of freedom: above 22.5 once in a thousand.
    expect(counts.reduce((sum, n) => sum + (n - N / 7) ** 2 / (N / 7), 0)).toBeLessThan(22.5)
  })

  it("draws normals and lognormals with their quantiles", () => {
    const random = new Random(13, "normal")
    const normals = draws(N, () => random.normal())
    const share = (below: number): number => normals.filter((x) => x < below).length / N
    // Four standard errors at most.
    for (const [x, p] of [
      [-1.959964, 0.025],
      [-1, 0.158655],
      [0, 0.5],
      [1.281552, 0.9]
    ] as const) {
      expect(Math.abs(share(x) - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / N))
    }
    const lognormals = draws(N, () => random.lognormal(500, 0.8))
    expect(Math.abs(lognormals.filter((x) => x < 500).length / N - 0.5)).toBeLessThan(0.0065)
    expect(Math.abs(lognormals.filter((x) => x < 500 * Math.exp(0.8)).length / N - 0.841345)).toBeLessThan(
      0.005
    )
  })

  it.each([0.3, 1, 4])("draws gammas of shape %d with mean and variance equal to it", (shape) => {
    const random = new Random(14, "gamma")
    const sample = draws(N, () => random.gamma(shape))
    const mean = sample.reduce((sum, x) => sum + x, 0) / N
    const variance = sample.reduce((sum, x) => sum + (x - shape) ** 2, 0) / N
    expect(Math.abs(mean - shape)).toBeLessThan(4 * Math.sqrt(shape / N))
    // Variance of the sample variance: (kurtosis − 1) shape² / n with kurtosis 3 + 6/shape.
    expect(Math.abs(variance - shape)).toBeLessThan(4 * shape * Math.sqrt((2 + 6 / shape) / N))
    if (shape === 1) expect(kolmogorov(sample, (x) => 1 - Math.exp(-x))).toBeLessThan(1.95)
  })
})

describe("a stateless draw", () => {
  it("is pinned", () => {
    expect([hashUniform(1, 2, 3, 4), hashInteger(1, 2, 3, 4)]).toEqual([0.004971992226130761, 21354544])
  })

  it.each([
    ["request", (i: number) => hashUniform(3, i, 7, 1)],
    ["round", (i: number) => hashUniform(3, 7, i, 1)],
    ["purpose", (i: number) => hashUniform(3, 7, 1, i)],
    ["seed", (i: number) => hashUniform(i, 7, 1, 2)],
    ["request and round", (i: number) => hashUniform(3, i % 100, Math.floor(i / 100), 7)]
  ])("is even over every %s", (_, draw) => {
    const sample = draws(N, draw)
    expect(sample.every((u) => u > 0 && u < 1)).toBe(true)
    expect(kolmogorov(sample, (x) => x)).toBeLessThan(1.95)
    expect(Math.abs(correlation(sample.slice(1), sample.slice(0, -1)))).toBeLessThan(3.3)
  })

  it("turns over about half its bits when one bit of what it is asked turns over", () => {
    const bits = (x: number): number => {
      let count = 0
      for (let rest = x >>> 0; rest !== 0; rest &= rest - 1) count++
      return count
    }
    for (let argument = 0; argument < 4; argument++) {
      for (let bit = 0; bit < 32; bit++) {
        let turned = 0
        for (let i = 0; i < 200; i++) {
          const asked: [number, number, number, number] = [i, 3 * i, 5, 7 + i]
          const before = hashInteger(...asked)
          asked[argument] = asked[argument]! ^ (1 << bit)
          turned += bits(before ^ hashInteger(...asked))
        }
        // 6400 bits, of which half: a standard deviation is 40.
        expect(Math.abs(turned - 3200)).toBeLessThan(200)
      }
    }
  })
})
