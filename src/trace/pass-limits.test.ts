import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { boundedOf, boundedTime, PASS_LIMITS, passShares } from "./pass-limits.ts"
import { argValue, TraceStore } from "./store.ts"
import { META } from "./trace.fixture.ts"

const pass = fc.record({
  pause: fc.nat(20),
  takes: fc.integer({ min: 1, max: 50 }),
  hbm: fc.nat(6000),
  compute: fc.nat(2000),
  scheduling: fc.nat(2000)
})

/** Passes one after the other on the lanes of a replica, in turns. */
const traceOf = (passes: readonly (typeof pass extends fc.Arbitrary<infer P> ? P : never)[]): TraceStore => {
  const trace = new TraceStore(META)
  const replica = trace.track({ name: "replica", kind: "replica" })
  const lanes = ["decode", "draft"].map((name) => trace.track({ name, kind: "gpu", parent: replica }))
  let at = 0
  for (const [i, { pause, takes, hbm, compute, scheduling }] of passes.entries()) {
    at += pause
    const shares = { limitHbm: hbm / 1e4, limitCompute: compute / 1e4, limitScheduling: scheduling / 1e4 }
    trace.slice(lanes[i % 2]!, i % 2 === 0 ? "decode" : "draft", at, at + takes, shares)
    at += takes
  }
  return trace
}

describe("what bounded passes", () => {
  it("adds up, for any stretch, to what adding every pass up by hand gives", () => {
    fc.assert(
      fc.property(fc.array(pass, { maxLength: 30 }), fc.nat(1500), fc.nat(500), (passes, from, length) => {
        const trace = traceOf(passes)
        const { slices } = trace
        const told = boundedTime(boundedOf(trace), from, from + length)
        for (const limit of PASS_LIMITS) {
          let sum = 0
          for (let row = 0; row < slices.length; row++) {
            const inside = Math.min(slices.end[row]!, from + length) - Math.max(slices.start[row]!, from)
            if (inside > 0) sum += inside * (passShares(slices, row)?.[limit] ?? 0)
          }
          expect(told[limit]).toBeCloseTo(sum, 6)
        }
      })
    )
  })

  it("shares out all of a pass that says so: what is missing it waited for a stream", () => {
    const { slices } = traceOf([
      { pause: 0, takes: 10, hbm: 4000, compute: 0, scheduling: 2500 },
      { pause: 0, takes: 10, hbm: 0, compute: 0, scheduling: 0 }
    ])
    expect(passShares(slices, 0)).toEqual({
      hbm: 0.4,
      compute: 0,
      interconnect: 0,
      scheduling: 0.25,
      link: 0.35
    })
    expect(passShares(slices, 1)).toBeUndefined()
  })

  it("refuses what is no share", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "decode", kind: "gpu" })
    for (const limitHbm of [-0.1, 1.1, Number.NaN])
      expect(() => trace.slice(track, "decode", 0, 1, { limitHbm })).toThrow("is no share")
    expect(argValue("limitHbm", 2500)).toBe(0.25)
  })
})
