import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { admit } from "./admit.ts"
import { type Reservation, ReservationRings } from "./rings.ts"

const T = 1000

const operation = fc.oneof(
  fc.record({
    type: fc.constant("admit" as const),
    anchor: fc.integer({ min: 1, max: 40 }),
    linkNs: fc.integer({ min: 0, max: 6 * T }),
    bytes: fc.integer({ min: 0, max: 100 }),
    streams: fc.boolean()
  }),
  fc.record({ type: fc.constant("release" as const), which: fc.nat() }),
  fc.record({ type: fc.constant("advance" as const), by: fc.integer({ min: 1, max: 5 }) })
)

describe("the reservation rings", () => {
  it("are never over-booked, and empty again when all is released", () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 80 }),
        fc.integer({ min: 100, max: 250 }),
        (operations, freeBytes) => {
          const rings = new ReservationRings(32)
          const held: Reservation[] = []
          for (const one of operations) {
            if (one.type === "advance") rings.advance(one.by)
            else if (one.type === "release" && held.length > 0)
              rings.release(held.splice(one.which % held.length, 1)[0]!)
            else if (one.type === "admit") {
              const found = admit(rings, { ...one, iterationNs: T, freeBytes })
              if (found !== undefined) held.push(found)
            }
            for (let i = rings.base; i < rings.base + rings.horizon; i++) {
              expect(rings.linkAt(i)).toBeLessThanOrEqual(T)
              expect(rings.linkAt(i)).toBeGreaterThanOrEqual(0)
              expect(rings.bytesAt(i)).toBeLessThanOrEqual(freeBytes)
              // What is booked is exactly what is held.
              const links = held.filter(({ start, span }) => start <= i && i < start + span)
              expect(rings.linkAt(i)).toBe(links.reduce((sum, { linkNs }) => sum + linkNs, 0))
            }
          }
          for (const one of held) rings.release(one)
          for (let i = rings.base; i < rings.base + rings.horizon; i++)
            expect([rings.linkAt(i), rings.bytesAt(i)]).toEqual([0, 0])
        }
      ),
      { numRuns: 300 }
    )
  })

  it("are searched outward from the anchor: +0, +1, −1, +2, …, the first that fits", () => {
    const setting = fc.record({
      booked: fc.array(operation, { maxLength: 30 }),
      anchor: fc.integer({ min: 1, max: 40 }),
      linkNs: fc.integer({ min: 0, max: 6 * T }),
      bytes: fc.integer({ min: 0, max: 100 }),
      freeBytes: fc.integer({ min: 50, max: 250 }),
      streams: fc.boolean()
    })
    fc.assert(
      fc.property(setting, ({ booked, anchor, linkNs, bytes, freeBytes, streams }) => {
        const rings = new ReservationRings(24)
        for (const one of booked) {
          if (one.type === "admit") admit(rings, { ...one, iterationNs: T, freeBytes })
          else if (one.type === "advance") rings.advance(one.by)
        }
        const span = Math.min(23, Math.max(1, Math.ceil(linkNs / T)))
        const share = Math.min(T, Math.ceil(linkNs / span))
        // Where it streams, the verify's own iteration is the last of the span.
        const lead = streams ? span - 1 : span
        const room = (window: number): boolean => {
          const due = rings.base + window
          if (window < Math.max(1, lead) || window > 23) return false
          for (let i = due - lead; i < due - lead + span; i++) if (rings.linkAt(i) + share > T) return false
          for (let i = due - lead; i <= due; i++) if (rings.bytesAt(i) + bytes > freeBytes) return false
          return true
        }
        const centre = Math.min(Math.max(anchor, lead, 1), 23)
        const tries = [0, ...Array.from({ length: 23 }, (_, i) => [i + 1, -i - 1]).flat()]
        const expected = bytes > freeBytes ? undefined : tries.map((offset) => centre + offset).find(room)
        const { base } = rings
        expect(admit(rings, { anchor, linkNs, iterationNs: T, bytes, freeBytes, streams })?.due).toBe(
          expected === undefined ? undefined : base + expected
        )
      }),
      { numRuns: 500 }
    )
  })

  it("take the window nearest to the anchor that fits, the later of two", () => {
    const placement = { anchor: 10, linkNs: T, iterationNs: T, bytes: 1, freeBytes: 100 }
    const rings = new ReservationRings(64)
    const windows = Array.from({ length: 5 }, () => admit(rings, placement)!.due)
    expect(windows).toEqual([10, 11, 9, 12, 8])
  })

  it("notice being over-booked", () => {
    const rings = new ReservationRings(16)
    const reservation = { start: 2, span: 2, due: 4, linkNs: 600, bytes: 7 }
    rings.book(reservation, T, 10)
    expect(() => rings.book({ ...reservation, bytes: 0 }, T, 10)).toThrow(
      "the link is over-booked in iteration 2"
    )
    const other = new ReservationRings(16)
    other.book({ ...reservation, linkNs: 0 }, T, 10)
    expect(() => other.book({ ...reservation, linkNs: 0 }, T, 10)).toThrow(
      "HBM is over-booked in iteration 2"
    )
  })

  it("place a reload of ℓ iterations before the verify, in S = ⌈ℓ⌉ windows", () => {
    const rings = new ReservationRings(64)
    const found = admit(rings, { anchor: 5, linkNs: 1.6 * T, iterationNs: T, bytes: 7, freeBytes: 10 })!
    expect(found).toMatchObject({ start: 3, span: 2, due: 5, linkNs: 0.8 * T, bytes: 7 })
    expect([2, 3, 4, 5, 6].map((i) => rings.bytesAt(i))).toEqual([0, 7, 7, 7, 0])
  })

  it("refuse what can never fit, and book the whole horizon for a reload that is longer", () => {
    const rings = new ReservationRings(16)
    const placement = { anchor: 5, linkNs: 0, iterationNs: T, bytes: 1, freeBytes: 10 }
    expect(admit(rings, { ...placement, bytes: 11 })).toBeUndefined()
    expect(admit(rings, { ...placement, linkNs: 100 * T })).toMatchObject({
      start: 0,
      span: 15,
      due: 15,
      linkNs: T
    })
    expect(admit(rings, { ...placement, linkNs: 1 })).toBeUndefined()
  })

  it("stagger the worked example: ten requests of two windows each, one verify every three iterations", () => {
    // arXiv:2605.17613: Mistral-24B, B = 10, KV 4 GB over 50 GB/s = 80 ms, T_iter = 40 ms, x = 30.
    const rings = new ReservationRings(64)
    const dues = Array.from(
      { length: 10 },
      () => admit(rings, { anchor: 30, linkNs: 80, iterationNs: 40, bytes: 4, freeBytes: 4 })!.due
    ).toSorted((a, b) => a - b)
    const gaps = dues.slice(1).map((due, i) => due - dues[i]!)
    expect(gaps).toEqual(Array.from({ length: 9 }, () => 3))
  })
})
