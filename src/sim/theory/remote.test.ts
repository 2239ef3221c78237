import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { expectedAccepted } from "../acceptance/survival.ts"
import {
  bestMix,
  bestRatio,
  type Limit,
  loads,
  PATHS,
  type RemotePrefix,
  remoteRequestTime,
  remoteSpeedup,
  tokenTime
} from "./remote.ts"

const GB = 1e9

/**
 * The paper's rates (store 40 GB/s, remote node 1.2 GB/s), window (40) and 4-bit KIVI (0.28 with its scales), on its 96 GB
 * card. Model, KV and output are not stated: ours are a 24B model, 4 GB and 50 tokens, the last chosen to meet its best ratio.
 */
const prefix: RemotePrefix = {
  weights: 48 * GB,
  kv: 4 * GB,
  keep: 0.28,
  memory: 0.9 * 96 * GB,
  hbmBandwidth: 1792 * GB,
  localBandwidth: 40 * GB,
  remoteBandwidth: 1.2 * GB,
  local: 1,
  remote: 4,
  output: 50,
  window: 40,
  accepted: expectedAccepted(0.98, 40)
}

const deployments = fc
  .record({
    keep: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    local: fc.integer({ min: 1, max: 4 }),
    remote: fc.integer({ min: 0, max: 16 }),
    output: fc.integer({ min: 1, max: 5000 }),
    accepted: fc.double({ min: 1, max: 40, noNaN: true }),
    remoteBandwidth: fc.double({ min: 0.1 * GB, max: 40 * GB, noNaN: true })
  })
  .map((change): RemotePrefix => ({ ...prefix, ...change }))

describe("a request drafted remotely", () => {
  it("takes the time of (4)", () => {
    // c·KV/BW_l = 1.12/1.2; cycles of max(40 · 10 ms, 4/40) + 20 ms.
    const cycles = 50 / prefix.accepted
    expect(remoteRequestTime(prefix, 0.01, 0.02)).toBeCloseTo(1.12 / 1.2 + cycles * 0.42, 9)
    // A slow store makes the reload longer than the drafting.
    expect(remoteRequestTime({ ...prefix, localBandwidth: 4 * GB }, 0.01, 0.02)).toBeCloseTo(
      1.12 / 1.2 + cycles * 1.02,
      9
    )
  })

  it("starts about 1/c sooner than one that fetches its full KV", () => {
    const start = (keep: number) => remoteRequestTime({ ...prefix, keep, output: 0 }, 0.01, 0.02)
    expect(start(1) / start(0.28)).toBeCloseTo(1 / 0.28, 9)
  })

  it("shares the weights' reads with its batch, (12)", () => {
    expect(tokenTime(prefix, 1)).toBeCloseTo((48 + 4) / 1792, 12)
    expect(tokenTime(prefix, 8)).toBeCloseTo((48 / 8 + 4) / 1792, 12)
  })
})

describe("the best mix", () => {
  it("keeps to all six limits, and reaches at least one", () => {
    fc.assert(
      fc.property(deployments, (state) => {
        const { requests, limits } = bestMix(state)
        const load = loads(state)
        const used = (limit: Limit) =>
          PATHS.reduce(
            (sum, path) => sum + (requests[path] === 0 ? 0 : load[path][limit] * requests[path]),
            0
          )
        const spare = 1 + 1e-6
        expect(used("remote net")).toBeLessThanOrEqual(state.remote * state.remoteBandwidth * spare)
        expect(used("remote GPU")).toBeLessThanOrEqual(state.remote * spare)
        expect(used("remote memory")).toBeLessThanOrEqual(state.remote * 38.4 * GB * spare)
        expect(used("local net")).toBeLessThanOrEqual(state.local * state.localBandwidth * spare)
        expect(used("local GPU")).toBeLessThanOrEqual(state.local * spare)
        expect(used("local memory")).toBeLessThanOrEqual(state.local * 38.4 * GB * spare)
        expect(limits.length).toBeGreaterThan(0)
      })
    )
  })

  it("never loses from a further path, a further group or a faster network", () => {
    fc.assert(
      fc.property(deployments, (state) => {
        const here = bestMix(state).throughput * (1 - 1e-6)
        expect(here).toBeLessThanOrEqual(bestMix({ ...state, remote: state.remote + 1 }).throughput)
        expect(here).toBeLessThanOrEqual(
          bestMix({ ...state, remoteBandwidth: 2 * state.remoteBandwidth }).throughput
        )
        expect(remoteSpeedup(state)).toBeGreaterThanOrEqual(1 - 1e-6)
      })
    )
  })

  it("serves everything beside the store when there is no remote group", () => {
    const { requests, limits } = bestMix({ ...prefix, remote: 0 })
    // Nine requests fit; each takes 50 tokens of (48/9 + 4)/1792 seconds.
    const rate = 1 / (50 * ((48 / 9 + 4) / 1792))
    expect(requests).toEqual({ local: expect.closeTo(rate, 9), remote: 0, split: 0 })
    expect(limits).toEqual(["local GPU"])
  })

  it("is nothing where no request fits", () => {
    expect(bestMix({ ...prefix, memory: prefix.weights }).throughput).toBe(0)
  })
})

describe("trends of the paper's remote figures (orderings under the assumptions above)", () => {
  it("the gain is largest at G_R/G_L = 4 for short outputs, and lies in the paper's range there", () => {
    const best = bestRatio(prefix, [1, 2, 3, 4, 5, 6, 8, 12])
    expect(best.ratio).toBe(4)
    expect(best.speedup).toBeGreaterThan(1.33)
    expect(best.speedup).toBeLessThan(2.11)
  })

  it("the gain falls towards 1 as decoding dominates", () => {
    const gains = [100, 200, 400, 800].map((output) => remoteSpeedup({ ...prefix, output }))
    expect(gains).toEqual(gains.toSorted((a, b) => b - a))
    expect(gains.at(-1)!).toBeLessThan(1.2)
  })

  it("the gain vanishes as the remote network becomes as fast as the store", () => {
    expect(remoteSpeedup({ ...prefix, remoteBandwidth: 40 * GB })).toBeLessThan(remoteSpeedup(prefix))
  })
})
