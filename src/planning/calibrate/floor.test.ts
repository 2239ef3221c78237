import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { KernelTables } from "../../scenario/resolved.ts"
import { CostModel } from "../../sim/cost/cost-model.ts"
import { costSeconds, emptyCost, emptyLoad, floorSeconds } from "../../sim/cost/load.ts"
import { h100, LLAMA_8B } from "../../sim/cost/shapes.fixture.ts"
import { heldAtFloor } from "./floor.ts"

const peaks = { bandwidth: 3.35e12, flops: 989e12 }

/** Tables that say everything takes so many seconds. */
const flat = (seconds: number): KernelTables => ({
  origin: { basis: "measured", source: "made up for a test" },
  dense: { tokens: [1, 2048], seconds: [seconds, seconds] },
  attentionDecode: {
    requests: [1, 64],
    kvTokens: [1, 4096],
    seconds: [
      [seconds, seconds],
      [seconds, seconds]
    ]
  },
  attentionPrefill: {
    chunk: [1, 2048],
    cached: [0, 4096],
    seconds: [
      [seconds, seconds],
      [seconds, seconds]
    ]
  },
  attentionMixed: { chunk: [512], cached: [0], requests: [8], kvTokens: [1000], seconds: [[[[seconds]]]] },
  lmHead: { sequences: [1, 64], seconds: [seconds, seconds] }
})

describe("tables held at the physical floor", () => {
  it("stay as they are where they are possible", () => {
    const { tables, raised, times } = heldAtFloor(flat(1), LLAMA_8B, 1, peaks)
    expect([tables, raised, times]).toEqual([flat(1), 0, 13])
  })

  it("price no pass of their grid below it, whatever they said", () => {
    const { tables, raised } = heldAtFloor(flat(1e-9), LLAMA_8B, 1, peaks)
    expect(raised).toBe(13)
    const costs = new CostModel(LLAMA_8B, h100(undefined, tables), 1, 1)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 4096 }), (requests, context) => {
        const load = emptyLoad()
        const kvTokens = requests * context
        Object.assign(load.decode, { requests, positions: requests, kvTokens, pairs: kvTokens })
        load.logits = requests
        const cost = emptyCost()
        costs.price(load, cost)
        expect(costSeconds(cost)).toBeGreaterThanOrEqual(floorSeconds(cost) * (1 - 1e-9))
      })
    )
  })
})
