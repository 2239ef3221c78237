import { describe, expect, it } from "vitest"
import type { Scenario } from "../scenario/resolved.ts"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { replaying } from "./recorded.ts"
import { replay } from "./replay.ts"
import { Diverged } from "./replay-ports.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 12)
const vericache = demo.methods.find(({ method }) => method.kind === "vericache")!

describe("a run replayed under the simulator's runtime", () => {
  it.each(demo.methods)("decides the same at every instant: $name", (named) => {
    const { trace } = ran(demo, named)
    const { trace: again } = replay(demo, named, trace)
    expect(again.instants.length).toBe(trace.instants.length)
    expect(again.slices.length).toBe(trace.slices.length)
    // Word of a transfer that ends with a pass comes a nanosecond before it.
    const latest = (ours: Float64Array, theirs: Float64Array): number =>
      ours.reduce((most, time, row) => Math.max(most, Math.abs(time - theirs[row]!)), 0)
    expect(latest(again.slices.end, trace.slices.end)).toBeLessThanOrEqual(1)
    expect(latest(again.instants.at, trace.instants.at)).toBeLessThanOrEqual(1)
  })

  it("says where the runtime asks for something else", () => {
    const { trace } = ran(demo, vericache)
    const other = { ...demo, seed: demo.seed + 1, workload: { ...demo.workload, requests: 5 } } as Scenario
    expect(() => replay(other, vericache, trace)).toThrow(Diverged)
  })
})

describe("a scenario that decides as a recorded run did", () => {
  it("keeps in every round what the run kept, whatever seed and acceptance it has of its own", () => {
    const { trace, metrics } = ran(demo, vericache)
    const guess = { ...demo, seed: 99 }
    const again = replaying(guess, trace)
    const named = again.methods.find(({ name }) => name === vericache.name)!
    expect(ran(again, named).metrics.rounds).toEqual(metrics.rounds)
    expect(ran(guess, vericache).metrics.rounds).not.toEqual(metrics.rounds)
  })
})
