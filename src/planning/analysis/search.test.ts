import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bestWhole } from "./best-window.ts"
import { crossings } from "./crossing.ts"

describe("crossings", () => {
  it("are found to a percent, whatever side is better first", () => {
    fc.assert(
      fc.property(fc.double({ min: 2, max: 900, noNaN: true }), fc.boolean(), (at, above) => {
        const sign = (x: number): -1 | 1 => (x >= at === above ? 1 : -1)
        const places = [1, 10, 100, 1000]
        const found = Effect.runSync(
          crossings({ places, signs: places.map(sign) }, (x) => Effect.succeed(sign(x)), false)
        )
        expect(found.length).toBe(1)
        expect(found[0]!.above).toBe(above)
        expect(found[0]!.at / at).toBeGreaterThanOrEqual(1)
        expect(found[0]!.at / at).toBeLessThan(1.011)
      })
    )
  })

  it("of whole numbers are exact, and there are none where the sign stays", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), (at) => {
        const sign = (x: number): -1 | 1 => (x >= at ? 1 : -1)
        const found = Effect.runSync(
          crossings({ places: [1, 64], signs: [sign(1), sign(64)] }, (x) => Effect.succeed(sign(x)), true)
        )
        expect(found).toEqual([{ at, above: true }])
      })
    )
    const none = crossings({ places: [1, 2, 3], signs: [1, 1, 1] }, () => Effect.succeed(1 as const), false)
    expect(Effect.runSync(none)).toEqual([])
  })
})

describe("the best whole number", () => {
  it("of what rises and then falls is found, with few looks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (peak) => {
        let looks = 0
        const found = Effect.runSync(
          bestWhole(1, 200, (places) => {
            looks += places.length
            return Effect.succeed(places.map((x) => -Math.abs(Math.log(x / peak))))
          })
        )
        expect(found?.at).toBe(peak)
        expect(looks).toBeLessThan(40)
      })
    )
  })

  it("leaves out what cannot be, and is nothing where nothing can", () => {
    const only = bestWhole(1, 64, (places) => Effect.succeed(places.map((x) => (x < 8 ? undefined : -x))))
    expect(Effect.runSync(only)?.at).toBe(8)
    expect(
      Effect.runSync(bestWhole(1, 64, (places) => Effect.succeed(places.map(() => undefined))))
    ).toBeUndefined()
  })
})
