import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FluidNetwork, maxMinRates } from "./fluid.ts"
import { Kernel } from "./kernel.ts"

const setting = fc.integer({ min: 1, max: 4 }).chain((resources) =>
  fc.record({
    capacities: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: resources, maxLength: resources }),
    flows: fc.array(
      fc.record({
        uses: fc.uniqueArray(fc.nat(resources - 1), { minLength: 1, maxLength: resources }),
        cap: fc.integer({ min: 1, max: 1000 })
      }),
      { minLength: 1, maxLength: 6 }
    )
  })
)

describe("max–min fair sharing", () => {
  it("fills no resource beyond its capacity, and nobody can get more without taking from someone who has no more", () => {
    fc.assert(
      fc.property(setting, ({ capacities, flows }) => {
        const rates = maxMinRates(
          capacities,
          flows.map(({ uses }) => uses),
          flows.map(({ cap }) => cap)
        )
        const used = capacities.map((_, r) =>
          flows.reduce((sum, { uses }, f) => sum + (uses.includes(r) ? rates[f]! : 0), 0)
        )
        used.forEach((sum, r) => expect(sum).toBeLessThanOrEqual(capacities[r]! * (1 + 1e-9)))
        flows.forEach(({ uses, cap }, f) => {
          expect(rates[f]).toBeGreaterThan(0)
          const capped = rates[f]! >= cap * (1 - 1e-9)
          // Or a full resource where it is among the largest.
          const bound = uses.some(
            (r) =>
              used[r]! >= capacities[r]! * (1 - 1e-9) &&
              flows.every((other, g) => !other.uses.includes(r) || rates[g]! <= rates[f]! * (1 + 1e-9))
          )
          expect(capped || bound).toBe(true)
        })
      })
    )
  })

  it("carries every byte, at no more than the capacity", () => {
    const transfer = fc.record({
      at: fc.nat(1000),
      bytes: fc.integer({ min: 1, max: 1e6 }),
      cap: fc.integer({ min: 1e8, max: 1e10 })
    })
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 20 }), (transfers) => {
        const kernel = new Kernel()
        const network = new FluidNetwork(kernel)
        const link = network.resource(1e9)
        const done: number[] = []
        const reactor = kernel.add({
          receive: (_code, i) => {
            const { bytes, cap } = transfers[i]!
            network.open([link], bytes, cap, () => {
              done[i] = kernel.now
            })
          }
        })
        transfers.forEach(({ at }, i) => kernel.at(at, reactor, 0, i))
        kernel.run()
        transfers.forEach(({ at, bytes, cap }, i) =>
          expect(done[i]! - at).toBeGreaterThanOrEqual(Math.floor((bytes / Math.min(cap, 1e9)) * 1e9))
        )
        const first = Math.min(...transfers.map(({ at }) => at))
        const all = transfers.reduce((sum, { bytes }) => sum + bytes, 0)
        expect(Math.max(...done) - first).toBeGreaterThanOrEqual(Math.floor(all) - transfers.length)
      })
    )
  })

  it("gives back what a closed flow had left", () => {
    const kernel = new Kernel()
    const network = new FluidNetwork(kernel)
    const link = network.resource(1e9)
    let flow = 0
    let left = -1
    const reactor = kernel.add({
      receive: (code) => {
        if (code === 0) flow = network.open([link], 1000, 1e9, () => {})
        else left = network.close(flow)
      }
    })
    kernel.at(0, reactor, 0, 0)
    kernel.at(400, reactor, 1, 0)
    kernel.run()
    expect(left).toBeCloseTo(600, 6)
    expect(kernel.now).toBe(400)
  })
})
