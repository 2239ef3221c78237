import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Pace } from "./pace.ts"

const size = fc.integer({ min: 1, max: 600 })

describe("pace", () => {
  it("expects nothing of work it never saw the like of", () => {
    const pace = new Pace()
    pace.took(4, 8, 80)
    expect(pace.atLeast(4, 1)).toBe(10)
    expect(pace.atLeast(8, 1)).toBe(0)
  })

  it("never expects more than it takes, where more rows take longer by less than their share", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.array(size, { minLength: 1, maxLength: 20 }),
        size,
        fc.integer({ min: 1, max: 32 }),
        (launch, perRow, seen, rows, steps) => {
          const step = (of: number): number => launch + perRow * of
          const pace = new Pace()
          for (const one of seen) pace.took(one, 1, step(one))
          expect(pace.atLeast(rows, steps)).toBeLessThanOrEqual(steps * step(rows) * (1 + 1e-9))
        }
      )
    )
  })

  it("is not misled by one that was held up, and follows work that has become slower", () => {
    const pace = new Pace()
    for (const milliseconds of [10, 11, 500, 12]) pace.took(4, 1, milliseconds)
    expect(pace.atLeast(4, 1)).toBe(10)
    for (let i = 0; i < 4; i++) pace.took(4, 1, 30)
    expect(pace.atLeast(4, 1)).toBe(30)
  })
})
