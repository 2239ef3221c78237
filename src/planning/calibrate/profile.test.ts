import { Exit, Result } from "effect"
import { describe, expect, it } from "vitest"
import { hardwareOf } from "../../scenario/entries.ts"
import { loadScenario } from "../../scenario/load.ts"
import { OPERATIONS, requestCount, type Scenario } from "../../scenario/resolved.ts"
import { readCatalog } from "../../sim/scenarios.fixture.ts"
import { simulate } from "../../sim/simulate.ts"
import { latenciesOf, type MeasuredRun, type MeasuredRequest } from "../import/measured-run.ts"
import { yamlText } from "../yaml-text.ts"
import { predict, type Sample } from "./fit.ts"
import { calibrate, profileFields } from "./profile.ts"
import { fitRun } from "./run-fit.ts"

const catalog = readCatalog()
const base = hardwareOf(catalog.hardware.get("h100-sxm")!)
const peaks = { bandwidth: base.hbm.bandwidth, flops: base.flops[16] }

const SCENARIO = `name: replay
model: llama-3.1-8b
hardware: { profile: profile.yaml }
workload:
  context: prefill
  requests: 24
  arrivals: { rate: 8 }
  input: { uniform: { min: 200, max: 2000 } }
  output: { uniform: { min: 40, max: 200 } }
methods: [full-kv]
`

/** The scenario beside a profile of this text. */
const load = (profile: string, scenario = SCENARIO): Result.Result<Scenario, unknown> =>
  loadScenario(
    "dir/scenario.yaml",
    (path) => {
      const text = path === "dir/scenario.yaml" ? scenario : path === "dir/profile.yaml" ? profile : undefined
      return text === undefined ? undefined : new TextEncoder().encode(text)
    },
    catalog
  )

const scenarioOf = (profile: string, scenario = SCENARIO): Scenario => {
  const loaded = load(profile, scenario)
  if (Result.isFailure(loaded)) throw new Error((loaded.failure as Error).message)
  return loaded.success
}

/** Samples on both sides of a known roofline. */
const samples: readonly Sample[] = Array.from({ length: 40 }, (_, i) => {
  const sample = {
    bytes: 1e7 * 1.4 ** i,
    flops: i % 3 === 0 ? 1e11 * 1.4 ** i : 1e6,
    launches: 1,
    seconds: 1
  }
  return { ...sample, seconds: predict(sample, { memory: 0.7, compute: 0.6, overhead: 3e-6 }, peaks) }
})

describe("attention where arithmetic bounds single queries, too", () => {
  it("has the launches of single queries beside the arithmetic that prompts show", () => {
    const truth = { memory: 0.7, compute: 0.05, overhead: 3e-5 }
    const some: readonly Sample[] = Array.from({ length: 40 }, (_, i) => {
      const sample = { bytes: 1e3 * 1.4 ** i, flops: 1e6 * 1.4 ** i, launches: 1, seconds: 1 }
      return { ...sample, seconds: predict(sample, truth, peaks) }
    })
    const { fits } = calibrate({ "attention-decode": some, "attention-prefill": some }, base, peaks)
    const decode = fits.find(({ operation }) => operation === "attention-decode")!
    expect(decode.fit.compute).toBeCloseTo(truth.compute, 4)
    expect(decode.fit.overhead / truth.overhead).toBeCloseTo(1, 2)
    expect(decode.quality.heldOutP90Error).toBeLessThan(0.01)
  })
})

describe("a hardware profile", () => {
  const { fits, notes } = calibrate({ matmul: samples, elementwise: samples.slice(0, 3) }, base, peaks)
  const text = yamlText(
    profileFields(
      {
        name: "mine",
        base: "h100-sxm",
        from: ["dense.csv"],
        fits,
        figures: { "interconnect.bandwidth": 123e9 },
        tables: {
          origin: { basis: "measured", source: "dense.csv" },
          dense: { tokens: [1, 8], seconds: [1e-3, 2e-3] },
          attentionMixed: {
            chunk: [1],
            cached: [0, 8],
            requests: [1],
            kvTokens: [4, 5],
            seconds: [[[[1, 2]], [[3, 4]]]]
          }
        },
        notes
      },
      base
    )
  )

  it("is hardware a scenario can name: fitted figures in place of the catalog's, the rest as there", () => {
    const { hardware } = scenarioOf(text)
    expect(hardware.name).toBe("mine")
    expect(hardware.efficiency.matmul.memory).toBeCloseTo(0.7, 4)
    expect(hardware.efficiency.elementwise).toEqual(base.efficiency.elementwise)
    expect(hardware.hbm).toEqual(base.hbm)
    expect(hardware.interconnect).toEqual({ ...base.interconnect, bandwidth: 123e9 })
    expect(hardware.tables?.dense?.seconds).toEqual([1e-3, 2e-3])
    expect(hardware.tables?.attentionMixed?.seconds).toEqual([[[[1, 2]], [[3, 4]]]])
  })

  it("says what was fitted, to how much, and how far the rest is off", () => {
    expect(notes.filter((note) => note.startsWith("elementwise"))).toEqual([
      "elementwise: only 3 measurements; h100-sxm's figures are kept"
    ])
    expect(notes).toHaveLength(OPERATIONS.length - 1)
    expect(text).toContain('"operation":"matmul","samples":20,"held_out":20')
  })

  it("may be changed once more where it is named", () => {
    const scenario = SCENARIO.replace("profile.yaml }", "profile.yaml, step_overhead: 1 ms }")
    expect(scenarioOf(text, scenario).hardware.stepOverhead).toBe(1e-3)
  })

  it.each([
    ["extends: h100-sxmm\n", "no h100-sxmm in the catalog", "h100-sxm"],
    ["extends: h100-sxm\nstep_overhed: 1\n", "unknown field", "step_overhead"],
    [
      'extends: h100-sxm\ntables: { source: "x", basis: measured, dense: { tokens: [1, 2], seconds: [1] } }\n',
      "for each of 2 tokens",
      ""
    ],
    [
      'extends: h100-sxm\ntables: { source: "x", basis: measured, attention_mixed: { chunk: [1], cached: [0], requests: [1], kv_tokens: [4, 5], seconds: [[[[1]]]] } }\n',
      "1 × 1 × 1 × 2",
      ""
    ]
  ])("is told what is wrong in its own file: %s", (profile, message, suggestion) => {
    const loaded = load(profile)
    const words = Result.isFailure(loaded) ? (loaded.failure as Error).message : ""
    expect(words).toContain("dir/profile.yaml:")
    expect(words).toContain(message)
    expect(words).toContain(suggestion)
  })
})

describe("a run of an engine whose figures are known", () => {
  /** What a run of this scenario would have been measured at, request by request. */
  const measured = (scenario: Scenario): MeasuredRun => {
    const seen = Array.from({ length: requestCount(scenario) }, () => ({ ttft: 0, e2el: 0, tpot: 1 }))
    const exit = simulate(scenario, scenario.methods[0]!, {
      onLatency: (request, latency, ns) => {
        seen[request]![latency] = ns * 1e-9
      }
    })
    if (Exit.isFailure(exit)) throw new Error("does not run")
    const requests = seen.map(({ ttft, e2el, tpot }) => ({
      arrival: 0,
      input: 1,
      output: 1 + Math.round((e2el - ttft) / tpot),
      ttft,
      e2el
    }))
    return { name: "run", requests, latencies: latenciesOf(requests), notes: [] }
  }
  /** The same as a tool has it that keeps no times of each. */
  const told = (run: MeasuredRun): MeasuredRun => ({ ...run, requests: [] })
  const scenario = scenarioOf("extends: h100-sxm\n")
  const slow = { ...scenario, hardware: { ...scenario.hardware, stepOverhead: 3e-3 } }

  it.each([
    ["by half of its requests, which the other half judges", measured(slow), 12],
    ["by the whole of it, where there are no times of each", told(measured(slow)), undefined]
  ])("gives the host's work per pass back %s", (_how, run, heldOut) => {
    const found = fitRun(scenario, run)
    if ("problem" in found) throw new Error(found.problem)
    expect(found.figures["step_overhead"]! / 3e-3).toBeCloseTo(1, 1)
    expect(found.residuals.e2el).toBeLessThan(0.02)
    expect(found.heldOut).toBe(heldOut)
  })

  it("is not fitted to the half that judges", () => {
    const run = measured(slow)
    const later = run.requests.map((one, i) => (i < 12 ? one : { ...one, e2el: 2 * one.e2el! }))
    const found = fitRun(scenario, { ...run, requests: later })
    if ("problem" in found) throw new Error(found.problem)
    expect(found.figures["step_overhead"]! / 3e-3).toBeCloseTo(1, 1)
    expect(found.residuals.e2el).toBeCloseTo(0.5, 1)
  })

  it("gives the bandwidth of its all-reduces back", () => {
    const two = { ...scenario, engine: { ...scenario.engine, tensorParallelSize: 2 } }
    const interconnect = { ...scenario.hardware.interconnect, bandwidth: 12e9 }
    const found = fitRun(two, measured({ ...two, hardware: { ...two.hardware, interconnect } }))
    if ("problem" in found) throw new Error(found.problem)
    expect(found.figures["interconnect.bandwidth"]! / 12e9).toBeCloseTo(1, 1)
    // Not TTFT: of a dozen requests a percentile is one, and a pass sooner or later.
    expect(found.residuals.e2el).toBeLessThan(0.02)
  })

  it("fits nothing where host work hides, and refuses a run without times per token", () => {
    const ahead = { ...scenario, engine: { ...scenario.engine, asyncScheduling: true } }
    const found = fitRun(ahead, measured(ahead))
    if ("problem" in found) throw new Error(found.problem)
    expect([found.figures, found.heldOut]).toEqual([{}, undefined])
    expect(found.residuals.e2el).toBeLessThan(1e-12)
    const requests: readonly MeasuredRequest[] = [{ arrival: 0, input: 1, output: 1, ttft: 1, e2el: 1 }]
    const bare = { name: "bare", requests, latencies: latenciesOf(requests), notes: [] }
    expect(fitRun(scenario, bare)).toEqual({ problem: "bare has no times per output token to fit to" })
  })
})
