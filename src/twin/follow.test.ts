import { describe, expect, it } from "vitest"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { EVENT_KINDS, type Recorder } from "../trace/recorder.ts"
import { TraceStore } from "../trace/store.ts"
import { Follower, type Part, type PartShift, slowed } from "./follow.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 24)
const vericache = demo.methods.find(({ method }) => method.kind === "vericache")!

/** Tells a recorder what a trace holds, in the order it happened, times shifted by `later`. */
const replay = (trace: TraceStore, to: Recorder, later: number): number => {
  const ids = trace.tracks.map((spec) => to.track(spec))
  const { slices } = trace
  let last = 0
  for (let row = 0; row < slices.length; row++) {
    const [start, end] = [slices.start[row]! + later, slices.end[row]! + later]
    last = Math.max(last, end)
    to.slice(ids[slices.track[row]!]!, EVENT_KINDS[slices.kind[row]!]!, start, end, {
      tokens: slices.tokens[row]!,
      bytes: slices.bytes[row]!,
      steps: slices.steps[row]!,
      members: slices.members[row]!,
      kvTokens: slices.kvTokens[row]!
    })
  }
  return last
}

/** What a follower of the demo's model says of machines that take turns, a run each. */
const followed = (named: NamedMethod, ...machines: readonly Scenario[]) => {
  const shifts: PartShift[] = []
  const follower = new Follower(demo, named.method, (shift) => shifts.push(shift))
  let at = 0
  for (const machine of machines) {
    const { trace } = ran(machine, named)
    at = replay(trace, follower.hearing(new TraceStore(trace.meta)), at)
  }
  return { follower, shifts }
}

const on = (factors: Partial<Record<Part, number>>): Scenario => ({
  ...demo,
  hardware: slowed(demo.hardware, { passes: 1, "host to device": 1, "device to host": 1, ...factors })
})

describe("a twin beside a machine", () => {
  it("finds nothing to say of a machine that is as its profile", () => {
    const { follower, shifts } = followed(vericache, demo, demo)
    expect(shifts).toEqual([])
    expect(follower.standing("host to device")).toBe("current")
    expect(follower.factors["host to device"]).toBeCloseTo(1, 2)
    expect(follower.factors.passes).toBeCloseTo(1, 1)
  })

  it("notices a link slowed to a tenth, and answers for the machine as it is then", () => {
    const slow = on({ "host to device": 10 })
    const { follower, shifts } = followed(vericache, demo, slow, slow)
    expect(shifts.map(({ part }) => part)).toContain("host to device")
    expect(follower.factors["host to device"]).toBeCloseTo(10, 0)
    const { live } = follower
    expect(live.hardware.link.hostToDevice / slow.hardware.link.hostToDevice).toBeCloseTo(1, 1)
    // What the live state predicts is what the slow machine does, and not what the profile said.
    const rate = (scenario: Scenario): number => ran(scenario, vericache).metrics.throughput.tokensPerSecond
    expect(rate(live) / rate(slow)).toBeCloseTo(1, 1)
    expect(rate(live) / rate(demo)).toBeLessThan(0.8)
  })

  it("follows a GPU that throttles", () => {
    const { follower, shifts } = followed(vericache, demo, on({ passes: 1.6 }))
    expect(shifts.filter(({ part }) => part === "passes").length).toBeGreaterThan(0)
    expect(follower.factors.passes).toBeCloseTo(1.6, 1)
  })
})
