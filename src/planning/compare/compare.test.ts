import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareRuns, failures, type Runs, runsOf } from "./compare.ts"
import { parseThreshold, type Threshold } from "./threshold.ts"

const runs = (values: readonly number[], from = 1): Runs =>
  new Map([["VeriCache", new Map(values.map((value, i) => [from + i, new Map([["tokens_per_s", value]])]))]])

const threshold = (text: string): Threshold => {
  const parsed = parseThreshold(text)
  if ("problem" in parsed) throw new Error(parsed.problem)
  return parsed
}

describe("a comparison", () => {
  it("of anything with itself shows nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 }),
        (values) => {
          const [delta] = compareRuns(runs(values), runs(values)).deltas
          expect([delta!.difference.mean, delta!.difference.half ?? 0, delta!.change?.mean]).toEqual([
            0, 0, 0
          ])
        }
      )
    )
  })

  it("sees a change that is common to all pairs, however much the pairs differ", () => {
    const [delta] = compareRuns(runs([100, 250, 900, 40]), runs([101, 251, 901, 41])).deltas
    expect(delta!.difference).toMatchObject({ mean: 1, count: 4 })
    expect(delta!.significant).toBe(true)
  })

  it("pairs by seed and says what has no pair", () => {
    const { deltas, unpaired } = compareRuns(runs([1, 2, 3]), runs([9, 9], 2))
    expect(deltas[0]!.difference).toMatchObject({ count: 2, mean: 6.5 })
    expect(unpaired).toEqual(["VeriCache: seed 1 on one side only"])
    expect(compareRuns(runs([1]), new Map()).unpaired).toEqual(["VeriCache: only in A"])
  })

  it("knows runs of a sweep by their axes and methods", () => {
    const columns = (["point", "context_tokens", "method", "seed", "status", "tokens_per_s"] as const).map(
      (name) => ({ name, type: "number" as const })
    )
    const rows = [
      [0, 4096, "full-kv", 1, "simulated", 10],
      [1, 4096, "full-kv", 2, "simulated", 12],
      [2, 8192, "full-kv", 1, "infeasible", undefined]
    ]
    const found = runsOf({ columns, rows })
    expect([...found.keys()]).toEqual(["full-kv, context_tokens 4096"])
    expect([...found.values()][0]!.size).toBe(2)
  })
})

describe("a threshold", () => {
  it.each([
    ["throughput < -2%", "tokens_per_s", -0.02, true],
    ["ttft_p99 > 2 s", "ttft_p99_s", 2, false],
    ["ttft_p99 > 50 ms", "ttft_p99_s", 0.05, false],
    ["tokens_per_s<200", "tokens_per_s", 200, false]
  ])("%s", (text, figure, bound, isChange) => {
    expect(threshold(text)).toMatchObject({ figure: { name: figure }, bound, isChange })
  })

  it.each([
    ["throughput", "expected a figure"],
    ["throughptu < 3", "throughput"],
    ["ttft_p99 > 2 parsecs", "no unit"],
    ["tokens_per_s > 2 s", "no unit"]
  ])("%s is refused", (text, why) => {
    const parsed = parseThreshold(text)
    expect("problem" in parsed && parsed.problem).toContain(why)
  })

  it("fails what is beyond it, by change or by value of B", () => {
    const comparison = compareRuns(runs([100, 100]), runs([97, 97]))
    expect(failures(comparison, [threshold("throughput < -2%")]).length).toBe(1)
    expect(failures(comparison, [threshold("throughput < -4%")]).length).toBe(0)
    expect(failures(comparison, [threshold("throughput < 98")]).length).toBe(1)
  })
})
