import { describe, expect, it } from "vitest"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { TraceStore } from "../trace/store.ts"
import { Follower, slowed } from "./follow.ts"
import { retell } from "./retell.ts"
import { askLive, parseQuestion, type Question } from "./what-if.ts"

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 24)
const vericache = demo.methods.find(({ method }) => method.kind === "vericache")!
const slow = {
  ...demo,
  hardware: slowed(demo.hardware, { passes: 1, "host to device": 10, "device to host": 10 })
}

const question = (text: string): Question => {
  const read = parseQuestion(text)
  if ("problem" in read) throw new Error(read.problem)
  return read
}

const heard = (trace: TraceStore): Follower => {
  const follower = new Follower(demo, vericache.method, () => {})
  retell(trace, follower.hearing(new TraceStore(trace.meta)))
  return follower
}

/** The first rows of a trace. */
const beginning = (trace: TraceStore, rows: number): TraceStore => {
  const part = new TraceStore(trace.meta)
  const { slices } = trace
  Object.defineProperty(part, "slices", { value: { ...slices, length: Math.min(rows, slices.length) } })
  Object.defineProperty(part, "tracks", { value: trace.tracks })
  return part
}

describe("questions to a machine as it is", () => {
  it("are answered for the slowed link and not for the one in the profile", () => {
    const follower = heard(ran(slow, vericache).trace)
    const answers = askLive(follower, vericache.name, ["link=10", "window=8", "batch=1"].map(question))
    if (answers.kind !== "answered") throw new Error("nothing is stale here")
    const [faster, window, alone] = answers.answers
    const rate = (scenario: typeof demo): number =>
      ran(scenario, vericache).metrics.throughput.tokensPerSecond
    expect(faster!.now! / rate(slow)).toBeCloseTo(1, 1)
    expect(faster!.changed! / rate(demo)).toBeCloseTo(1, 1)
    expect(faster!.changed!).toBeGreaterThan(1.3 * faster!.now!)
    expect(window!.changed).not.toBe(window!.now)
    expect(alone!.changed!).toBeLessThan(alone!.now!)
  })

  it("get no number while a part has left its model and its level is unknown", () => {
    // A machine as its profile, and then a few transfers at a tenth of the rate.
    const follower = heard(ran(demo, vericache).trace)
    expect(askLive(follower, vericache.name, [question("window=8")]).kind).toBe("answered")
    const { trace } = ran(slow, vericache)
    for (
      let rows = 8;
      follower.standing("host to device") !== "stale" && rows < trace.slices.length;
      rows += 8
    )
      retell(beginning(trace, rows), follower.hearing(new TraceStore(trace.meta)), 1e15 + rows * 1e12)
    expect(askLive(follower, vericache.name, [question("window=8")])).toEqual({
      kind: "stale",
      parts: ["host to device"]
    })
  })

  it("say where a method has nothing of the kind, and what is assumed", () => {
    const named = demo.methods.find(({ method }) => method.kind === "full-kv")!
    const follower = new Follower(demo, named.method, () => {})
    const answers = askLive(follower, named.name, [question("window=8")])
    expect(answers).toMatchObject({
      kind: "answered",
      unproven: ["passes", "host to device", "device to host"],
      answers: [{ changed: undefined, note: `${named.name} has no window` }]
    })
    const keep = askLive(heard(ran(demo, vericache).trace), vericache.name, [question("keep=0.5")])
    expect(keep).toMatchObject({ answers: [{ note: expect.stringContaining("assumed") as string }] })
  })

  it("are refused with what was expected", () => {
    for (const [text, expected] of [
      ["windw=3", "expected window, keep, batch, link"],
      ["window", "1 to 4096 tokens"],
      ["window=2.5", "1 to 4096 tokens"],
      ["keep=1.5", "at most 1"],
      ["link=0", "above 0"],
      ["batch=", "1 request or more"]
    ] as const)
      expect(parseQuestion(text)).toMatchObject({ problem: expect.stringContaining(expected) as string })
  })
})
