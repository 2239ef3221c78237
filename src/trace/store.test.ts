import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { EVENT_KINDS } from "./recorder.ts"
import { eventRow, TraceStore } from "./store.ts"
import { anyPlan, aRound, META, recorded } from "./trace.fixture.ts"

describe("the trace store", () => {
  it("keeps what it is told, as columns", () => {
    const { slices, instants, counters, flows, tracks } = aRound()
    expect(tracks.map(({ name }) => name)).toContain("HBM occupancy")
    expect(slices.length).toBe(8)
    const verify = slices.length - 1
    expect(EVENT_KINDS[slices.kind[verify]!]).toBe("verify")
    expect([
      slices.start[verify],
      slices.end[verify],
      slices.tokens[verify],
      slices.accepted[verify]
    ]).toEqual([4000, 5500, 3, 2])
    expect(slices.request[verify]).toBe(1)
    expect(slices.bytes[5]).toBe(4.5e9)
    expect([...instants.at]).toEqual([0, 5500])
    expect([...counters.value]).toEqual([16e9, 1, 20.5e9])
    expect(flows.length).toBe(2)
    expect(eventRow(flows.to[0]!)).toEqual({ group: "slices", row: 5 })
  })

  it("has the digest it always had", () => {
    expect(aRound().digest()).toBe("223790e9ec043c79")
  })

  it("has another digest if anything differs", () => {
    const changes: ((trace: TraceStore) => void)[] = [
      (trace) => trace.track({ name: "more", kind: "host" }),
      (trace) => trace.slice(0, "draft", 0, 1),
      (trace) => trace.instant(0, "admit", 0),
      (trace) => trace.counter(4, 0, 0),
      (trace) => trace.flow(0, 2)
    ]
    const digests = changes.map((change) => {
      const trace = aRound()
      change(trace)
      return trace.digest()
    })
    expect(new Set([...digests, aRound().digest()]).size).toBe(changes.length + 1)
  })

  it("grows beyond its first room without losing a row", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "t", kind: "gpu" })
    for (let i = 0; i < 10_000; i++) trace.slice(track, "draft", i, i + 1, { tokens: i })
    const { slices } = trace
    expect(slices.length).toBe(10_000)
    expect(slices.tokens.every((tokens, row) => tokens === row && slices.start[row] === row)).toBe(true)
    expect(trace.byteLength).toBeLessThan(10_000 * 2 * 69)
  })

  it("keeps the first records up to its limit, and counts the rest", () => {
    fc.assert(
      fc.property(anyPlan, fc.integer({ min: 1, max: 60 }), (plan, limit) => {
        const whole = recorded(plan)
        const part = recorded(plan, { limit })
        expect(part.length).toBeLessThanOrEqual(limit)
        expect(part.length + part.dropped).toBe(whole.length)
        expect([...part.slices.start]).toEqual([...whole.slices.start.subarray(0, part.slices.length)])
      })
    )
  })

  it("takes no memory for what comes after the limit", () => {
    const trace = new TraceStore(META, { limit: 100 })
    const replica = trace.track({ name: "replica", kind: "replica" })
    for (let id = 0; id < 10_000; id++) {
      const track = trace.track({ name: `request ${id}`, kind: "request", parent: replica })
      const draft = trace.slice(track, "draft", id, id + 1)
      trace.flow(draft, trace.slice(track, "verify", id + 1, id + 2))
    }
    expect(trace.length).toBe(100)
    expect(trace.dropped).toBe(29_900)
    expect(trace.tracks.length).toBeLessThan(100)
  })

  it.each<readonly [string, (trace: TraceStore) => unknown]>([
    ["an unknown track", (trace) => trace.slice(99, "draft", 0, 1)],
    ["an unknown parent", (trace) => trace.track({ name: "t", kind: "gpu", parent: 99 })],
    ["an end before the start", (trace) => trace.slice(0, "draft", 2, 1)],
    ["part of a nanosecond", (trace) => trace.instant(0, "admit", 0.5)],
    ["a time before the start", (trace) => trace.instant(0, "admit", -1)],
    ["a counter that is no number", (trace) => trace.counter(4, 0, Number.NaN)],
    ["half a token", (trace) => trace.instant(0, "commit", 0, { tokens: 0.5 })],
    ["an unknown event", (trace) => trace.flow(0, 99)]
  ])("refuses %s", (_, misuse) => {
    expect(() => misuse(aRound())).toThrow()
  })
})
