import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { eventRow } from "./store.ts"
import { together } from "./together.ts"
import { anyTrace } from "./trace.fixture.ts"

describe("two traces together", () => {
  it("hold every record of both, on their own tracks, at their own times", () => {
    fc.assert(
      fc.property(anyTrace, anyTrace, fc.integer({ min: -500, max: 500 }), (a, b, shift) => {
        const both = together(a, b, shift)
        const moved = { a: Math.max(0, -shift), b: Math.max(0, shift) }
        expect(both.tracks.length).toBe(a.tracks.length + b.tracks.length)
        const pathOf = (tracks: typeof a.tracks, id: number): string => {
          const { name, parent } = tracks[id]!
          return parent === undefined ? name : `${pathOf(tracks, parent)} > ${name}`
        }
        const told = (
          { tracks, slices }: typeof both,
          from: number,
          to: number,
          by: number
        ): readonly unknown[] =>
          Array.from({ length: to - from }, (_, i) => [
            pathOf(tracks, slices.track[from + i]!),
            slices.start[from + i]! - by,
            slices.end[from + i]! - by,
            slices.bytes[from + i]
          ])
        const whole = both.slices.length
        expect(told(both, 0, a.slices.length, moved.a)).toEqual(told(a, 0, a.slices.length, 0))
        expect(told(both, a.slices.length, whole, moved.b)).toEqual(told(b, 0, b.slices.length, 0))
        expect(Math.abs(moved.a - moved.b)).toBe(Math.abs(shift))
        // Arrows of the second lead to the second's events.
        for (let row = 0; row < b.flows.length; row++) {
          const [own, now] = [eventRow(b.flows.to[row]!), eventRow(both.flows.to[a.flows.length + row]!)]
          expect(now).toEqual({ group: own.group, row: own.row + a[own.group].length })
        }
        expect([...both.counters.value]).toEqual([...a.counters.value, ...b.counters.value])
      })
    )
  })
})
