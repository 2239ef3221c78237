import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CostModel } from "../../sim/cost/cost-model.ts"
import { emptyCost, emptyLoad, type PassLoad } from "../../sim/cost/load.ts"
import { h100, LLAMA_8B } from "../../sim/cost/shapes.fixture.ts"
import { fullGrid, joinProfiles, profilePart, readProfilePart, tablesOfProfile } from "./kernel-tables.ts"
import { samplesOfProfile } from "./profile-samples.ts"
import { fitAndJudge } from "./fit.ts"

const DENSE = `layer,tokens,time_us
layernorm,1,2
layernorm,64,3
qkv_proj,1,50
qkv_proj,64,60
o_proj,1,30
`
const ATTENTION_HEADER = "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us"

const read = (text: string) => {
  const part = profilePart(text)
  if (part === undefined) throw new Error("not recognised")
  return readProfilePart(part, "profile.csv", text)
}

describe("files of a layer profile", () => {
  it("are told apart by their header", () => {
    expect(profilePart(DENSE)).toBe("dense")
    expect(profilePart(`\uFEFF${ATTENTION_HEADER}\n`)).toBe("attention")
    expect(profilePart("layer,sequences,time_us\n")).toBe("per-sequence")
    expect(profilePart("layer,time_us,tokens\n")).toBeUndefined()
  })

  it("tell every cell that is wrong, where it stands", () => {
    const { faults } = read(`layer,tokens,time_us
qkv_proj,1.5,50
qkv_proj,2,-1
qkv_proj,4
router,8,3
`)
    expect(faults.map(({ line, column, field }) => [line, column, field])).toEqual([
      [2, 10, "tokens"],
      [3, 12, "time_us"],
      [4, 1, ""],
      [5, 1, "layer"]
    ])
    expect(read("layer,tokens,time_us\n").faults[0]?.message).toContain("at least one row")
  })

  it("count a layer's norms twice, and keep sizes at which all kinds were measured", () => {
    const { profile } = read(DENSE)
    const { dense } = tablesOfProfile(profile, "test")
    expect(dense?.tokens).toEqual([1])
    expect(dense?.seconds[0]).toBeCloseTo((2 * 2 + 50 + 30) * 1e-6, 15)
  })

  it("make the largest full grid of what was measured", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 24 }), { minLength: 1 }), (cells) => {
        const points = cells.map((cell) => ({
          chunk: Math.floor(cell / 5) + 1,
          cached: cell % 5,
          requests: 0,
          kvTokens: 0,
          seconds: (cell + 1) * 1e-6
        }))
        const grid = fullGrid(points, ["chunk", "cached"])!
        for (const chunk of grid.values.chunk)
          for (const cached of grid.values.cached)
            expect(grid.at({ chunk, cached })).toBe(((chunk - 1) * 5 + cached + 1) * 1e-6)
        expect(grid.values.chunk.length * grid.values.cached.length).toBeGreaterThan(0)
      })
    )
  })
})

/** Attention calls whose time is 10 µs plus a microsecond a chunk token, plus 0.1 µs a request and KV token; mixed, 5 more. */
const attention = (): string =>
  [
    ATTENTION_HEADER,
    ...[0, 16, 512].flatMap((chunk) =>
      [0, 1024].flatMap((cached) =>
        [0, 1, 8].flatMap((requests) =>
          [0, 1000, 4000]
            .filter(
              (kv) => (requests === 0) === (kv === 0) && !(chunk === 0 && (cached > 0 || requests === 0))
            )
            .map((kv) => {
              const mixed = chunk > 0 && requests > 0 ? 5 : 0
              return `${chunk},${cached},${requests},${kv},${10 + chunk + 0.1 * requests * kv + mixed}`
            })
        )
      )
    )
  ].join("\n")

describe("attention of a pass with both kinds", () => {
  const { profile, faults } = read(`${attention()}\n`)
  const tables = tablesOfProfile(profile, "test")
  const seconds = (fill: (load: PassLoad) => void): number => {
    const costs = new CostModel(LLAMA_8B, h100(undefined, tables), 1, 1)
    const load = emptyLoad()
    fill(load)
    const cost = emptyCost()
    costs.price(load, cost)
    return cost.hbm + cost.compute
  }
  const decode = (load: PassLoad): void =>
    void Object.assign(load.decode, { requests: 8, positions: 8, kvTokens: 8000, pairs: 8000 })
  const prefill = (load: PassLoad): void =>
    void Object.assign(load.prefill, { requests: 1, positions: 512, kvTokens: 512, pairs: (512 * 513) / 2 })

  it("has a table of its own", () => {
    expect(faults).toEqual([])
    expect(tables.attentionMixed?.seconds[1]?.[0]?.[1]?.[0]).toBeCloseTo((10 + 512 + 800 + 5) * 1e-6, 12)
  })

  it("takes what that table says, not the sum of both", () => {
    // Linear layers are no part of the tables here: the roofline prices them, the same for as many tokens in all.
    const linear = (tokens: number): number =>
      seconds(
        (load) =>
          void Object.assign(load.prefill, {
            requests: 1,
            positions: tokens,
            kvTokens: tokens,
            pairs: (tokens * (tokens + 1)) / 2
          })
      ) -
      32 * (10 + tokens) * 1e-6
    const both = seconds((load) => {
      decode(load)
      prefill(load)
    })
    expect((both - linear(520)) / 32).toBeCloseTo((10 + 512 + 800 + 5) * 1e-6, 9)
  })

  it("prices several chunks as one with as many pairs", () => {
    const pairs = (n: number): number => (n * (n + 1)) / 2
    const several = seconds(
      (load) =>
        void Object.assign(load.prefill, {
          requests: 2,
          positions: 512,
          kvTokens: 512,
          pairs: 2 * pairs(256)
        })
    )
    const one = seconds(
      (load) =>
        void Object.assign(load.prefill, { requests: 1, positions: 512, kvTokens: 512, pairs: pairs(512) })
    )
    // 256 + 256 in causal squares are one of 362.
    expect((one - several) / 32).toBeCloseTo((512 - 362) * 1e-6, 6)
  })
})

describe("a profile made from a known roofline", () => {
  const truth = { memory: 0.8, compute: 0.7, overhead: 4e-6 }
  const peaks = { bandwidth: 3.35e12, flops: 989e12 }
  const time = (bytes: number, flops: number): number =>
    (truth.overhead +
      Math.max(bytes / (peaks.bandwidth * truth.memory), flops / (peaks.flops * truth.compute))) *
    1e6

  it("gives its parameters back through CSV", () => {
    const shapes = {
      qkv_proj: [4096, 6144],
      o_proj: [4096, 4096],
      gate_up_proj: [4096, 28_672],
      down_proj: [14_336, 4096]
    }
    const rows = Object.entries(shapes).flatMap(([layer, [from, to]]) =>
      [1, 16, 64, 256, 1024, 2048].map(
        (n) => `${layer},${n},${time(2 * (from! * to! + n * (from! + to!)), 2 * n * from! * to!)}`
      )
    )
    const { profile } = read(`layer,tokens,time_us\n${rows.join("\n")}\n`)
    const samples = samplesOfProfile(joinProfiles([profile]), LLAMA_8B, 1, { rows: 64, packsHeads: false })
    if ("problem" in samples) throw new Error(samples.problem)
    const { fit } = fitAndJudge(samples.matmul, peaks, { memory: 0.5, compute: 0.5, overhead: 0 })
    expect(fit.memory).toBeCloseTo(truth.memory, 4)
    expect(fit.compute).toBeCloseTo(truth.compute, 4)
    expect(fit.overhead * 1e6).toBeCloseTo(truth.overhead * 1e6, 2)
  })
})
