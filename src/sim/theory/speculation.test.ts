import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { expectedAccepted } from "../acceptance/survival.ts"
import { classicalDrafter, fullKv, lossy, offloaded, type Plain } from "./baselines.ts"
import { bestDrafts, committedPerRound, speculationSpeedup } from "./speculation.ts"
import { fullKvIteration, idealOptimum, steadyThroughput, type SteadyState } from "./steady-state.ts"

const GB = 1e9
const plain: Plain = {
  weights: 16 * GB,
  kv: 2 * GB,
  memory: 72 * GB,
  hbmBandwidth: 2000 * GB,
  linkBandwidth: 25 * GB,
  concurrency: 64
}
const alphas = fc.double({ min: 0.01, max: 0.999, noNaN: true })

describe("speculation", () => {
  it("commits the accepted tokens and one more", () => {
    fc.assert(
      fc.property(alphas, fc.integer({ min: 1, max: 50 }), (alpha, drafts) => {
        expect(committedPerRound(alpha, drafts)).toBeCloseTo(1 + expectedAccepted(alpha, drafts), 9)
      })
    )
    expect(committedPerRound(1, 7)).toBe(8)
  })

  it("with a free drafter and a verify as cheap as a step is as fast as it commits", () => {
    const times = { target: 3, draft: 0, verify: () => 3 }
    expect(speculationSpeedup(0.8, 4, times)).toBeCloseTo(committedPerRound(0.8, 4), 12)
  })

  it("with a drafter as dear as the target never pays", () => {
    fc.assert(
      fc.property(alphas, fc.integer({ min: 1, max: 20 }), (alpha, drafts) => {
        expect(
          speculationSpeedup(alpha, drafts, { target: 1, draft: 1, verify: () => 1 })
        ).toBeLessThanOrEqual(1 + 1e-9)
      })
    )
  })

  it("drafts more the better the drafter is", () => {
    const drafts = [0.5, 0.7, 0.9, 0.97].map(
      (alpha) => bestDrafts(alpha, { target: 1, draft: 0.2, verify: () => 1.1 }, 100).drafts
    )
    expect(drafts).toEqual(drafts.toSorted((a, b) => a - b))
    expect(new Set(drafts).size).toBe(drafts.length)
  })

  it("of a whole batch at once takes as long as mixed passes, if HBM alone bounds both", () => {
    fc.assert(
      fc.property(
        alphas,
        fc.integer({ min: 1, max: 28 }),
        fc.integer({ min: 1, max: 30 }),
        (alpha, batch, drafts) => {
          const keep = 0.1
          const state: SteadyState = {
            ...plain,
            keep,
            accepted: (x) => expectedAccepted(alpha, x),
            reload: "none",
            maxWindow: 200
          }
          const times = {
            target: fullKvIteration(plain, batch),
            draft: fullKvIteration({ ...plain, kv: keep * plain.kv }, batch),
            verify: () => fullKvIteration(plain, batch)
          }
          const mixed = steadyThroughput(state, batch, drafts) / (batch / times.target)
          expect(mixed / speculationSpeedup(alpha, drafts, times)).toBeCloseTo(1, 9)
        }
      )
    )
  })
})

/**
 * Llama-3.1-8B on 8 × A100 (80 GB, 2039 GB/s each by its datasheet), drafting on 512 tokens of KV: agreement α and measured
 * speed-ups of MagicDec (arXiv:2408.11049). Launches, all-reduces and arithmetic are not in the closed form, so it bounds
 * the measurements from above and keeps their order in batch and in context.
 */
describe("MagicDec's runs", () => {
  const kvPerToken = 128 * 1024
  const ideal = (context: number, batch: number, alpha: number): number => {
    const pass = (tokens: number) =>
      fullKvIteration({ weights: 16 * GB, kv: tokens * kvPerToken, hbmBandwidth: 8 * 2039 * GB }, batch)
    const target = pass(context)
    return bestDrafts(alpha, { target, draft: pass(512), verify: () => target }, 20).speedup
  }
  const runs = [
    { context: 32_000, batch: 32, alpha: 0.81, measured: 1.22 },
    { context: 32_000, batch: 64, alpha: 0.81, measured: 1.38 },
    { context: 32_000, batch: 128, alpha: 0.81, measured: 1.47 },
    { context: 100_000, batch: 32, alpha: 0.79, measured: 1.84 }
  ]
  const [b32, b64, b128, long] = runs.map(({ context, batch, alpha }) => ideal(context, batch, alpha))

  it.each(runs)(
    "at $context tokens and batch $batch stay below the closed form",
    ({ context, batch, alpha, measured }) => {
      expect(ideal(context, batch, alpha)).toBeGreaterThan(measured)
    }
  )

  it("gain more from larger batches and longer contexts, as the closed form does", () => {
    expect(b64!).toBeGreaterThan(b32!)
    expect(b128!).toBeGreaterThan(b64!)
    expect(long!).toBeGreaterThan(b32!)
  })
})

describe("baselines", () => {
  it("keep to the memory, and say what stops them", () => {
    expect(fullKv(plain)).toMatchObject({ batch: 28, limit: "memory" })
    expect(fullKv({ ...plain, concurrency: 3 })).toMatchObject({ batch: 3, limit: "hbm" })
    expect(lossy(plain, 0.25)).toMatchObject({ batch: 64, limit: "hbm" })
    expect(offloaded(plain)).toMatchObject({ batch: 64, limit: "link" })
    expect(fullKv({ ...plain, memory: 17 * GB })).toMatchObject({ batch: 0, throughput: 0 })
    expect(offloaded({ ...plain, memory: 15 * GB })).toMatchObject({ batch: 0, throughput: 0 })
  })

  it("that keep nothing in HBM are bound to the link: BW/KV tokens a second", () => {
    expect(offloaded(plain).throughput).toBeCloseTo(25 / 2, 9)
  })

  it("that are not verified set the bound no verified drafting on the same KV passes", () => {
    fc.assert(
      fc.property(alphas, fc.double({ min: 0.05, max: 0.9, noNaN: true }), (alpha, keep) => {
        const state: SteadyState = {
          ...plain,
          keep,
          accepted: (x) => expectedAccepted(alpha, x),
          reload: "missing",
          maxWindow: 200
        }
        expect(idealOptimum(state)!.throughput).toBeLessThanOrEqual(
          lossy(plain, keep).throughput * (1 + 1e-9)
        )
      })
    )
  })

  it("with a drafter pay for its weights and KV in memory and in time", () => {
    const free = classicalDrafter(plain, { proposals: 3, weights: 0, kv: 0, tokens: 3 })
    expect(free.throughput).toBeCloseTo(3 * fullKv(plain).throughput, 9)
    const costly = classicalDrafter(plain, { proposals: 3, weights: 2 * GB, kv: 0.1 * GB, tokens: 3 })
    expect(costly.batch).toBe(25)
    expect(costly.iteration).toBeCloseTo((16 + 25 * 2 + 3 * (2 + 2.5)) / 2000, 12)
  })
})
