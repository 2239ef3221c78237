import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hidingOf } from "./hiding.ts"
import { TraceStore } from "./store.ts"
import { aRound, META } from "./trace.fixture.ts"

describe("what of a run's reloads is hidden", () => {
  it("is what a pass ran beside, nanosecond by nanosecond, each replica by itself", () => {
    const slice = fc.tuple(
      fc.constantFrom("draft", "verify", "reload", "stream", "save"),
      fc.nat(1),
      fc.nat(30),
      fc.nat(20)
    )
    fc.assert(
      fc.property(fc.array(slice, { maxLength: 14 }), (some) => {
        const trace = new TraceStore(META)
        const replicas = [0, 1].map((at) => {
          const replica = trace.track({ name: `replica ${at}`, kind: "replica" })
          return {
            gpu: trace.track({ name: "GPU", kind: "gpu", parent: replica }),
            into: trace.track({ name: "in", kind: "link-h2d", parent: replica }),
            out: trace.track({ name: "out", kind: "link-d2h", parent: replica })
          }
        })
        for (const [kind, at, start, took] of some) {
          const { gpu, into, out } = replicas[at]!
          const track = kind === "save" ? out : kind === "reload" || kind === "stream" ? into : gpu
          trace.slice(track, kind, start, start + took)
        }
        const passes = some.filter(([kind]) => kind === "draft" || kind === "verify")
        const reloads = some.filter(([kind]) => kind === "reload")
        let [seconds, hidden] = [0, 0]
        for (const [, at, start, took] of reloads)
          for (let t = start; t < start + took; t++) {
            seconds += 1e-9
            if (passes.some(([, on, from, long]) => on === at && from <= t && t < from + long)) hidden += 1e-9
          }
        const found = hidingOf(trace)
        expect(found.reloads).toBe(reloads.length)
        expect(found.seconds).toBeCloseTo(seconds, 12)
        expect(found.hidden).toBeCloseTo(hidden, 12)
        const streams = some.filter(([kind]) => kind === "stream")
        expect(found.streams).toBe(streams.length)
        expect(found.streamed).toBeCloseTo(1e-9 * streams.reduce((sum, one) => sum + one[3], 0), 12)
      })
    )
  })

  it("is all of the reload of a round that drafts meanwhile", () => {
    const { reloads, seconds, hidden } = hidingOf(aRound())
    expect(reloads).toBe(1)
    expect(seconds).toBeCloseTo(2e-6, 12)
    expect(hidden).toBeCloseTo(2e-6, 12)
  })
})
