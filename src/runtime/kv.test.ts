import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { contextPages, Growth, growingPages, type KvLayout, kvBytes, PagePool } from "./kv.ts"

const plain: KvLayout = { pageTokens: 16, globalBytesPerToken: 100, localBytesPerToken: 0, window: 0 }
const windowed: KvLayout = { pageTokens: 16, globalBytesPerToken: 100, localBytesPerToken: 300, window: 64 }

describe("paged KV", () => {
  it("counts bytes and pages, sliding windows up to their width", () => {
    expect([kvBytes(plain, 100), contextPages(plain, 100)]).toEqual([10_000, 7])
    expect([kvBytes(windowed, 100), contextPages(windowed, 100)]).toEqual([10_000 + 300 * 64, 7 + 12])
    expect(kvBytes(windowed, 1000) - kvBytes(windowed, 999)).toBe(100)
  })

  it("needs pages exactly when growing requests cross into them", () => {
    const member = fc.record({ entries: fc.nat(200), joins: fc.nat(40), leaves: fc.nat(60) })
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (members, pageTokens) => {
          const layout = { ...plain, pageTokens }
          const growth = new Growth(pageTokens)
          for (let step = 0; step < 60; step++) {
            for (const { entries, joins, leaves } of members) {
              if (joins === step && leaves > joins) growth.join(entries, step)
              if (leaves === step && leaves > joins) growth.leave(entries, joins)
            }
            const crossings = members.filter(({ entries, joins, leaves }) => {
              const now = entries + step - joins
              return (
                joins <= step && step < leaves && growingPages(layout, now + 1) > growingPages(layout, now)
              )
            })
            expect(growth.need(step)).toBe(crossings.length)
          }
        }
      )
    )
  })

  it("says how many steps fit as one step after the other would", () => {
    const setting = fc.record({
      entries: fc.array(fc.nat(100), { maxLength: 12 }),
      step: fc.nat(100),
      free: fc.nat(60),
      limit: fc.integer({ min: 1, max: 400 })
    })
    fc.assert(
      fc.property(setting, ({ entries, step, free, limit }) => {
        const growth = new Growth(8)
        for (const one of entries) growth.join(one, step)
        let [steps, left] = [0, free]
        while (steps < limit && left >= growth.need(step + steps)) left -= growth.need(step + steps++)
        expect(growth.stepsWithin(step, free, limit)).toBe(steps)
      })
    )
  })

  it("hands out no page twice and takes none back twice", () => {
    const pool = new PagePool(10)
    expect([pool.take(7), pool.take(4), pool.take(3), pool.free]).toEqual([true, false, true, 0])
    pool.give(10)
    expect(() => pool.give(1)).toThrow("given back twice")
    expect(() => pool.take(Number.NaN)).toThrow("NaN")
    expect(pool.peak).toBe(10)
  })
})
