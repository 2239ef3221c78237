import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Sharer, shareMaxMin } from "./max-min.ts"

/** Rates of flows given as [resources, cap]. */
const rates = (
  capacities: readonly number[],
  flows: readonly (readonly [resources: readonly number[], cap: number])[]
): readonly number[] => {
  const sharers: Sharer[] = flows.map(([resources, cap]) => ({ resources, cap, rate: -1 }))
  shareMaxMin(capacities, sharers)
  return sharers.map(({ rate }) => rate)
}

const FREE = Number.POSITIVE_INFINITY

describe("max–min fair sharing", () => {
  it.each([
    { name: "one flow takes all", capacities: [10], flows: [[[0], FREE]], expected: [10] },
    { name: "equals share equally", capacities: [9], flows: Array(3).fill([[0], FREE]), expected: [3, 3, 3] },
    {
      name: "what a capped flow leaves goes to the others",
      capacities: [10],
      flows: [
        [[0], 2],
        [[0], FREE],
        [[0], FREE]
      ],
      expected: [2, 4, 4]
    },
    {
      name: "a flow held back elsewhere leaves its share",
      capacities: [10, 3],
      flows: [
        [[0], FREE],
        [[0, 1], FREE]
      ],
      expected: [7, 3]
    },
    {
      name: "two links read one host memory, a third flow does not",
      capacities: [50, 50, 80, 20],
      flows: [
        [[0, 2], FREE],
        [[1, 2], FREE],
        [[3], FREE]
      ],
      expected: [40, 40, 20]
    },
    {
      name: "a resting flow takes nothing",
      capacities: [10],
      flows: [
        [[0], 0],
        [[0], FREE]
      ],
      expected: [0, 10]
    },
    {
      name: "a copy inside one memory uses it twice",
      capacities: [10],
      flows: [[[0, 0], FREE]],
      expected: [5]
    },
    { name: "a resource that is down stops its flows", capacities: [0], flows: [[[0], 5]], expected: [0] },
    { name: "without resources only the cap binds", capacities: [10], flows: [[[], 3]], expected: [3] }
  ] as const)("$name", ({ capacities, flows, expected }) => {
    expect(rates(capacities, flows)).toEqual(expected)
  })

  const setting = fc.integer({ min: 1, max: 4 }).chain((resources) =>
    fc.record({
      capacities: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: resources, maxLength: resources }),
      flows: fc.array(
        fc.tuple(
          fc.uniqueArray(fc.nat(resources - 1), { minLength: 1, maxLength: resources }),
          fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constant(FREE))
        ),
        { minLength: 1, maxLength: 6 }
      )
    })
  )

  it("fills no resource beyond its capacity, and nobody can gain without taking from one that has no more", () => {
    fc.assert(
      fc.property(setting, ({ capacities, flows }) => {
        const shares = rates(capacities, flows)
        const used = capacities.map((_, r) =>
          flows.reduce((sum, [resources], f) => sum + (resources.includes(r) ? shares[f]! : 0), 0)
        )
        for (const [r, sum] of used.entries()) expect(sum).toBeLessThanOrEqual(capacities[r]! * (1 + 1e-9))
        for (const [f, [resources, cap]] of flows.entries()) {
          expect(shares[f]).toBeGreaterThan(0)
          expect(shares[f]).toBeLessThanOrEqual(cap)
          // A full resource where it is among the largest, or its own cap, holds it back.
          const bottleneck = resources.some(
            (r) =>
              used[r]! >= capacities[r]! * (1 - 1e-9) &&
              flows.every(([others], g) => !others.includes(r) || shares[g]! <= shares[f]! * (1 + 1e-9))
          )
          expect(shares[f] === cap || bottleneck).toBe(true)
        }
      }),
      { numRuns: 500 }
    )
  })

  it("does not depend on the order of the flows", () => {
    fc.assert(
      fc.property(setting, ({ capacities, flows }) => {
        const forward = rates(capacities, flows)
        const backward = rates(capacities, flows.toReversed()).toReversed()
        for (const [f, rate] of forward.entries()) expect(backward[f]! / rate).toBeCloseTo(1, 9)
      })
    )
  })
})
