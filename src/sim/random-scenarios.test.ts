/**
 * Random deployments, workloads, methods and faults: no crash, no deadlock, and the invariants hold. The gate runs one seed;
 * VERICACHE_FUZZ_SEED and VERICACHE_FUZZ (runs) look further.
 */
import { Cause, Exit } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Acceptance, Compressor, Drafter, Method, Scenario } from "../scenario/resolved.ts"
import { TraceStore } from "../trace/store.ts"
import { brokenInvariants } from "./invariants.ts"
import { Infeasible } from "./setup.ts"
import { simulate } from "./simulate.ts"

const origin = { basis: "assumed", source: "made up for a test" } as const
const efficiency = { memory: 0.8, compute: 0.6, overhead: 1e-6 }

const acceptance: fc.Arbitrary<Acceptance> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map((alpha) => ({ origin, kind: "iid" as const, alpha })),
  fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 })
    .map((perPosition) => ({ origin, kind: "curve" as const, perPosition })),
  fc
    .array(fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((accepted) => ({ origin, kind: "recorded" as const, accepted }))
)

const compressor: fc.Arbitrary<Compressor> = fc.record({
  name: fc.constant("made-up"),
  origin: fc.constant(origin),
  kind: fc.constantFrom("drop" as const, "quantize" as const, "hybrid" as const),
  mode: fc.constantFrom("offline" as const, "online" as const),
  keep: fc.double({ min: 0.05, max: 1, noNaN: true }),
  acceptance,
  attentionEfficiency: fc.double({ min: 0.3, max: 1, noNaN: true })
})

const drafter: fc.Arbitrary<Drafter> = fc.record({
  name: fc.constant("made-up"),
  origin: fc.constant(origin),
  kind: fc.constantFrom("ngram" as const, "eagle" as const),
  numSpeculativeTokens: fc.integer({ min: 1, max: 6 }),
  weightBytes: fc.constantFrom(0, 1e6),
  kvBytesPerToken: fc.constantFrom(0, 64),
  acceptance
})

const window = fc.oneof(
  fc.constant({ kind: "optimal" as const }),
  fc.integer({ min: 0, max: 30 }).map((tokens) => ({ kind: "fixed" as const, tokens })),
  fc.constant({ kind: "adaptive" as const, min: 2, max: 30 })
)

const method: fc.Arbitrary<Method> = fc.oneof(
  fc.constant({ kind: "full-kv" as const }),
  fc.constant({ kind: "offloaded" as const }),
  compressor.map((one) => ({ kind: "lossy" as const, compressor: one })),
  drafter.map((one) => ({ kind: "drafter" as const, drafter: one })),
  fc.record({ kind: fc.constant("sparse" as const), compressor, window }),
  fc.record(
    {
      kind: fc.constant("vericache" as const),
      compressor,
      window,
      schedule: fc.constantFrom("staggered" as const, "lock-step" as const),
      reload: fc.constantFrom("full" as const, "missing" as const),
      granularity: fc.constantFrom("whole" as const, "streaming" as const),
      fullKvRequests: fc.constantFrom(0, 0, 1, 3),
      drafter
    },
    { requiredKeys: ["kind", "compressor", "window", "schedule", "reload", "granularity", "fullKvRequests"] }
  )
)

const lengths = fc.oneof(
  fc.integer({ min: 1, max: 600 }).map((tokens) => ({ kind: "fixed" as const, tokens })),
  fc.record({
    kind: fc.constant("uniform" as const),
    min: fc.integer({ min: 1, max: 50 }),
    max: fc.integer({ min: 50, max: 700 })
  })
)

const arrivals = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((concurrency) => ({ kind: "closed" as const, concurrency })),
  fc.double({ min: 1, max: 2000, noNaN: true }).map((rate) => ({ kind: "poisson" as const, rate })),
  fc.record({
    kind: fc.constant("gamma" as const),
    rate: fc.double({ min: 1, max: 2000, noNaN: true }),
    burstiness: fc.double({ min: 0.2, max: 3, noNaN: true })
  })
)

const gqa = { kind: "gqa" as const, heads: 4, kvHeads: 2, headDim: 32 }
const dense = { kind: "dense" as const, intermediate: 512 }

const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.integer({ min: 0, max: 1e6 }),
    windowed: fc.boolean(),
    /** Memory for KV, in pages: from a squeeze to plenty. */
    pages: fc.integer({ min: 40, max: 600 }),
    enablePrefixCaching: fc.boolean(),
    asyncScheduling: fc.boolean(),
    link: fc.double({ min: 1e7, max: 2e10, noNaN: true }),
    sharing: fc.constantFrom("serial" as const, "fair" as const),
    oneQueue: fc.option(
      fc.record({
        submission: fc.constantFrom(0, 1e-5, 1e-3),
        steps: fc.integer({ min: 1, max: 64 }),
        chunk: fc.constantFrom(4096, 1e6)
      }),
      { nil: undefined, freq: 3 }
    ),
    context: fc.constantFrom("prefill" as const, "host" as const, "store" as const),
    hostTokens: fc.integer({ min: 1500, max: 100_000 }),
    requests: fc.integer({ min: 1, max: 25 }),
    input: lengths,
    output: lengths,
    arrivals,
    timeout: fc.option(fc.double({ min: 0.001, max: 5, noNaN: true }), { nil: undefined }),
    reloadFailure: fc.constantFrom(0, 0, 0.3, 1),
    cancel: fc.constantFrom(0, 0, 0.3),
    dataParallelSize: fc.integer({ min: 1, max: 3 }),
    maxNumSeqs: fc.integer({ min: 1, max: 16 }),
    maxNumBatchedTokens: fc.integer({ min: 32, max: 512 }),
    remote: fc.option(
      fc.record({ local: fc.integer({ min: 1, max: 2 }), remote: fc.integer({ min: 1, max: 3 }) }),
      { nil: undefined, freq: 4 }
    ),
    method
  })
  .map((one): Scenario => ({
    name: "random",
    description: "",
    seed: one.seed,
    model: {
      name: "tiny",
      origin,
      hidden: 128,
      vocab: 1000,
      tiedEmbeddings: true,
      layers: one.windowed
        ? [
            { count: 2, attention: { ...gqa, window: 64 }, mlp: dense },
            { count: 2, attention: gqa, mlp: dense }
          ]
        : [{ count: 4, attention: gqa, mlp: dense }],
      weightBytesPerParam: 2,
      kvBytesPerElement: 2,
      maxPositions: 4096
    },
    hardware: {
      name: "toy",
      origin,
      hbm: { capacity: 1e9, bandwidth: 1e11 },
      flops: { 16: 1e13 },
      link: { hostToDevice: one.link, deviceToHost: one.link, latency: 1e-6, sharing: one.sharing },
      ...(one.oneQueue === undefined ? {} : { oneQueue: one.oneQueue }),
      interconnect: { bandwidth: 1e11, latency: 1e-6 },
      host: { capacity: one.hostTokens * 1024, bandwidth: 5e10 },
      efficiency: {
        matmul: efficiency,
        "attention-decode": efficiency,
        "attention-prefill": efficiency,
        elementwise: efficiency,
        "lm-head": efficiency
      },
      queryBlock: { rows: 64, packsHeads: false },
      stepOverhead: 1e-5,
      stepOverheadPerRequest: 1e-7
    },
    engine: {
      tensorParallelSize: 1,
      dataParallelSize: one.dataParallelSize,
      maxNumSeqs: one.maxNumSeqs,
      maxNumBatchedTokens: one.maxNumBatchedTokens,
      blockSize: 16,
      gpuMemoryUtilization: 0.9,
      numGpuBlocks: one.pages,
      reservedBytes: 1e6,
      enablePrefixCaching: one.enablePrefixCaching,
      asyncScheduling: one.asyncScheduling,
      horizon: 64
    },
    deployment:
      one.remote === undefined
        ? { kind: "long-context" }
        : {
            kind: "remote-prefix",
            ...one.remote,
            localBandwidth: 1e9,
            remoteBandwidth: 1e8,
            roundTrip: 1e-4
          },
    workload: {
      context: one.context,
      ...(one.timeout === undefined ? {} : { timeout: one.timeout }),
      kind: "synthetic",
      requests: one.requests,
      arrivals: one.arrivals,
      input: one.input,
      output: one.output
    },
    methods: [{ name: "method", method: one.method }],
    baseline: "method",
    faults: { reloadFailure: one.reloadFailure, cancel: one.cancel },
    objectives: [],
    assumptions: []
  }))

const run = (random: Scenario): { readonly digest: string; readonly broken: readonly string[] } => {
  const trace = new TraceStore({
    name: "random",
    scenario: "random",
    method: "method",
    seed: random.seed,
    clock: "virtual",
    basis: "modelled",
    clockOffset: 0
  })
  const exit = simulate(random, random.methods[0]!, { recorder: trace })
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause)
    if (error instanceof Infeasible) return { digest: "infeasible", broken: [] }
    throw error
  }
  return { digest: trace.digest(), broken: brokenInvariants(random, exit.value, trace) }
}

describe("random scenarios", () => {
  it("keep the invariants, and run the same twice", () => {
    fc.assert(
      fc.property(scenario, (random) => {
        const first = run(random)
        expect(first.broken).toEqual([])
        expect(run(random).digest).toBe(first.digest)
      }),
      {
        seed: Number(process.env["VERICACHE_FUZZ_SEED"] ?? 1),
        numRuns: Number(process.env["VERICACHE_FUZZ"] ?? 300)
      }
    )
  })
})
