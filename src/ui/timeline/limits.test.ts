import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Occupations } from "../../trace/occupation.ts"
import { boundedOf } from "../../trace/pass-limits.ts"
import { TraceStore } from "../../trace/store.ts"
import { anyTrace, META } from "../../trace/trace.fixture.ts"
import { LIMITS, Limits } from "./limits.ts"
import { timelineModel } from "./model.ts"

const PEAKS = { hbm: 1000, hostToDevice: 100, basis: "modelled" } as const

const limitsOf = (trace: TraceStore): Limits | undefined =>
  Limits.of(trace, timelineModel(trace), new Occupations(trace), boundedOf(trace))

/** Those that limit at all. */
const namedOf = (shares: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0))

describe("what limits", () => {
  it("is HBM for as long as it needs at its peak, the rest of passes, links nothing hides, or no work", () => {
    const trace = new TraceStore({ ...META, peaks: PEAKS })
    const replica = trace.track({ name: "replica 0", kind: "replica" })
    const gpu = trace.track({ name: "decode", kind: "gpu", parent: replica })
    const hbm = trace.track({
      name: "HBM bandwidth",
      kind: "hbm-bandwidth",
      parent: replica,
      unit: "bytes/s"
    })
    const link = trace.track({ name: "link", kind: "link-h2d", parent: replica })
    trace.slice(gpu, "decode", 0, 40)
    trace.slice(link, "reload", 30, 60)
    trace.counter(hbm, 0, 750)
    trace.counter(hbm, 40, 0)
    expect(limitsOf(trace)!.basis).toBe("derived")
    expect(namedOf(limitsOf(trace)!.shares(0, 100))).toEqual({
      "HBM at its peak rate": 0.3,
      "compute, launches and the rest": expect.closeTo(0.1, 12),
      link: 0.2,
      "no work": 0.4
    })
  })

  it("sums to the whole time, whatever happened", () => {
    fc.assert(
      fc.property(anyTrace, fc.nat(5000), fc.nat(5000), (any, from, length) => {
        const trace = new TraceStore({ ...any.meta, peaks: PEAKS })
        for (const track of any.tracks) trace.track(track)
        const { slices, counters } = any
        for (let row = 0; row < slices.length; row++)
          trace.slice(slices.track[row]!, "decode", slices.start[row]!, slices.end[row]!, {
            limitHbm: slices.limitHbm[row]! / 1e4,
            limitCompute: slices.limitCompute[row]! / 1e4
          })
        for (let row = 0; row < counters.length; row++)
          trace.counter(counters.track[row]!, counters.at[row]!, counters.value[row]!)
        const shares = limitsOf(trace)?.shares(from, from + 1 + length)
        if (shares === undefined) return
        expect(LIMITS.reduce((sum, name) => sum + shares[name], 0)).toBeCloseTo(1, 9)
      })
    )
  })

  it("is what passes say, and of passes that say nothing it is not known", () => {
    const trace = new TraceStore({ ...META, peaks: PEAKS })
    const replica = trace.track({ name: "replica 0", kind: "replica" })
    const gpu = trace.track({ name: "GPU", kind: "gpu", parent: replica })
    const lane = (name: string): number => trace.track({ name, kind: "gpu", parent: gpu })
    const [decode, verify] = [lane("decode"), lane("verify")]
    const hbm = trace.track({ name: "HBM", kind: "hbm-bandwidth", parent: replica, unit: "bytes/s" })
    trace.counter(hbm, 0, 1000)
    // One pass that did two things, and waited a tenth of its time for a stream.
    const shares = { limitHbm: 0.5, limitCompute: 0.2, limitInterconnect: 0.1, limitScheduling: 0.1 }
    trace.slice(decode, "decode", 0, 40, shares)
    trace.slice(verify, "verify", 0, 40, shares)
    trace.slice(decode, "decode", 40, 60)
    const limits = limitsOf(trace)!
    expect(limits.basis).toBe("recorded")
    expect(namedOf(limits.shares(0, 100))).toEqual({
      "HBM bandwidth": expect.closeTo(0.2, 12),
      compute: expect.closeTo(0.08, 12),
      interconnect: expect.closeTo(0.04, 12),
      "scheduling and launches": expect.closeTo(0.04, 12),
      link: expect.closeTo(0.04, 12),
      "passes that do not say": expect.closeTo(0.2, 12),
      "no work": expect.closeTo(0.4, 12)
    })
    // Of half the pass half its time.
    expect(limits.shares(20, 40)["HBM bandwidth"]).toBeCloseTo(0.5, 12)
  })

  it("is not known without a peak, or without what HBM moved", () => {
    const trace = new TraceStore({ ...META, peaks: PEAKS })
    trace.track({ name: "replica 0", kind: "replica" })
    expect(limitsOf(trace)).toBeUndefined()
  })
})
