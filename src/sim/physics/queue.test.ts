import { Effect, Exit } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BatchGroup } from "../../runtime/group.ts"
import type { Iteration } from "../../runtime/ports.ts"
import type { OneQueue } from "../../scenario/resolved.ts"
import { CostModel } from "../cost/cost-model.ts"
import { readCatalog, readScenario } from "../scenarios.fixture.ts"
import { VirtualTime } from "../virtual-time.ts"
import { Judge } from "./judge.ts"
import { type GpuModel, PricedRun } from "./priced-run.ts"
import { DeviceQueue, QueuedGpu, queuedLink } from "./queue.ts"

const { hardware, model: shapes } = readScenario("llama-8b-h100-chat.yaml", readCatalog())
/** `host`: seconds of its work around a submission. */
const modelWith = (host: number): GpuModel => ({
  cost: new CostModel(shapes, { ...hardware, stepOverhead: host, stepOverheadPerRequest: 0 }, 1, 1),
  judge: new Judge(undefined, undefined),
  draftPairs: 1,
  window: 0,
  drafterWeights: 0,
  drafterKv: 0
})
const model = modelWith(0)

const decoding = (steps: number): Iteration => {
  const decode = new BatchGroup(1, 0)
  decode.join(0, 1000, 0)
  return { index: 0, steps, decode, draft: new BatchGroup(1, 0), verify: [], prefill: [], proposals: 0 }
}

/** Seconds of a run of steps that nothing disturbs, on the device. */
const alone = (steps: number): number => new PricedRun(model, decoding(steps)).nanoseconds(0, steps, 1) * 1e-9

const BANDWIDTH = 1e9

const device = (facts: OneQueue, way: "in" | "out" = "in", latency = 1e-6, host = 0) => {
  const time = new VirtualTime()
  const queue = new DeviceQueue(time.kernel)
  return {
    time,
    gpu: new QueuedGpu(queue, host === 0 ? model : modelWith(host), facts),
    link: queuedLink(queue, { bandwidth: BANDWIDTH, latency, through: [], failure: 0 }, facts, way, 1)
  }
}

const RELOAD = { request: 0, kind: "reload" } as const

describe("a device with one queue", () => {
  it("hides nothing of a copy: passes and copies together take as long as one after the other", () => {
    const some = fc.record({
      steps: fc.integer({ min: 1, max: 40 }),
      bytes: fc.integer({ min: 1, max: 5e7 }),
      each: fc.integer({ min: 1, max: 64 }),
      chunk: fc.integer({ min: 1e5, max: 1e7 })
    })
    fc.assert(
      fc.property(some, ({ steps, bytes, each, chunk }) => {
        const { time, gpu, link } = device({ submission: 0, steps: each, chunk })
        const both = Effect.all([gpu.run(decoding(steps)), link.move({ ...RELOAD, bytes })], {
          concurrency: 2
        })
        expect(time.simulate(both)._tag).toBe("Success")
        const together = alone(steps) + bytes / BANDWIDTH
        expect(time.kernel.now * 1e-9).toBeGreaterThan(together - 1e-6)
        expect(time.kernel.now * 1e-9).toBeLessThan(together + 2e-6)
      }),
      { numRuns: 60 }
    )
  })

  it("lets a copy begin when the submission before it ends, and passes slip between its pieces", () => {
    const { time, gpu, link } = device({ submission: 0, steps: 10, chunk: 1e6 })
    const ends = { run: 0, small: 0, large: 0 }
    const told = (which: keyof typeof ends) => Effect.sync(() => void (ends[which] = time.kernel.now * 1e-9))
    time.simulate(
      Effect.all(
        [
          Effect.andThen(gpu.run(decoding(20)), told("run")),
          Effect.andThen(link.move({ ...RELOAD, bytes: 1e6 }), told("small")),
          Effect.andThen(link.move({ ...RELOAD, bytes: 3e6 }), told("large"))
        ],
        { concurrency: 3 }
      )
    )
    // Ten steps are submitted, then both copies' first pieces, then the other ten.
    expect(ends.small).toBeCloseTo(alone(10) + 0.001, 4)
    expect(ends.run).toBeCloseTo(alone(20) + 0.002, 4)
    expect(ends.large).toBeCloseTo(alone(20) + 0.004, 4)
  })

  it.each([
    ["out", {}, true],
    ["in", {}, false],
    ["in", { copiesFirst: true }, true]
  ] as const)("copies %s what is ordered with a pass (%o): before that pass is %s", (way, facts, first) => {
    // A staging buffer takes longer than the host needs to record the pass.
    const latency = 2e-3
    const { time, gpu, link } = device({ submission: 1e-3, steps: 64, chunk: 1e6, ...facts }, way, latency)
    let end = 0
    const copy = Effect.andThen(
      link.move({ ...RELOAD, bytes: 1e5 }),
      Effect.sync(() => void (end = time.kernel.now * 1e-9))
    )
    time.simulate(Effect.all([copy, gpu.run(decoding(5))], { concurrency: 2 }))
    const copying = 1e5 / BANDWIDTH
    // Of a copy in that went first the host hears after the latency at the earliest.
    const own = way === "out" ? copying + latency : latency
    expect(end).toBeCloseTo(first ? own : 1e-3 + alone(5) + copying, 6)
    // What goes first fits into the time the host takes to record the pass.
    expect(time.kernel.now * 1e-9).toBeCloseTo(1e-3 + alone(5) + (first ? 0 : copying), 6)
  })

  it("is free for copies while the host works, once a submission however many steps it has", () => {
    const host = 0.05
    const { time, gpu, link } = device({ submission: 0, steps: 8, chunk: 1e9 }, "in", 1e-6, host)
    time.simulate(gpu.run(decoding(16)))
    expect(time.kernel.now * 1e-9).toBeCloseTo(alone(16) + 2 * host, 6)
    const before = time.kernel.now * 1e-9
    const copy = link.move({ ...RELOAD, bytes: 0.04 * BANDWIDTH })
    time.simulate(Effect.all([gpu.run(decoding(8)), copy], { concurrency: 2 }))
    expect(time.kernel.now * 1e-9 - before).toBeCloseTo(alone(8) + host, 6)
  })

  it("keeps its queue for what streams into a pass, which ends with it, as do rows that go home layer by layer", () => {
    for (const way of ["in", "out"] as const) {
      const { time, gpu, link } = device({ submission: 0, steps: 8, chunk: 1e6 }, way, 1e-3)
      let end = 0
      const kind = way === "in" ? "stream" : "save"
      const copy = Effect.andThen(
        link.move({ request: -1, kind, bytes: 1e6 }),
        Effect.sync(() => void (end = time.kernel.now * 1e-9))
      )
      time.simulate(Effect.all([copy, gpu.run(decoding(1))], { concurrency: 2 }))
      const streamed = way === "in" ? 1e-3 + 1e6 / BANDWIDTH : 0
      expect(time.kernel.now * 1e-9).toBeCloseTo(streamed + alone(1), 6)
      expect(end).toBeCloseTo(streamed + alone(1), 6)
    }
  })

  it("does not wait with a stream for passes that come later", () => {
    const { time, gpu, link } = device({ submission: 0, steps: 64, chunk: 1e6 }, "in", 1e-3)
    const late = Effect.andThen(Effect.sleep(1), link.move({ request: 0, kind: "stream", bytes: 1e6 }))
    expect(time.simulate(Effect.all([late, gpu.run(decoding(20))], { concurrency: 2 }))._tag).toBe("Success")
    expect(time.kernel.now * 1e-9).toBeCloseTo(alone(20) + 1e-3 + 1e6 / BANDWIDTH, 6)
  })

  it("is cut only between submissions, and pays for each", () => {
    const { time, gpu } = device({ submission: 0.5, steps: 8, chunk: 1e6 })
    const cutter = Effect.andThen(Effect.sleep(700), Effect.sync(gpu.cut))
    const exit = time.simulate(Effect.all([gpu.run(decoding(64)), cutter], { concurrency: 2 }))
    // After 0.7 s the second submission is under way.
    expect(Exit.isSuccess(exit) && exit.value[0].steps).toBe(16)
    expect(time.kernel.now * 1e-9).toBeCloseTo(alone(16) + 2 * 0.5, 6)
  })
})
