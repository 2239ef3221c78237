import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { modelOf } from "../../scenario/entries.ts"
import { readCatalog } from "../../sim/scenarios.fixture.ts"
import { touchedParameters } from "../../sim/cost/linear.ts"
import { DECODING } from "../../sim/cost/query-blocks.ts"
import { activatedBy, type ExpertCall, expertTable } from "./experts.ts"
import { heldAtFloor } from "./floor.ts"
import {
  EMPTY_PROFILE,
  type LayerProfile,
  profilePart,
  readProfilePart,
  tablesOfProfile
} from "./kernel-tables.ts"
import { samplesOfProfile } from "./profile-samples.ts"

const MODEL = modelOf(readCatalog().models.get("qwen3-30b-a3b")!)
const DENSE = modelOf(readCatalog().models.get("qwen3-32b")!)
const [LAYER] = MODEL.layers
if (LAYER?.mlp.kind !== "moe") throw new Error("a model of experts")
const SHAPE = LAYER.mlp

/** A block whose time is a microsecond for each expert chosen, and a tenth for each token. */
const call = (tokens: number, activated: number, ranks = 1): ExpertCall => ({
  ranks,
  tokens,
  activated,
  seconds: (activated + tokens / 10) * 1e-6
})
const CALLS = [1, 8, 64, 512].flatMap((tokens) =>
  [8, 16, 64, 128].filter((activated) => activated <= 8 * tokens).map((activated) => call(tokens, activated))
)
const profile = (experts: readonly ExpertCall[]): LayerProfile => ({
  ...EMPTY_PROFILE,
  dense: [1, 8, 64, 100, 2048].flatMap((tokens) =>
    ["qkv_proj", "o_proj", "layernorm"].map((layer) => ({ layer, tokens, seconds: 1e-5 }))
  ),
  experts
})

describe("experts of a layer profile", () => {
  it("are chosen as the cost model reads them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), (tokens) => {
        const each = 3 * MODEL.hidden * SHAPE.intermediate
        // Every token passes the router.
        const read = touchedParameters(LAYER, MODEL.hidden, tokens) - MODEL.hidden * SHAPE.experts
        expect((activatedBy(SHAPE, tokens) * each) / read).toBeCloseTo(1, 9)
      })
    )
  })

  it("take what was measured at the experts that tokens are expected to choose", () => {
    const { tokens, seconds } = expertTable([...CALLS, call(8, 64, 2)], SHAPE)
    expect(tokens).toEqual([1, 8, 64, 512])
    tokens.forEach((size, i) =>
      expect(seconds[i]! * 1e6).toBeCloseTo(activatedBy(SHAPE, size) + size / 10, 6)
    )
  })

  it("are added to the other layers, where both were measured", () => {
    const { dense } = tablesOfProfile(profile(CALLS), "x", SHAPE)
    expect(dense?.tokens).toEqual([1, 8, 64, 100])
    // Two norms, two matmuls, and eight experts of one token.
    expect(dense!.seconds[0]! * 1e6).toBeCloseTo(40 + 8 + 0.1, 6)
    expect(tablesOfProfile(profile([]), "x", SHAPE).dense).toBeUndefined()
    const { raised } = heldAtFloor({ origin: { basis: "measured", source: "x" }, dense: dense! }, MODEL, 1, {
      bandwidth: 1e9,
      flops: 1e15
    })
    expect(raised).toBe(4)
  })

  it("are told by their header, and are samples of matmuls", () => {
    const text = "ep,tokens,activated_experts,time_us\n1,1,8,48.1707\n2,1,4,35.9463\n"
    expect(profilePart(text)).toBe("experts")
    const { profile: read, faults } = readProfilePart("experts", "moe.csv", text)
    expect(faults).toEqual([])
    const samples = samplesOfProfile(read, MODEL, 1, DECODING)
    if ("problem" in samples) throw new Error(samples.problem)
    const each = 3 * MODEL.hidden * SHAPE.intermediate
    expect(samples.matmul).toEqual([
      {
        bytes: 8 * each * 2 + (2 * MODEL.hidden + 3 * 8 * SHAPE.intermediate) * 2,
        flops: 2 * 8 * each,
        launches: 2,
        seconds: expect.closeTo(48.1707e-6, 12)
      }
    ])
    expect(readProfilePart("experts", "moe.csv", text.replace("48.1707", "fast")).faults).toMatchObject([
      { file: "moe.csv", line: 2 }
    ])
  })

  it("belong to models that have them, and to no others", () => {
    expect(samplesOfProfile(profile([]), MODEL, 1, DECODING)).toEqual({
      problem: "qwen3-30b-a3b has experts and the profile none: give moe.csv too"
    })
    expect(samplesOfProfile(profile(CALLS), DENSE, 1, DECODING)).toEqual({
      problem: "qwen3-32b has no experts and the profile has"
    })
  })
})
