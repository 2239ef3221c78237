import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { copiesGoFirst, fitLink, goesBefore, type RecordedTransfer, waitOf } from "./link-fit.ts"

const FROM = { bandwidth: 2e9, latency: 1e-3 }

const transfersOf = (
  { bandwidth, latency }: typeof FROM,
  sizes: readonly number[],
  waits: readonly number[]
): readonly RecordedTransfer[] =>
  sizes.map((bytes, i) => {
    const waited = waits[i % waits.length]!
    return { into: true, bytes, seconds: waited + latency + bytes / bandwidth, waited }
  })

describe("a link fitted to transfers", () => {
  it("has the figures of the link that carried them, whatever they waited for", () => {
    const links = fc.record({
      bandwidth: fc.double({ min: 1e8, max: 3e10, noNaN: true }),
      latency: fc.double({ min: 1e-5, max: 1e-2, noNaN: true })
    })
    const waits = fc.array(fc.double({ min: 0, max: 1e-3, noNaN: true }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(links, waits, (link, some) => {
        const sizes = Array.from({ length: 40 }, (_, i) => 1e5 * 1.35 ** (i % 20))
        const found = fitLink(transfersOf(link, sizes, some), FROM)!
        // What is kept is so because the transfers are as well predicted with it.
        if (found.untold.bandwidth === undefined && found.untold.latency === undefined)
          expect(Math.abs(found.bandwidth / link.bandwidth - 1)).toBeLessThan(0.1)
        expect(found.heldOutMedian).toBeLessThan(0.01)
      }),
      { numRuns: 30 }
    )
  })

  it("keeps what transfers do not tell that did little but wait, and says so", () => {
    const sizes = Array.from({ length: 20 }, (_, i) => 1e5 + 1e3 * i)
    const found = fitLink(transfersOf({ bandwidth: 1e13, latency: 1e-9 }, sizes, [0.04]), {
      bandwidth: 1e12,
      latency: 1e-6
    })!
    expect(found).toMatchObject({
      bandwidth: 1e12,
      latency: 1e-6,
      untold: { latency: "unseen", bandwidth: "unseen" }
    })
    expect(found.waited).toBeGreaterThan(0.99)
  })

  it("keeps a figure that runs into its bound", () => {
    const sizes = Array.from({ length: 20 }, (_, i) => 1e5 * 1.5 ** i)
    const found = fitLink(transfersOf({ bandwidth: 1e2, latency: 1e-3 }, sizes, [0]), FROM)!
    expect(found.untold.bandwidth).toBe("at a bound")
    expect(found.bandwidth).toBe(FROM.bandwidth)
  })
})

describe("copies that are ordered as a pass begins", () => {
  const copy = (waited: number, withPass = true): RecordedTransfer => ({
    into: true,
    bytes: 1e5,
    seconds: waited + 1e-3,
    waited,
    withPass
  })
  it("go first if most of them did not wait for it", () => {
    expect(copiesGoFirst([copy(0), copy(0), copy(0), copy(0.02)])).toBe(true)
    expect(copiesGoFirst([copy(0.02), copy(0.02), copy(0), copy(0.02)])).toBe(false)
  })
  it("are not told by those that were ordered otherwise, or went home", () => {
    expect(copiesGoFirst([copy(0), copy(0), copy(0), copy(0, false)])).toBeUndefined()
    const out = { ...copy(0), into: false }
    expect(copiesGoFirst([out, out, out, out])).toBeUndefined()
  })
})

describe("the wait of a transfer in the one queue", () => {
  const pass = { start: 100e6, end: 140e6 }
  it("is for the pass that was ahead of it, and for none that it was over long before", () => {
    const reload = { start: 99e6, end: 139e6 }
    expect(goesBefore(pass, reload, true)).toBe(true)
    expect(waitOf(reload, pass)).toBeCloseTo(0.04, 9)
    expect(goesBefore(pass, { start: 99e6, end: 101e6 }, true)).toBe(false)
    expect(goesBefore(pass, { start: 141e6, end: 150e6 }, true)).toBe(false)
    // A copy out is submitted at once: no pass that begins later is ahead of it.
    expect(goesBefore(pass, reload, false)).toBe(false)
    expect(goesBefore(pass, { start: 120e6, end: 142e6 }, false)).toBe(true)
  })
})
