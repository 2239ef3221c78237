import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Random } from "../sim/kernel/random.ts"
import { Drift, type Shift } from "./drift.ts"

/** Observes `count` times of a part that takes `factor` times as long as predicted, give or take `noise`. */
const watch = (
  drift: Drift,
  stream: Random,
  {
    from,
    count,
    factor,
    noise
  }: { from: number; count: number; factor: (i: number) => number; noise: number }
): readonly Shift[] =>
  Array.from({ length: count }, (_, i) =>
    drift.observe(from + i, factor(i) * Math.exp(noise * stream.normal()), 1)
  ).filter((shift) => shift !== undefined)

describe("drift", () => {
  it("is current when a part is as it was, however noisy", () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.constantFrom(0.01, 0.05, 0.2),
        (seed, factor, noise) => {
          const drift = new Drift()
          const shifts = watch(drift, new Random(seed, 0), {
            from: 0,
            count: 300,
            factor: () => factor,
            noise
          })
          expect(shifts.length).toBeLessThanOrEqual(2)
          expect(Math.abs(Math.log(drift.factor / factor))).toBeLessThan(Math.max(0.02, 1.5 * noise))
        }
      ),
      { numRuns: 50 }
    )
  })

  it("notices a link slowed to a tenth within a few transfers, and follows it", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.constantFrom(0.02, 0.1, 0.3), (seed, noise) => {
        const drift = new Drift()
        const stream = new Random(seed, 0)
        watch(drift, stream, { from: 0, count: 100, factor: () => 1, noise })
        // Five, unless the noise that was learned makes a tenth of the rate look like less.
        const few = noise > 0.2 ? 12 : 5
        watch(drift, stream, { from: 100, count: few, factor: () => 10, noise })
        expect(drift.standing).toBe("stale")
        // Whatever false alarm may come later, the first shift is to the new level.
        const [shift] = watch(drift, stream, { from: 100 + few, count: 60, factor: () => 10, noise })
        expect(Math.abs(Math.log(shift!.to / 10))).toBeLessThan(3 * noise)
        expect(shift!.since).toBeLessThanOrEqual(100 + few)
      }),
      { numRuns: 50 }
    )
  })

  it("follows a slow change without an alarm", () => {
    const drift = new Drift()
    const shifts = watch(drift, new Random(1, 0), {
      from: 0,
      count: 4000,
      factor: (i) => 1 + i / 8000,
      noise: 0.05
    })
    expect(shifts).toEqual([])
    expect(drift.factor).toBeGreaterThan(1.4)
  })

  it("knows nothing before it has seen enough", () => {
    const drift = new Drift()
    drift.observe(0, 5, 1)
    expect([drift.standing, drift.factor]).toEqual(["unproven", 1])
  })
})
