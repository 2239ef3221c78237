import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Hardware, Scenario } from "../scenario/resolved.ts"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { type RecordedRun, refit } from "./refit.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 8)

/** What a machine of this kind would have recorded. */
const recorded = (scenario: Scenario, ...kinds: readonly string[]): readonly RecordedRun[] =>
  scenario.methods
    .filter(({ method }) => kinds.includes(method.kind))
    .map((named) => ({ scenario, method: named.method, trace: ran(scenario, named).trace }))

/** The demo's hardware but for some factors: the machine whose profile is wrong. */
const machine = (
  { hardware }: Scenario,
  factors: {
    readonly matmul: number
    readonly attention: number
    readonly link: number
    readonly step: number
  }
): Hardware => {
  const { efficiency, link } = hardware
  const matmul = { ...efficiency.matmul, memory: efficiency.matmul.memory * factors.matmul }
  const decode = efficiency["attention-decode"]
  return {
    ...hardware,
    stepOverhead: factors.step,
    link: { ...link, hostToDevice: link.hostToDevice * factors.link },
    efficiency: {
      ...efficiency,
      matmul,
      "attention-decode": { ...decode, memory: decode.memory * factors.attention }
    }
  }
}

const factors = fc.record({
  matmul: fc.double({ min: 0.4, max: 1, noNaN: true }),
  attention: fc.double({ min: 0.4, max: 1, noNaN: true }),
  link: fc.double({ min: 0.1, max: 1, noNaN: true }),
  step: fc.double({ min: 1e-4, max: 5e-3, noNaN: true })
})

describe("a profile refitted to recorded runs", () => {
  it("predicts the machine that recorded them, whatever profile it starts from", () => {
    fc.assert(
      fc.property(factors, (some) => {
        const real = { ...demo, hardware: machine(demo, some) }
        const runs = recorded(real, "full-kv", "vericache").map((run) => ({ ...run, scenario: demo }))
        const found = refit(runs, demo.hardware)!
        expect(found.passes.heldOutMedian).toBeLessThan(0.01)
        expect(found.passes.heldOutP90).toBeLessThan(0.05)
        expect(found.links.host_to_device!.bandwidth / 2).toBeCloseTo(real.hardware.link.hostToDevice, -8)
      }),
      { numRuns: 6 }
    )
  })

  it("tells what a block of rows costs in matmuls, where the profile says how many rows that is", () => {
    const { efficiency } = demo.hardware
    const guess = { ...demo, hardware: { ...demo.hardware, matmulBlock: { rows: 8 } } }
    const matmul = { ...efficiency.matmul, perBlock: 40e-6 }
    const real = { ...demo, hardware: { ...guess.hardware, efficiency: { ...efficiency, matmul } } }
    const runs = recorded(real, "full-kv", "vericache").map((run) => ({ ...run, scenario: guess }))
    const found = refit(runs, guess.hardware)!
    expect(found.figures["efficiency.matmul.per_block"]! / 40e-6).toBeCloseTo(1, 1)
    expect(found.passes.heldOutMedian).toBeLessThan(0.01)
  })

  it("tells what packing an entry costs when a prompt is compressed, where a profile does not say", () => {
    const prompts: Scenario = { ...demo, workload: { ...demo.workload, context: "prefill" } }
    const real = { ...prompts, hardware: { ...prompts.hardware, compressionPerEntry: 20e-6 } }
    const runs = recorded(real, "full-kv", "vericache").map((run) => ({ ...run, scenario: prompts }))
    const found = refit(runs, prompts.hardware)!
    expect(found.figures["compression_per_entry"]! / 20e-6).toBeCloseTo(1, 1)
    expect(found.passes.heldOutMedian).toBeLessThan(0.01)
    const free = refit(recorded(prompts, "full-kv", "vericache"), prompts.hardware)!
    expect(free.hardware.compressionPerEntry).toBeUndefined()
  })

  it("leaves a right profile as it is", () => {
    const found = refit(recorded(demo, "full-kv", "vericache"), demo.hardware)!
    expect(found.passes.heldOutMedian).toBeLessThan(0.005)
    for (const [name, value] of Object.entries(found.figures)) {
      if (name === "efficiency.matmul.memory")
        expect(value / demo.hardware.efficiency.matmul.memory).toBeCloseTo(1, 1)
    }
    expect(found.untold.unseen).toContain("efficiency.lm-head.compute")
  })

  it("keeps a share that would have to be above the peak, and names it", () => {
    const runs = recorded(demo, "full-kv", "vericache")
    const half = {
      ...demo.hardware,
      hbm: { ...demo.hardware.hbm, bandwidth: demo.hardware.hbm.bandwidth / 4 }
    }
    const found = refit(
      runs.map((run) => ({ ...run, scenario: { ...demo, hardware: half } })),
      half
    )!
    const { untold, hardware, figures } = found
    expect(untold["at a bound"]).toContain("efficiency.matmul.memory")
    expect(hardware.efficiency.matmul.memory).toBe(half.efficiency.matmul.memory)
    expect(figures).not.toHaveProperty("efficiency.matmul.memory")
  })

  it("needs more than a handful of passes", () => {
    const short = shortened(demo, 0)
    expect(refit(recorded(short, "full-kv"), demo.hardware)).toBeUndefined()
  })
})
