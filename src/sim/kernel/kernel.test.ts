import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Kernel } from "./kernel.ts"
import { Random } from "./random.ts"

describe("the kernel", () => {
  it("executes in the order (time, sequence), and never a cancelled event", () => {
    const action = fc.record({ time: fc.nat(50), cancels: fc.option(fc.nat(), { nil: undefined }) })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const kernel = new Kernel()
        const seen: { readonly time: number; readonly tag: number }[] = []
        const reactor = kernel.add({ receive: (_code, tag) => seen.push({ time: kernel.now, tag }) })
        const live = new Map<number, number>()
        const ids: number[] = []
        actions.forEach(({ time, cancels }, tag) => {
          ids.push(kernel.at(time, reactor, 0, tag))
          live.set(tag, time)
          if (cancels === undefined) return
          kernel.cancel(ids[cancels % ids.length]!)
          live.delete(cancels % ids.length)
        })
        expect(kernel.pending).toBe(live.size)
        kernel.run()
        const expected = [...live]
          .map(([tag, time]) => ({ time, tag }))
          .toSorted((a, b) => a.time - b.time || a.tag - b.tag)
        expect(seen).toEqual(expected)
        expect(kernel.next()).toBe(Number.POSITIVE_INFINITY)
      })
    )
  })

  it("keeps order when events schedule and cancel others", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
        const kernel = new Kernel()
        const random = new Random(seed, "events")
        const due = new Map<number, { readonly id: number; readonly time: number }>()
        let next = 0
        let last = 0
        const schedule = (): void => {
          const tag = next++
          const time = kernel.now + random.integer(20)
          due.set(tag, { id: kernel.at(time, reactor, 0, tag), time })
        }
        const reactor = kernel.add({
          receive: (_code, tag) => {
            expect(kernel.now).toBeGreaterThanOrEqual(last)
            expect(due.get(tag)?.time).toBe(kernel.now)
            last = kernel.now
            due.delete(tag)
            if (next < 500) schedule()
            if (next < 500 && random.uniform() < 0.3) schedule()
            if (random.uniform() < 0.2 && due.size > 1) {
              const [victim, { id }] = [...due][random.integer(due.size)]!
              kernel.cancel(id)
              due.delete(victim)
            }
          }
        })
        for (let i = 0; i < 20; i++) schedule()
        kernel.run()
        expect(due.size).toBe(0)
      }),
      { numRuns: 50 }
    )
  })

  it("refuses the past, and stops where it is told", () => {
    const kernel = new Kernel()
    const reactor = kernel.add({ receive: () => {} })
    for (const time of [5, 10, 15]) kernel.at(time, reactor, 0, 0)
    expect(kernel.run({ until: 10 })).toBe(2)
    expect(kernel.now).toBe(10)
    expect(() => kernel.at(9, reactor, 0, 0)).toThrow("now 10")
    expect(() => kernel.at(Number.NaN, reactor, 0, 0)).toThrow("NaN")
  })

  it("does not let an old id cancel the event that took its slot", () => {
    const kernel = new Kernel()
    let ran = 0
    const reactor = kernel.add({ receive: () => ran++ })
    const old = kernel.at(1, reactor, 0, 0)
    kernel.run()
    kernel.at(2, reactor, 0, 0)
    kernel.cancel(old)
    kernel.run()
    expect(ran).toBe(2)
  })
})
