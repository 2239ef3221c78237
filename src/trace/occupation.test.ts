import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { OCCUPATIONS, Occupations } from "./occupation.ts"
import { anyTrace, aRound, META } from "./trace.fixture.ts"
import { TraceStore } from "./store.ts"

describe("what time went to", () => {
  it("sums to 1 over any stretch of any trace, nothing below 0", () => {
    fc.assert(
      fc.property(anyTrace, fc.nat(10_000), fc.nat(10_000), (trace, from, length) => {
        const shares = Object.values(new Occupations(trace).shares(from, from + length))
        for (const share of shares) expect(share).toBeGreaterThanOrEqual(-1e-12)
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
      })
    )
  })

  it("is that of every nanosecond looked at by itself", () => {
    const slices = fc.array(fc.tuple(fc.constantFrom("draft", "verify", "reload"), fc.nat(30), fc.nat(20)), {
      minLength: 1,
      maxLength: 12
    })
    fc.assert(
      fc.property(slices, fc.nat(40), fc.integer({ min: 1, max: 30 }), (some, from, length) => {
        const trace = new TraceStore(META)
        const gpu = trace.track({ name: "GPU", kind: "gpu" })
        const lanes = [
          gpu,
          ...["a", "b", "c", "d"].map((name) => trace.track({ name, kind: "gpu", parent: gpu }))
        ]
        const link = trace.track({ name: "link", kind: "link-h2d", parent: gpu })
        for (const [i, [kind, start, took]] of some.entries())
          trace.slice(kind === "reload" ? link : lanes[i % 5]!, kind, start, start + took)
        const counts = new Map(OCCUPATIONS.map((name) => [name, 0]))
        for (let t = from; t < from + length; t++) {
          const active = some
            .filter(([, start, took]) => start <= t && t < start + took)
            .map(([kind]) => kind)
          const name = active.includes("verify")
            ? "verify"
            : active.includes("draft")
              ? "draft"
              : active.length > 0
                ? "exposed transfer"
                : "idle"
          counts.set(name, counts.get(name)! + 1 / length)
        }
        const shares = new Occupations(trace).shares(from, from + length)
        for (const name of OCCUPATIONS) expect(shares[name]).toBeCloseTo(counts.get(name)!, 9)
      })
    )
  })

  it("knows a round", () => {
    const { draft, verify, "exposed transfer": exposed } = new Occupations(aRound()).shares(0, 5500)
    expect([draft, verify, exposed]).toEqual([4000 / 5500, 1500 / 5500, 0])
  })
})
