import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FluidNetwork } from "./fluid.ts"
import { Kernel } from "./kernel.ts"

const GB = 1e9
const FREE = Number.POSITIVE_INFINITY

/** A kernel with a fluid network, and `after`: do something at a time, ns. */
const setup = () => {
  const kernel = new Kernel()
  const network = new FluidNetwork(kernel)
  const actions: (() => void)[] = []
  const reactor = kernel.add({ receive: (_code, i) => actions[i]!() })
  const at = (time: number, action: () => void): void => {
    kernel.at(time, reactor, 0, actions.push(action) - 1)
  }
  return { kernel, network, at }
}

describe("flows over shared bandwidth", () => {
  it("end in the nanosecond of their last byte", () => {
    const { kernel, network } = setup()
    const link = network.resource(3 * GB)
    let end = -1
    network.open([link], 1000, FREE, () => (end = kernel.now))
    kernel.run()
    // 1000 bytes at 3 bytes/ns: 333.3… ns.
    expect(end).toBe(334)
  })

  it("share while they are together and speed up when alone", () => {
    const { kernel, network, at } = setup()
    const link = network.resource(GB)
    const ends: number[] = []
    network.open([link], 1000, FREE, () => (ends[0] = kernel.now))
    at(500, () => network.open([link], 1000, FREE, () => (ends[1] = kernel.now)))
    kernel.run()
    // Alone for 500, then half each until the first is through at 1500; the second has 500 left.
    expect(ends).toEqual([1500, 2000])
  })

  it("that end together end in the order they were opened", () => {
    const { kernel, network } = setup()
    const link = network.resource(GB)
    const ended: number[] = []
    for (const flow of [0, 1, 2]) network.open([link], 300, FREE, () => ended.push(flow))
    kernel.run()
    expect(ended).toEqual([0, 1, 2])
    expect(kernel.now).toBe(900)
  })

  it("give back what they had left when they are closed, and are gone", () => {
    const { kernel, network, at } = setup()
    const link = network.resource(GB)
    const flow = network.open([link], 1000, FREE, () => expect.unreachable())
    let left = -1
    at(400, () => (left = network.close(flow)))
    kernel.run()
    expect(left).toBeCloseTo(600, 6)
    expect(kernel.now).toBe(400)
    expect([network.close(flow), network.rate(flow), network.moved(flow)]).toEqual([0, 0, 0])
    network.setCap(flow, 1)
    expect(kernel.pending).toBe(0)
  })

  it("end at once when they have nothing to move", () => {
    const { kernel, network } = setup()
    const link = network.resource(0)
    let ended = false
    network.open([link], 0, FREE, () => (ended = true))
    kernel.run()
    expect([ended, kernel.now]).toEqual([true, 0])
  })

  it("rest at cap 0 and go on afterwards", () => {
    const { kernel, network, at } = setup()
    const link = network.resource(GB)
    const ends: number[] = []
    const resting = network.open([link], 1000, FREE, () => (ends[0] = kernel.now))
    network.open([link], 1000, FREE, () => (ends[1] = kernel.now))
    at(200, () => network.setCap(resting, 0))
    at(5000, () => network.setCap(resting, 0.5 * GB))
    kernel.run()
    // 100 each in the first 200 ns; the other takes 900 more; the resting one 900 at half rate.
    expect(ends).toEqual([6800, 1100])
  })

  it("stop while a resource is down", () => {
    const { kernel, network, at } = setup()
    const link = network.resource(GB)
    let end = -1
    network.open([link], 1000, FREE, () => (end = kernel.now))
    at(300, () => network.setCapacity(link, 0))
    at(800, () => network.setCapacity(link, 2 * GB))
    kernel.run()
    expect(end).toBe(800 + 350)
  })

  it("tell an elastic flow its share whenever it changes, and only then", () => {
    const { kernel, network, at } = setup()
    const hbm = network.resource(3000 * GB)
    const [linkA, linkB] = [network.resource(50 * GB), network.resource(50 * GB)]
    const heard: (readonly [number, number])[] = []
    const pass = network.open([hbm], FREE, FREE, undefined, (rate) => heard.push([kernel.now, rate / GB]))
    at(100, () => network.open([linkA, hbm], 5000, FREE))
    at(150, () => network.open([linkB, hbm], 5000, FREE))
    at(160, () => network.open([linkB, hbm], 0, FREE))
    kernel.run()
    expect(heard).toEqual([
      [0, 3000],
      [100, 2950],
      [150, 2900],
      [200, 2950],
      [250, 3000]
    ])
    expect(network.moved(pass)).toBeCloseTo(3000 * 250 - 10_000, 3)
  })

  it("may be changed by those who are told of a rate", () => {
    const { kernel, network, at } = setup()
    const link = network.resource(GB)
    const heard: number[] = []
    const shy = network.open([link], FREE, FREE, undefined, (rate) => {
      heard.push(rate / GB)
      if (rate < GB) network.setCap(shy, 0)
    })
    let end = -1
    at(100, () => network.open([link], 1000, FREE, () => (end = kernel.now)))
    kernel.run()
    expect(heard).toEqual([1, 0.5, 0])
    expect(end).toBe(1100)
  })

  it.each([-1, Number.NaN])("refuse %d bytes or bytes/s", (value) => {
    const { network } = setup()
    expect(() => network.resource(value)).toThrow("not negative")
    expect(() => network.open([], value, 1)).toThrow("not negative")
    expect(() => network.setCap(network.open([], 1, 1), value)).toThrow("not negative")
  })
})

describe("whatever opens and closes", () => {
  const transfer = fc.record({
    at: fc.nat(2000),
    bytes: fc.integer({ min: 0, max: 1e6 }),
    cap: fc.oneof(fc.integer({ min: 1e8, max: 1e10 }), fc.constant(FREE)),
    link: fc.nat(1),
    closes: fc.option(fc.nat(1_000_000), { nil: undefined })
  })

  it("every byte is moved or given back, none faster than the links and the memory behind them", () => {
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 20 }), (transfers) => {
        const { kernel, network, at } = setup()
        const capacity = 1.5 * GB
        const links = [network.resource(GB), network.resource(GB)]
        const memory = network.resource(capacity)
        let moved = 0
        let ended = 0
        for (const { at: start, bytes, cap, link, closes } of transfers) {
          at(start, () => {
            let open = true
            const flow = network.open([links[link]!, memory], bytes, cap, () => {
              open = false
              ended++
              moved += bytes
              const fastest = bytes / Math.min(cap, GB)
              expect(kernel.now - start).toBeGreaterThanOrEqual(Math.floor(fastest * 1e9))
            })
            if (closes === undefined) return
            at(start + closes, () => {
              if (!open) return
              ended++
              const before = network.moved(flow)
              const left = network.close(flow)
              expect(before + left).toBeCloseTo(bytes, 3)
              expect(left).toBeGreaterThanOrEqual(0)
              moved += before
            })
          })
        }
        kernel.run()
        expect(ended).toBe(transfers.length)
        const first = Math.min(...transfers.map(({ at: start }) => start))
        // Each flow that ended may have had its last part of a nanosecond to itself.
        expect(moved).toBeLessThanOrEqual(capacity * (kernel.now - first) * 1e-9 + 2 * transfers.length)
      })
    )
  })

  it("a memory that is always wanted is always full", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1000, max: 1e6 }), { minLength: 1, maxLength: 12 }), (sizes) => {
        const { kernel, network } = setup()
        const memory = network.resource(GB)
        for (const bytes of sizes) network.open([memory], bytes, FREE)
        kernel.run()
        const all = sizes.reduce((sum, bytes) => sum + bytes, 0)
        expect(kernel.now).toBeGreaterThanOrEqual(all)
        expect(kernel.now).toBeLessThanOrEqual(all + sizes.length)
      })
    )
  })
})
