import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Efficiency } from "../../scenario/resolved.ts"
import { fitAndJudge, fitEfficiency, halves, type Peaks, predict, type Sample } from "./fit.ts"

const PEAKS: Peaks = { bandwidth: 3.35e12, flops: 989e12 }
const START: Efficiency = { memory: 0.7, compute: 0.5, overhead: 5e-6 }

/** Matmuls of a layer's sizes, timed by a known roofline; `noise` multiplies the i-th time. */
const matmuls = (truth: Efficiency, noise: (i: number) => number = () => 1): readonly Sample[] =>
  [1, 8, 64, 256, 1024, 4096, 8192].flatMap((rows, i) =>
    [1024, 4096, 14_336].flatMap((from, j) =>
      [2048, 6144].map((to, k): Sample => {
        const sample = {
          bytes: 2 * (from * to + rows * (from + to)),
          flops: 2 * rows * from * to,
          launches: 1,
          seconds: 1
        }
        return { ...sample, seconds: predict(sample, truth, PEAKS) * noise(6 * i + 2 * j + k) }
      })
    )
  )

const efficiency = fc.record({
  memory: fc.double({ min: 0.3, max: 0.98, noNaN: true }),
  compute: fc.double({ min: 0.3, max: 0.98, noNaN: true }),
  overhead: fc.double({ min: 1e-7, max: 2e-5, noNaN: true })
})

describe("a roofline fitted to times it made itself", () => {
  it("comes out as it was", () => {
    fc.assert(
      fc.property(efficiency, (truth) => {
        const { fit, quality } = fitAndJudge(matmuls(truth), PEAKS, START)
        expect(fit.memory / truth.memory).toBeCloseTo(1, 3)
        expect(fit.compute / truth.compute).toBeCloseTo(1, 3)
        expect(Math.abs(fit.overhead - truth.overhead)).toBeLessThan(1e-8)
        expect(quality.heldOutP90Error).toBeLessThan(1e-3)
      })
    )
  })

  it("gives blocks and walks back", () => {
    // Attention of batches, from where blocks cost the most to where reading does, and of long lone requests that walk.
    const truth: Efficiency = { memory: 0.8, compute: 0.6, overhead: 1e-5, perBlock: 3e-8, perToken: 2e-8 }
    const calls = [1, 8, 64, 512, 1024].flatMap((requests) =>
      [16, 256, 4096, 65_536].flatMap((tokens) =>
        [1, 512].map((queries): Sample => {
          const sample = {
            bytes: requests * tokens * 4096,
            flops: requests * tokens * queries * 16_384,
            launches: 1,
            seconds: 1,
            blocks: requests * 8 * Math.ceil(queries / 16),
            walk: tokens
          }
          return { ...sample, seconds: predict(sample, truth, PEAKS) }
        })
      )
    )
    const fit = fitEfficiency(calls, PEAKS, START)
    expect(fit.perBlock! / truth.perBlock!).toBeCloseTo(1, 3)
    expect(fit.perToken! / truth.perToken!).toBeCloseTo(1, 3)
    expect(fit.memory / truth.memory).toBeCloseTo(1, 3)
    expect(fit.compute / truth.compute).toBeCloseTo(1, 3)
    // A share that is known from elsewhere stays as it is.
    expect(fitEfficiency(calls, PEAKS, { ...START, memory: 0.8 }, "memory").memory).toBe(0.8)
  })

  it("is hardly moved by one timing in ten that is three times too long", () => {
    fc.assert(
      fc.property(efficiency, fc.integer({ min: 0, max: 9 }), (truth, phase) => {
        const odd = matmuls(truth, (i) => (i % 10 === phase ? 3 : 1))
        const fit = fitEfficiency(odd, PEAKS, START)
        expect(Math.abs(fit.memory / truth.memory - 1)).toBeLessThan(0.15)
        expect(Math.abs(fit.compute / truth.compute - 1)).toBeLessThan(0.15)
      })
    )
  })

  it("is the same every time", () => {
    const samples = matmuls({ memory: 0.8, compute: 0.6, overhead: 4e-6 }, (i) => 1 + 0.05 * Math.sin(i))
    expect(fitAndJudge(samples, PEAKS, START)).toEqual(fitAndJudge(samples, PEAKS, START))
  })
})

describe("what samples do not show", () => {
  it("a side of the roofline that none is bound by keeps its share", () => {
    const small = matmuls({ memory: 0.8, compute: 0.6, overhead: 4e-6 }).filter(
      ({ bytes, flops }) => bytes / PEAKS.bandwidth > (3 * flops) / PEAKS.flops
    )
    expect(fitEfficiency(small, PEAKS, START).compute).toBe(START.compute)
  })

  it("times below the datasheet's floor hold the share at 0.99", () => {
    const fast = matmuls({ memory: 1.2, compute: 1.1, overhead: 0 })
    const fit = fitEfficiency(fast, PEAKS, START)
    expect([fit.memory, fit.compute, fit.overhead]).toEqual([0.99, 0.99, 0])
  })

  it("half of them are kept apart, and say when a roofline does not hold", () => {
    const samples = matmuls({ memory: 0.8, compute: 0.6, overhead: 4e-6 }, (i) => (i % 2 === 0 ? 1 : 2))
    const [fitted, kept] = halves(samples)
    expect([fitted.length, kept.length]).toEqual([21, 21])
    expect(fitAndJudge(samples, PEAKS, START).quality.heldOutBias).toBeCloseTo(-0.5, 2)
  })
})
