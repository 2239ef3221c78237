import { describe, expect, it } from "vitest"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { TraceStore } from "../trace/store.ts"
import { Follower, type Part, type PartShift, slowed } from "./follow.ts"
import { retell } from "./retell.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 24)
const vericache = demo.methods.find(({ method }) => method.kind === "vericache")!

/** What a follower of the demo's model says of machines that take turns, a run each. */
const followed = (named: NamedMethod, ...machines: readonly Scenario[]) => {
  const shifts: PartShift[] = []
  const follower = new Follower(demo, named.method, (shift) => shifts.push(shift))
  let at = 0
  for (const machine of machines) {
    const { trace } = ran(machine, named)
    at = retell(trace, follower.hearing(new TraceStore(trace.meta)), at)
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

  it("takes failing reloads and scarce host memory for what they are, and not for a slower machine", () => {
    const failing = { ...demo, faults: { ...demo.faults, reloadFailure: 0.3 } }
    const { metrics } = ran(failing, vericache)
    expect(metrics.events.transferFailures).toBeGreaterThan(0)
    const scarce = {
      ...demo,
      hardware: {
        ...demo.hardware,
        host: { ...demo.hardware.host, capacity: demo.hardware.host.capacity / 16 }
      }
    }
    const few = ran(scarce, vericache).metrics.throughput.tokensPerSecond
    expect(few).toBeLessThan(0.9 * ran(demo, vericache).metrics.throughput.tokensPerSecond)
    for (const machine of [failing, scarce]) {
      const { follower, shifts } = followed(vericache, demo, machine)
      expect(shifts).toEqual([])
      expect(follower.standing("host to device")).toBe("current")
      expect(follower.factors["host to device"]).toBeCloseTo(1, 1)
    }
  })
})
