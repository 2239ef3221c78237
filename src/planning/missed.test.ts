import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Objective } from "../scenario/resolved.ts"
import { readCatalog } from "../sim/scenarios.fixture.ts"
import { Histogram } from "../trace/histogram.ts"
import { Missed, watchObjectives } from "./missed.ts"
import { QUANTILES } from "./objectives.ts"
import { evaluate, type PointOptions, PointRunner } from "./points.ts"

const percentile = fc.constantFrom(50, 90, 95, 99, 100) satisfies fc.Arbitrary<Objective["percentile"]>
const nanoseconds = fc.double({ min: 1e3, max: 1e10, noNaN: true })

/** Whether a watch gives a run up that has these latencies. */
const givesUp = (objective: Objective, requests: number, all: readonly number[]): boolean => {
  const note = watchObjectives([objective], requests)
  try {
    for (const ns of all) note(0, "ttft", ns)
    return false
  } catch (error) {
    if (error instanceof Missed) return true
    throw error
  }
}

describe("an objective that is watched", () => {
  it("is given up only if the whole run misses it, and whenever it does", () => {
    fc.assert(
      fc.property(
        fc.array(nanoseconds, { minLength: 1, maxLength: 300 }),
        nanoseconds,
        percentile,
        (all, limit, of) => {
          const objective: Objective = { metric: "ttft", percentile: of, atMost: limit * 1e-9 }
          const histogram = new Histogram(1e3)
          for (const ns of all) histogram.record(ns)
          const reached = histogram.distribution(1e-9)[QUANTILES[of]]
          const missed = reached > objective.atMost
          // Within a bucket of the limit the clamp to the largest value may decide otherwise.
          if (givesUp(objective, all.length, all)) expect(missed).toBe(true)
          else if (missed) expect(reached / objective.atMost).toBeLessThan(1.0005)
        }
      ),
      { numRuns: 500 }
    )
  })

  it("is not given up for requests that may not come", () => {
    const objective: Objective = { metric: "ttft", percentile: 90, atMost: 1 }
    expect(givesUp(objective, 20, [2e9, 2e9])).toBe(false)
    expect(givesUp(objective, 20, [2e9, 2e9, 2e9])).toBe(true)
    expect(givesUp(objective, 19, [2e9, 2e9])).toBe(true)
  })
})

describe("runs that end when an objective is missed", () => {
  const catalog = readCatalog()
  const outcomeOf = async (ttft: number, tpot: number, seed: number, options: PointOptions) => {
    const text = `name: tiny
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 24, arrivals: { rate: 3 }, input: 8k tokens, output: 32 }
goodput: { ttft: { percentile: 90, at_most: ${ttft} s }, tpot: { percentile: 50, at_most: ${tpot} s } }
methods: [offloaded]
`
    const [outcome] = await Effect.runPromise(
      evaluate({ file: "tiny.yaml", text }, [{ overrides: [], method: 0, seed }], options).pipe(
        Effect.provide(PointRunner.inProcess(() => undefined, catalog))
      )
    )
    return outcome!
  }

  it("miss what the whole run misses, and end as the whole run does otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.05, max: 4, noNaN: true }),
        fc.double({ min: 0.01, max: 0.2, noNaN: true }),
        fc.nat(1000),
        async (ttft, tpot, seed) => {
          const whole = await outcomeOf(ttft, tpot, seed, {})
          const cut = await outcomeOf(ttft, tpot, seed, { untilMissed: true })
          if (whole.kind !== "simulated") throw new Error(whole.reason)
          const missed = whole.objectives.filter(({ met }) => !met)
          if (cut.kind === "missed")
            expect(missed.map(({ metric }) => metric)).toContain(cut.objective.metric)
          else {
            expect(missed).toEqual([])
            expect(cut).toEqual(whole)
          }
        }
      ),
      { numRuns: 40 }
    )
  })
})
