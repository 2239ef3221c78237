import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Arrivals, Lengths, Workload } from "../../scenario/resolved.ts"
import { Random } from "../kernel/random.ts"
import { drawLength, longestLength, meanLength } from "./lengths.ts"
import { type GeneratedRequest, makeWorkload } from "./workload.ts"

const fixed: Lengths = { kind: "fixed", tokens: 100 }
const uniform: Lengths = { kind: "uniform", min: 10, max: 30 }
const lognormal: Lengths = { kind: "lognormal", median: 400, sigma: 0.8, min: 50, max: 1500 }
const empirical: Lengths = { kind: "empirical", values: [1, 1, 2, 8] }
const poisson: Arrivals = { kind: "poisson", rate: 10 }

const synthetic = (
  arrivals: Arrivals,
  input: Lengths = fixed,
  output: Lengths = fixed,
  requests = 20_000
): Workload => ({
  context: "prefill",
  kind: "synthetic",
  requests,
  arrivals,
  input,
  output
})

const all = (workload: Workload, seed: number): GeneratedRequest[] => {
  const source = makeWorkload(workload, seed)
  const requests: GeneratedRequest[] = []
  for (let next = source.next(); next !== undefined; next = source.next()) requests.push(next)
  expect(requests.length).toBe(source.total)
  return requests
}

const moments = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, variance }
}

/** Seconds between arrivals. */
const gaps = (requests: readonly GeneratedRequest[]): number[] =>
  requests.map(({ arrival }, i) => (arrival - (requests[i - 1]?.arrival ?? 0)) / 1e9)

describe("arrivals", () => {
  it("are Poisson: gaps of mean 1/rate and variance 1/rate²", () => {
    const { mean, variance } = moments(gaps(all(synthetic(poisson), 1)))
    expect(mean * 10).toBeCloseTo(1, 1)
    expect(variance * 100).toBeCloseTo(1, 1)
  })

  it.each([0.25, 1, 4])("of burstiness %d have a coefficient of variation of 1/√burstiness", (burstiness) => {
    const { mean, variance } = moments(gaps(all(synthetic({ kind: "gamma", rate: 10, burstiness }), 2)))
    expect(Math.abs(mean * 10 - 1)).toBeLessThan(0.05)
    expect(Math.abs((Math.sqrt(variance) / mean) * Math.sqrt(burstiness) - 1)).toBeLessThan(0.05)
  })

  it("never go back, and are whole nanoseconds", () => {
    const requests = all(synthetic({ kind: "gamma", rate: 1000, burstiness: 0.1 }), 3)
    for (const [i, { arrival, id }] of requests.entries()) {
      expect(id).toBe(i)
      expect(Number.isSafeInteger(arrival)).toBe(true)
      if (i > 0) expect(arrival).toBeGreaterThanOrEqual(requests[i - 1]!.arrival)
    }
  })

  it("are all at once in a closed loop", () => {
    const workload = synthetic({ kind: "closed", concurrency: 8 }, fixed, fixed, 20)
    expect(makeWorkload(workload, 1).concurrency).toBe(8)
    expect(makeWorkload(synthetic(poisson), 1).concurrency).toBeUndefined()
    expect(all(workload, 1).every(({ arrival }) => arrival === 0)).toBe(true)
  })
})

describe("lengths", () => {
  it.each([fixed, uniform, lognormal, empirical])(
    "of $kind average to their mean and stay in range",
    (lengths) => {
      const random = new Random(5, "lengths")
      const drawn = Array.from({ length: 20_000 }, () => drawLength(lengths, random))
      const { mean, variance } = moments(drawn)
      // Four standard errors, and half a token for rounding.
      expect(Math.abs(mean - meanLength(lengths))).toBeLessThanOrEqual(
        0.5 + 4 * Math.sqrt(variance / drawn.length)
      )
      expect(Math.max(...drawn)).toBeLessThanOrEqual(longestLength(lengths))
      expect(drawn.every((length) => Number.isInteger(length) && length >= 1)).toBe(true)
    }
  )

  it("of uniform reach both ends with the variance of a discrete uniform", () => {
    const random = new Random(6, "lengths")
    const drawn = Array.from({ length: 20_000 }, () => drawLength(uniform, random))
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([10, 30])
    expect(moments(drawn).variance / ((21 ** 2 - 1) / 12)).toBeCloseTo(1, 1)
  })

  it("of an all but unclamped lognormal average to median·e^(σ²/2)", () => {
    const free = { kind: "lognormal", median: 400, sigma: 0.5, min: 0, max: 1e9 } as const
    expect(meanLength(free) / (400 * Math.exp(0.125))).toBeCloseTo(1, 6)
    expect(meanLength({ ...free, sigma: 0 })).toBe(400)
  })
})

describe("a workload", () => {
  const parts = fc.record({
    seed: fc.integer(),
    arrivals: fc.constantFrom<Arrivals>(poisson, { kind: "gamma", rate: 3, burstiness: 0.5 }),
    input: fc.constantFrom(fixed, uniform, lognormal, empirical),
    output: fc.constantFrom(fixed, uniform, lognormal, empirical)
  })

  it("is the same for the same seed, another for another", () => {
    fc.assert(
      fc.property(parts, ({ seed, arrivals, input, output }) => {
        const workload = synthetic(arrivals, input, output, 50)
        expect(all(workload, seed)).toEqual(all(workload, seed))
        expect(all(workload, seed)).not.toEqual(all(workload, seed + 1))
      })
    )
  })

  it("keeps the other streams when one of them changes", () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const base = all(synthetic(one.arrivals, one.input, one.output, 30), one.seed)
        const changed = (workload: Workload) => all(workload, one.seed)
        const input = (r: GeneratedRequest) => r.input
        const output = (r: GeneratedRequest) => r.output
        const arrival = (r: GeneratedRequest) => r.arrival
        const slower = changed(synthetic(other.arrivals, one.input, one.output, 30))
        expect([slower.map(input), slower.map(output)]).toEqual([base.map(input), base.map(output)])
        const longer = changed(synthetic(one.arrivals, other.input, one.output, 30))
        expect([longer.map(arrival), longer.map(output)]).toEqual([base.map(arrival), base.map(output)])
        const shorter = changed(synthetic(one.arrivals, one.input, other.output, 30))
        expect([shorter.map(arrival), shorter.map(input)]).toEqual([base.map(arrival), base.map(input)])
      })
    )
  })

  it("of a trace is the trace, with its prefix blocks", () => {
    const requests = [
      { arrival: 0, input: 100, output: 10, blocks: [1, 2] },
      { arrival: 0.25, input: 200, output: 20, blocks: [1, 3] },
      { arrival: 1.5, input: 300, output: 30 }
    ]
    const origin = { basis: "measured", source: "test" } as const
    const replayed = all({ context: "store", kind: "trace", requests, blockTokens: 512, origin }, 9)
    expect(replayed).toEqual([
      { id: 0, arrival: 0, input: 100, output: 10, blocks: [1, 2] },
      { id: 1, arrival: 250_000_000, input: 200, output: 20, blocks: [1, 3] },
      { id: 2, arrival: 1_500_000_000, input: 300, output: 30, blocks: undefined }
    ])
  })
})
