import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { stretchesOf } from "../../trace/occupation.ts"
import { TraceStore } from "../../trace/store.ts"
import { anyTrace, META } from "../../trace/trace.fixture.ts"
import { timelineModel } from "./model.ts"
import { countersIn, slicesIn, statisticsOf, transfersIn } from "./statistics.ts"

describe("statistics of a stretch", () => {
  it("are those of every slice that reaches into it, counted one by one", () => {
    fc.assert(
      fc.property(anyTrace, fc.nat(900), fc.nat(500), (trace, from, length) => {
        const area = { from, to: from + length }
        const { rows } = timelineModel(trace)
        const statistics = statisticsOf(trace, slicesIn(rows, area), rows)
        const { slices } = trace
        const expected = new Map<string, { count: number; total: number }>()
        for (let row = 0; row < slices.length; row++) {
          if (slices.end[row]! < area.from || slices.start[row]! >= area.to) continue
          const name = EVENT_KINDS[slices.kind[row]!]!
          const own = expected.get(name) ?? { count: 0, total: 0 }
          own.count++
          own.total += slices.end[row]! - slices.start[row]!
          expected.set(name, own)
        }
        const sums = new Map<string, { count: number; total: number }>()
        for (const { name, count, total, busy, p50, p95, p99, mean } of statistics) {
          const own = sums.get(name) ?? { count: 0, total: 0 }
          own.count += count
          own.total += total
          sums.set(name, own)
          expect(mean).toBeCloseTo(total / count, 9)
          expect(busy).toBeLessThanOrEqual(total)
          expect(p50).toBeLessThanOrEqual(p95)
          expect(p95).toBeLessThanOrEqual(p99)
        }
        expect(sums).toEqual(expected)
      })
    )
  })

  it("name what was moved, how fast, and what share of the roofline that is", () => {
    const trace = new TraceStore({
      ...META,
      peaks: { hbm: 4e9, hostToDevice: 2e9, deviceToHost: 1e9, basis: "assumed" }
    })
    const replica = trace.track({ name: "replica 0", kind: "replica" })
    const passes = trace.track({ name: "draft", kind: "gpu", parent: replica })
    const hbm = trace.track({ name: "HBM", kind: "hbm-bandwidth", parent: replica, unit: "bytes/s" })
    const link = trace.track({ name: "in", kind: "link-h2d", parent: replica })
    trace.counter(hbm, 0, 3e9)
    trace.counter(hbm, 100, 1e9)
    trace.slice(passes, "draft", 50, 150)
    // Two at once: 150 ns during which something moved.
    trace.slice(link, "reload", 100, 200, { bytes: 100 })
    trace.slice(link, "reload", 100, 250, { bytes: 50 })
    const { rows } = timelineModel(trace, stretchesOf(trace))
    const area = { from: 0, to: 300 }
    const by = new Map(statisticsOf(trace, slicesIn(rows, area), rows).map((one) => [one.name, one]))
    expect(by.get("draft")).toMatchObject({ bytes: 200, busy: 100, where: "GPU" })
    expect(by.get("draft")!.roofline).toBeCloseTo(0.5, 12)
    expect(by.get("reload")).toMatchObject({ bytes: 150, busy: 150, where: "link to device" })
    expect(by.get("reload")!.roofline).toBeCloseTo(0.5, 12)
    // Nothing ran from 150 on: 50 and 100 ns of the two transfers.
    expect(transfersIn(rows, area)).toEqual({ busy: 250, exposed: 150 })
    expect(transfersIn(rows, { from: 0, to: 160 })).toEqual({ busy: 120, exposed: 20 })
    expect(countersIn(rows, area)).toMatchObject([{ label: "HBM", least: 1e9, most: 3e9 }])
    expect(countersIn(rows, { from: 50, to: 150 })[0]!.mean).toBeCloseTo(2e9, 3)
  })
})
