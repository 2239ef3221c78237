import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { KernelTables } from "../../scenario/resolved.ts"
import { CostModel } from "./cost-model.ts"
import { covers, interpolate, interpolate2 } from "./interpolate.ts"
import { emptyCost, emptyLoad, type PassCost, type PassLoad } from "./load.ts"
import { h100, LLAMA_8B } from "./shapes.fixture.ts"

describe("linear interpolation", () => {
  const grid = [1, 2, 8, 64]
  const values = [0.3, 0.1, 0.7, 1.9]

  it("is exact on the grid", () => {
    for (const [i, x] of grid.entries()) expect(interpolate(grid, values, x)).toBe(values[i])
  })

  it("is linear between, goes on with the last slope beyond, and never falls below zero", () => {
    expect(interpolate(grid, values, 5)).toBeCloseTo(0.4, 12)
    expect(interpolate(grid, values, 120)).toBeCloseTo(3.1, 12)
    expect(interpolate(grid, values, 0)).toBeCloseTo(0.5, 12)
    expect(interpolate([1, 2], [1, 3], 0)).toBe(0)
  })

  it("holds a single sample everywhere", () => {
    expect([interpolate([4], [7], 0), interpolate([4], [7], 9)]).toEqual([7, 7])
    expect(interpolate2([4], [1, 2], [[1, 2]], 99, 1.5)).toBe(1.5)
  })

  it("is exact on a grid of two variables, and for a product between", () => {
    const rows = [1, 4, 10]
    const columns = [0, 100, 1000, 5000]
    const products = rows.map((row) => columns.map((column) => row * column))
    const at = (row: number, column: number): number => interpolate2(rows, columns, products, row, column)
    for (const row of rows) for (const column of columns) expect(at(row, column)).toBe(row * column)
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 9000, noNaN: true }),
        (r, c) => {
          expect(at(r, c)).toBeCloseTo(r * c, 6)
        }
      )
    )
  })

  it("knows where it would extrapolate", () => {
    expect([0.9, 1, 64, 65].map((x) => covers(grid, x))).toEqual([false, true, true, false])
  })
})

const origin = { basis: "measured", source: "made up for a test" } as const
const tables: KernelTables = {
  origin,
  dense: { tokens: [1, 16, 256], seconds: [2e-4, 2.1e-4, 4e-4] },
  attentionDecode: {
    requests: [1, 8],
    kvTokens: [1000, 10_000, 100_000],
    seconds: [
      [1e-5, 2e-5, 2e-4],
      [5e-5, 1.5e-4, 1.2e-3]
    ]
  },
  attentionPrefill: {
    chunk: [16, 512],
    cached: [0, 1000, 100_000],
    seconds: [
      [1e-5, 2e-5, 3e-4],
      [5e-5, 1e-4, 3e-3]
    ]
  },
  lmHead: { sequences: [1, 64], seconds: [4e-4, 5e-4] }
}

/** Seconds of a pass by table, all operations measured, and the tables it went beyond. */
const measure = (fill: (load: PassLoad) => void, model = LLAMA_8B, relative = 1) => {
  const costs = new CostModel(model, h100({ memory: 0.5, compute: 0.5, overhead: 1 }, tables), 1, relative)
  const load = emptyLoad()
  fill(load)
  const cost: PassCost = emptyCost()
  costs.price(load, cost)
  return { cost, seconds: cost.hbm + cost.compute, extrapolated: [...costs.extrapolated] }
}

const decode = (requests: number, context: number) => (load: PassLoad) =>
  void Object.assign(load.decode, {
    requests,
    positions: requests,
    kvTokens: requests * context,
    pairs: requests * context
  })

describe("measured tables", () => {
  it("replace roofline and launches, exactly on their grid points", () => {
    const { seconds, cost, extrapolated } = measure((load) => {
      decode(1, 10_000)(load)
      load.logits = 1
    })
    expect(seconds).toBeCloseTo(32 * (2e-4 + 2e-5) + 4e-4, 12)
    expect(cost.scheduling).toBe(0)
    expect(extrapolated).toEqual([])
  })

  it("are interpolated between", () => {
    const { seconds } = measure(decode(8, 5500))
    const dense = 2e-4 + (1e-5 * 7) / 15
    expect(seconds).toBeCloseTo(32 * (dense + 1e-4), 12)
  })

  it("answer for a verify by the prefill table, request by request", () => {
    const { seconds } = measure((load) => {
      Object.assign(load.verify, { requests: 2, positions: 32, kvTokens: 2 * 1016, pairs: 32 * 1008 })
    })
    const dense = 2.1e-4 + (1.9e-4 * 16) / 240
    expect(seconds).toBeCloseTo(32 * (dense + 2 * 2e-5), 12)
  })

  it("are slowed by what a compressed layout costs", () => {
    const draft = (load: PassLoad): void =>
      void Object.assign(load.draft, { requests: 1, positions: 1, kvTokens: 10_000, pairs: 10_000 })
    const more = measure(draft, LLAMA_8B, 0.5).seconds - measure(draft).seconds
    expect(more).toBeCloseTo(32 * 2e-5, 12)
  })

  it("go by what each layer reads: its window, or everything", () => {
    const [layer] = LLAMA_8B.layers
    const gqa = { kind: "gqa", heads: 32, kvHeads: 8, headDim: 128 } as const
    const model = {
      ...LLAMA_8B,
      layers: [
        { ...layer!, count: 2 },
        { ...layer!, count: 6, attention: { ...gqa, window: 1000 } }
      ]
    }
    const { seconds } = measure((load) => {
      decode(1, 10_000)(load)
      Object.assign(load.decode, { localKvTokens: 1000, localPairs: 1000 })
    }, model)
    expect(seconds).toBeCloseTo(8 * 2e-4 + 2 * 2e-5 + 6 * 1e-5, 12)
  })

  it("say when they were exceeded", () => {
    expect(measure(decode(1, 200_000)).extrapolated).toEqual(["attentionDecode"])
    expect(measure(decode(9, 10_000)).extrapolated).toEqual(["attentionDecode"])
    const beyond = measure((load) => {
      Object.assign(load.prefill, { requests: 1, positions: 600, kvTokens: 600, pairs: 180_300 })
      load.logits = 100
    })
    expect(beyond.extrapolated.toSorted()).toEqual(["attentionPrefill", "dense", "lmHead"])
  })

  it("that claim more than the hardware can do are refused", () => {
    const impossible: KernelTables = { origin, dense: { tokens: [1, 256], seconds: [1e-6, 2e-6] } }
    const costs = new CostModel(LLAMA_8B, h100(undefined, impossible), 1, 1)
    const load = emptyLoad()
    decode(1, 1000)(load)
    expect(() => costs.price(load, emptyCost())).toThrow("below the physical floor")
    // Beyond its end a table claims nothing: the floor holds it up.
    const long = emptyLoad()
    decode(300, 1000)(long)
    expect(() => costs.price(long, emptyCost())).not.toThrow()
  })
})
