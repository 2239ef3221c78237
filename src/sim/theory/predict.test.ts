import { describe, expect, it } from "vitest"
import type {
  Acceptance,
  Compressor,
  Drafter,
  Efficiency,
  Method,
  Scenario
} from "../../scenario/resolved.ts"
import { explain } from "./explain.ts"
import { meanContext, plainState, steadyState, workloadLengths } from "./parameters.ts"
import { predict, predictRemote } from "./predict.ts"

const GB = 1e9
const origin = { basis: "assumed", source: "test" } as const
const ideal: Efficiency = { memory: 1, compute: 1, overhead: 0 }
const acceptance: Acceptance = { origin, kind: "iid", alpha: Math.exp(-0.023) }
const compressor: Compressor = {
  name: "KVzip",
  origin,
  kind: "drop",
  mode: "offline",
  keep: 0.2,
  acceptance,
  attentionEfficiency: 1
}
const ngram: Drafter = {
  name: "n-gram",
  origin,
  kind: "ngram",
  numSpeculativeTokens: 3,
  weightBytes: 0,
  kvBytesPerToken: 0,
  acceptance: { origin, kind: "iid", alpha: 0.5 }
}
const vericache: Extract<Method, { kind: "vericache" }> = {
  kind: "vericache",
  compressor,
  window: { kind: "optimal" },
  schedule: "staggered",
  reload: "missing",
  granularity: "whole",
  fullKvRequests: 0
}

/** The ideal case of the paper's equations: 65 GB of weights and 4 GB of KV per request on one 96 GB card at 90 %. */
const scenario: Scenario = {
  name: "ideal",
  description: "",
  seed: 1,
  model: {
    name: "32B",
    origin,
    hidden: 5120,
    vocab: 152_064,
    tiedEmbeddings: false,
    layers: [
      {
        count: 64,
        attention: { kind: "gqa", heads: 40, kvHeads: 8, headDim: 128 },
        mlp: { kind: "dense", intermediate: 27_648 }
      }
    ],
    weightBytesPerParam: 2,
    kvBytesPerElement: 2,
    maxPositions: 131_072,
    weightBytes: 65 * GB,
    kvBytesPerToken: 250_000
  },
  hardware: {
    name: "card",
    origin,
    hbm: { capacity: 96 * GB, bandwidth: 1792 * GB },
    flops: { 16: 500e12 },
    link: { hostToDevice: 64 * GB, deviceToHost: 64 * GB, latency: 0, sharing: "serial" },
    interconnect: { bandwidth: 64 * GB, latency: 0 },
    host: { capacity: 1000 * GB, bandwidth: 300 * GB },
    efficiency: {
      matmul: ideal,
      "attention-decode": ideal,
      "attention-prefill": ideal,
      elementwise: ideal,
      "lm-head": ideal
    },
    queryBlock: { rows: 64, packsHeads: true },
    stepOverhead: 0,
    stepOverheadPerRequest: 0
  },
  engine: {
    tensorParallelSize: 1,
    dataParallelSize: 1,
    maxNumSeqs: 256,
    maxNumBatchedTokens: 8192,
    blockSize: 16,
    gpuMemoryUtilization: 0.9,
    reservedBytes: 0,
    enablePrefixCaching: false,
    horizon: 256
  },
  deployment: { kind: "long-context" },
  workload: {
    context: "host",
    kind: "synthetic",
    requests: 100,
    arrivals: { kind: "closed", concurrency: 64 },
    input: { kind: "fixed", tokens: 15_900 },
    output: { kind: "fixed", tokens: 200 }
  },
  methods: [{ name: "VeriCache", method: vericache }],
  baseline: "VeriCache",
  faults: { reloadFailure: 0, cancel: 0 },
  objectives: [],
  assumptions: []
}
const remote: Scenario = {
  ...scenario,
  deployment: {
    kind: "remote-prefix",
    local: 1,
    remote: 4,
    localBandwidth: 40 * GB,
    remoteBandwidth: 1.2 * GB,
    roundTrip: 0.001
  }
}

describe("parameters of a scenario", () => {
  it("take the average request halfway through its output", () => {
    expect(workloadLengths(scenario)).toEqual({ input: 15_900, output: 200, longest: 16_100 })
    expect(meanContext(scenario)).toBe(16_000)
    expect(plainState(scenario)).toEqual({
      weights: 65 * GB,
      kv: 4 * GB,
      memory: expect.closeTo(86.4 * GB, 0),
      hbmBandwidth: 1792 * GB,
      linkBandwidth: 64 * GB,
      concurrency: 64
    })
  })

  it("multiply by the GPUs of a group and divide demand among groups", () => {
    const engine = { ...scenario.engine, tensorParallelSize: 2, dataParallelSize: 3, reservedBytes: GB }
    const state = plainState({ ...scenario, engine })
    expect(state).toMatchObject({ hbmBandwidth: 3584 * GB, linkBandwidth: 128 * GB, concurrency: 22 })
    expect(state.memory).toBeCloseTo(2 * 85.4 * GB, 0)
  })

  it("of a trace are its means", () => {
    const requests = [
      { arrival: 0, input: 100, output: 10 },
      { arrival: 1, input: 300, output: 30 }
    ]
    const workload = { context: "prefill", kind: "trace", requests, blockTokens: 512, origin } as const
    expect(workloadLengths({ ...scenario, workload })).toEqual({ input: 200, output: 20, longest: 330 })
  })

  it("keep no more of a sliding-window layer than its window", () => {
    const [layer] = scenario.model.layers
    const local = {
      ...layer!,
      attention: { kind: "gqa", heads: 40, kvHeads: 8, headDim: 128, window: 1024 }
    } as const
    const { kvBytesPerToken: _, ...model } = { ...scenario.model, layers: [layer!, local] }
    const perLayer = 64 * 2 * 8 * 128 * 2
    expect(plainState({ ...scenario, model }).kv).toBe(perLayer * (16_000 + 1024))
  })

  it("exist only for methods that draft on compressed KV", () => {
    expect(steadyState(scenario, { kind: "full-kv" })).toBeUndefined()
    expect(steadyState(scenario, { kind: "lossy", compressor })).toBeUndefined()
    expect(steadyState(scenario, { kind: "sparse", compressor, window: { kind: "optimal" } })!.reload).toBe(
      "none"
    )
  })
})

describe("predictions", () => {
  const rate = (method: Method, of = scenario) => predict(of, method).throughput
  const full = rate({ kind: "full-kv" })

  it("meet the paper's ideal case from a scenario", () => {
    expect(predict(scenario, vericache)).toMatchObject({ window: 24, batch: 23, limit: "memory" })
    expect(rate(vericache) / full).toBeCloseTo(3.48, 1)
  })

  it("order the methods as their means allow", () => {
    const lockStep = rate({ ...vericache, schedule: "lock-step" })
    const offloaded = rate({ kind: "offloaded" })
    const lossy = rate({ kind: "lossy", compressor })
    expect(rate(vericache)).toBeGreaterThan(lockStep)
    expect(lockStep).toBeGreaterThan(offloaded)
    expect(lossy).toBeGreaterThan(rate(vericache))
    expect(rate({ ...vericache, reload: "full" })).toBeLessThan(rate(vericache))
    expect(rate({ kind: "drafter", drafter: ngram })).toBeCloseTo(full * (1 + 0.5 + 0.25 + 0.125), 6)
  })

  it("draft more tokens in as many steps with a third level, and gain from it if it is free", () => {
    const three = { ...vericache, window: { kind: "fixed", tokens: 45 }, drafter: ngram } as const
    // A step yields 1 + 0.5 + 0.25 + 0.125 tokens.
    expect(predict(scenario, three)).toMatchObject({ window: 24, accepted: expect.closeTo(27.71, 2) })
    expect(rate(three)).toBeGreaterThan(rate(vericache))
    const dear = { ...ngram, weightBytes: 20 * GB }
    expect(rate({ ...three, drafter: dear })).toBeLessThan(rate(three))
    const drafted = explain(scenario, three).quantities.find((quantity) => quantity.name === "draft window")
    expect(drafted!.value).toBe(45)
  })

  it("follow the window policy", () => {
    const window = (policy: typeof vericache.window | { kind: "fixed"; tokens: number }) =>
      predict(scenario, { ...vericache, window: policy }).window
    expect(window({ kind: "fixed", tokens: 7 })).toBe(7)
    expect(window({ kind: "adaptive", min: 4, max: 64 })).toBe(24)
    expect(window({ kind: "adaptive", min: 30, max: 64 })).toBe(30)
  })

  it("say so when nothing fits", () => {
    const engine = { ...scenario.engine, gpuMemoryUtilization: 0.5 }
    for (const schedule of ["staggered", "lock-step"] as const) {
      expect(predict({ ...scenario, engine }, { ...vericache, schedule })).toMatchObject({
        batch: 0,
        throughput: 0
      })
    }
  })

  it("of remote prefix caching pick the window with the best mix", () => {
    expect(predictRemote(scenario, vericache)).toBeUndefined()
    const best = predictRemote(remote, vericache)!
    const fixed = predictRemote(remote, { ...vericache, window: { kind: "fixed", tokens: 25 } })!
    expect(fixed.state.window).toBe(25)
    expect(best.mix.throughput).toBeGreaterThanOrEqual(fixed.mix.throughput)
  })
})

describe("remote predictions", () => {
  const rate = (method: Method) => predictRemote(remote, method)!.mix.throughput

  it("leave the split path to the method that verifies", () => {
    const full = predictRemote(remote, { kind: "full-kv" })!.mix
    expect(full.requests.split).toBe(0)
    expect(rate(vericache)).toBeGreaterThan(full.throughput)
    expect(rate({ kind: "lossy", compressor })).toBeGreaterThan(rate(vericache))
    expect(predictRemote(remote, { kind: "offloaded" })).toBeUndefined()
  })
})

describe("explanations", () => {
  const value = (of: Scenario, method: Method, name: string) =>
    explain(of, method).quantities.find((quantity) => quantity.name === name)?.value

  it("give the quantities of the ideal case", () => {
    expect(value(scenario, vericache, "full-KV batch")).toBe(5)
    expect(value(scenario, vericache, "batch")).toBe(23)
    expect(value(scenario, vericache, "draft window")).toBe(24)
    expect(value(scenario, vericache, "HBM time")).toBeCloseTo((65 + 23 * 0.928) / 1792, 9)
    expect(value(scenario, vericache, "link time")).toBeCloseTo((23 * 3.2) / (25 * 64), 9)
    expect(value(scenario, vericache, "iterations a reload starts ahead")).toBe(2)
    expect(value(scenario, vericache, "speed-up over full KV")).toBeCloseTo(3.48, 1)
    expect(explain(scenario, vericache).limit).toBe("memory")
  })

  it.each<Method>([
    { kind: "full-kv" },
    { kind: "offloaded" },
    { kind: "lossy", compressor },
    { kind: "drafter", drafter: ngram },
    { kind: "sparse", compressor, window: { kind: "optimal" } },
    vericache
  ])("of $kind are finite, name their source and agree with the prediction", (method) => {
    const { quantities } = explain(scenario, method)
    for (const { source, value } of quantities) {
      expect(source).not.toBe("")
      expect(Number.isFinite(value)).toBe(true)
    }
    expect(value(scenario, method, "throughput")).toBe(predict(scenario, method).throughput)
  })

  it("of a remote deployment count full KV on the same groups as 1", () => {
    expect(value(remote, { kind: "full-kv" }, "speed-up over full KV")).toBe(1)
    expect(value(remote, { kind: "full-kv" }, "draft window")).toBeUndefined()
    expect(value(remote, vericache, "speed-up over full KV")).toBeGreaterThan(1)
  })

  it("of a remote deployment give the mix and its limits", () => {
    const { limit, quantities } = explain(remote, vericache)
    expect(limit).toContain("net")
    expect(explain(remote, vericache).assumptions).toHaveLength(4)
    expect(value(remote, vericache, "throughput of all groups")).toBe(
      predictRemote(remote, vericache)!.mix.throughput
    )
    expect(quantities.every((quantity) => Number.isFinite(quantity.value))).toBe(true)
  })
})
