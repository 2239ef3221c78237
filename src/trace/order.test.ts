import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { lanesOf, moments } from "./order.ts"
import { TraceStore } from "./store.ts"
import { anyTrace, META } from "./trace.fixture.ts"

/** `[` and `]` around a slice's row, `!` before an instant's, `=` before a sample's. */
const MARKS = { begin: "[", end: "]", instant: "!", counter: "=" } as const

const told = (trace: TraceStore): string =>
  [...moments(trace)].map(({ moment, row }) => MARKS[moment] + row).join(" ")

const traceOf = (...slices: readonly (readonly [start: number, end: number])[]): TraceStore => {
  const trace = new TraceStore(META)
  const track = trace.track({ name: "t", kind: "gpu" })
  for (const [start, end] of slices) trace.slice(track, "draft", start, end)
  return trace
}

describe("the order of a trace", () => {
  it("ends one slice before the next begins", () => {
    expect(told(traceOf([0, 5], [5, 9]))).toBe("[0 ]0 [1 ]1")
  })

  it("keeps inner slices inside, whatever order they were recorded in", () => {
    expect(told(traceOf([0, 3], [0, 9], [3, 9]))).toBe("[1 [0 ]0 [2 ]2 ]1")
  })

  it("closes a slice that takes no time where it opens", () => {
    expect(told(traceOf([0, 5], [5, 5], [5, 9]))).toBe("[0 ]0 [2 [1 ]1 ]2")
  })

  it("has each thing once, by time, each end after its begin", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const seen = new Set<string>()
        let last = 0
        for (const { moment, row, at } of moments(trace)) {
          expect(at).toBeGreaterThanOrEqual(last)
          last = at
          expect(seen.has(MARKS[moment] + row)).toBe(false)
          seen.add(MARKS[moment] + row)
          if (moment === "end") expect(seen).toContain(MARKS.begin + row)
        }
        expect(seen.size).toBe(2 * trace.slices.length + trace.instants.length + trace.counters.length)
      })
    )
  })

  it("needs one lane for slices that nest and as many as lie across each other at once", () => {
    expect([...lanesOf(traceOf([0, 9], [1, 5], [2, 4], [5, 9], [9, 10]))]).toEqual([0, 0, 0, 0, 0])
    expect([...lanesOf(traceOf([0, 3], [1, 4], [2, 5], [3, 6]))]).toEqual([0, 1, 2, 0])
  })
})
