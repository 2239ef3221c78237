import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { shortened } from "../sim/scenarios.fixture.ts"
import { simulate } from "../sim/simulate.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { TraceStore } from "../trace/store.ts"
import { replaying } from "./recorded.ts"
import { Diverged, replayPorts } from "./replay-ports.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 12)
const vericache = demo.methods.find(({ method }) => method.kind === "vericache")!

const replay = (scenario: Scenario, named: NamedMethod, trace: TraceStore) => {
  const again = new TraceStore(trace.meta)
  const exit = simulate(scenario, named, { recorder: again, ports: (kernel) => replayPorts(kernel, trace) })
  return { exit, again }
}

describe("a run replayed under the simulator's runtime", () => {
  it.each(demo.methods.filter(({ method }) => !("drafter" in method)))(
    "decides the same at every instant: $name",
    (named) => {
      const { trace } = ran(demo, named)
      const { exit, again } = replay(demo, named, trace)
      expect(Exit.isSuccess(exit)).toBe(true)
      expect(again.instants.length).toBe(trace.instants.length)
      expect(again.slices.length).toBe(trace.slices.length)
      expect([...again.slices.end].join()).toBe([...trace.slices.end].join())
      expect([...again.instants.at].join()).toBe([...trace.instants.at].join())
    }
  )

  it("says where the runtime asks for something else", () => {
    const { trace } = ran(demo, vericache)
    const other = { ...demo, seed: demo.seed + 1, workload: { ...demo.workload, requests: 5 } } as Scenario
    const { exit } = replay(other, vericache, trace)
    expect(Exit.isFailure(exit) && String(exit.cause)).toContain(Diverged.name)
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
