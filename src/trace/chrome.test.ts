import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chromeTrace } from "./chrome.ts"
import { type TraceMeta, TraceStore } from "./store.ts"
import { anyTrace, aRound, META } from "./trace.fixture.ts"

interface ChromeEvent {
  readonly ph: string
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur: number
  readonly id: number
  readonly args: Readonly<Record<string, unknown>>
}

const imported = (
  trace: TraceStore
): { readonly traceEvents: readonly ChromeEvent[]; readonly otherData: TraceMeta } =>
  JSON.parse([...chromeTrace(trace)].join(""))

describe("Chrome traces", () => {
  it("have slices in microseconds, on named threads of named processes", () => {
    const { traceEvents, otherData } = imported(aRound())
    expect(otherData).toMatchObject(META)
    const verify = traceEvents.findLast(({ ph, name }) => ph === "X" && name === "verify")!
    expect(verify).toMatchObject({ ts: 4, dur: 1.5, args: { request: 0, tokens: 3, accepted: 2, round: 1 } })
    const metadata = (name: string, pid: number, tid?: number): unknown =>
      traceEvents.find(
        (each) => each.name === name && each.pid === pid && (tid === undefined || each.tid === tid)
      )?.args["name"]
    expect(metadata("process_name", verify.pid)).toBe("replica 0")
    expect(metadata("thread_name", verify.pid, verify.tid)).toBe("request 0")
    const pass = traceEvents.find(({ ph, name }) => ph === "X" && name === "draft")!
    expect(metadata("thread_name", pass.pid, pass.tid)).toMatch(/passes|request 0/)
  })

  it("say what bounded a pass, as shares", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "decode", kind: "gpu" })
    trace.slice(track, "decode", 0, 10, { tokens: 3, limitHbm: 0.6001, limitScheduling: 0.3999 })
    const pass = imported(trace).traceEvents.find(({ ph }) => ph === "X")!
    expect(pass.args).toEqual({ tokens: 3, limitHbm: 0.6001, limitScheduling: 0.3999 })
  })

  it("sample counters under their unit", () => {
    const samples = imported(aRound()).traceEvents.filter(
      ({ ph, name }) => ph === "C" && name === "HBM occupancy"
    )
    expect(samples.map(({ ts, args }) => [ts, args["bytes"]])).toEqual([
      [0, 16e9],
      [3.5, 20.5e9]
    ])
  })

  it("start each arrow on a slice and finish it on another", () => {
    const { traceEvents } = imported(aRound())
    const ends = traceEvents.filter(({ name }) => name === "flow").map(({ ph, id, ts }) => [ph, id, ts])
    expect(ends).toEqual([
      ["s", 1, 0],
      ["f", 1, 1.5],
      ["s", 2, 1.5],
      ["f", 2, 4]
    ])
  })

  it("come in chunks when they are large", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "passes", kind: "gpu" })
    for (let i = 0; i < 5000; i++) trace.slice(track, "decode", i * 10, i * 10 + 9, { tokens: i })
    expect([...chromeTrace(trace)].length).toBeGreaterThan(1)
    expect(imported(trace).traceEvents.filter(({ ph }) => ph === "X").length).toBe(5000)
  })

  it("hold together for any trace: nothing lost, every thread named, slices of a thread never cross", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const { traceEvents } = imported(trace)
        const count = (ph: string): number => traceEvents.filter((event) => event.ph === ph).length
        expect([count("X"), count("i"), count("C"), count("s"), count("f")]).toEqual([
          trace.slices.length,
          trace.instants.length,
          trace.counters.length,
          trace.flows.length,
          trace.flows.length
        ])
        const thread = ({ pid, tid }: ChromeEvent): string => `${pid}/${tid}`
        const named = new Set(traceEvents.filter(({ name }) => name === "thread_name").map(thread))
        const slices = traceEvents.filter(({ ph }) => ph === "X")
        for (const slice of slices) expect(named).toContain(thread(slice))
        const ns = ({ ts, dur }: ChromeEvent): readonly [number, number] => [
          Math.round(ts * 1e3),
          Math.round((ts + dur) * 1e3)
        ]
        for (const [index, a] of slices.entries()) {
          for (const b of slices.slice(0, index).filter((each) => thread(each) === thread(a))) {
            const [startA, endA] = ns(a)
            const [startB, endB] = ns(b)
            const apart = endA <= startB || endB <= startA
            const inside = (startA >= startB && endA <= endB) || (startB >= startA && endB <= endA)
            expect(apart || inside).toBe(true)
          }
        }
      })
    )
  })
})
