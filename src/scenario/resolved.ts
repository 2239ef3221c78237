/**
 * A scenario with every name looked up and every quantity in base units: what the runtime, the simulator, the engine,
 * planning and the screens read. `schema.ts` describes the file a person writes; `resolve.ts` turns one into the other.
 *
 * Units: bytes, seconds, bytes/s, FLOP/s, tokens. Rates and capacities are per GPU unless said otherwise.
 */

/** How a number came to be known. A datasheet figure is `assumed` until somebody measures it. */
export type Basis = "measured" | "modelled" | "assumed"

/** Where a figure comes from, in words a reader can check: a datasheet, a paper with its equation, a measurement. */
export interface Origin {
  readonly basis: Basis
  readonly source: string
}

/**
 * The kinds of work whose efficiency is calibrated apart. `attention-prefill` is any attention call that computes prompts, those
 * that serve decoding requests beside them too; `attention-decode` one without prompts.
 */
export const OPERATIONS = [
  "matmul",
  "attention-decode",
  "attention-prefill",
  "elementwise",
  "lm-head"
] as const
export type Operation = (typeof OPERATIONS)[number]

/** What share of the peak an operation kind reaches, and what each launch of it costs besides. */
export interface Efficiency {
  /** Share of peak HBM bandwidth when bandwidth bounds it, 0–1. */
  readonly memory: number
  /** Share of peak FLOP/s when arithmetic bounds it, 0–1. */
  readonly compute: number
  /** Fixed cost of one operation of this kind, seconds. */
  readonly overhead: number
  /** Seconds a block costs besides its arithmetic: of queries in attention, when blocks occupy the whole GPU; of rows in all matmuls of a layer and in the output head (`matmulBlock`). */
  readonly perBlock?: number
  /** Attention: seconds a block takes for a token of the KV it walks over. The longest walk bounds a call. */
  readonly perToken?: number
}

/** Measured times, interpolated linearly; they replace the roofline for the operations they cover. */
export interface KernelTables {
  readonly origin: Origin
  /** Time of all linear layers of one decoder layer by tokens in the pass: ascending `tokens`, `seconds` beside it. */
  readonly dense?: { readonly tokens: readonly number[]; readonly seconds: readonly number[] }
  /** Time of decode attention of one layer by requests and KV length: `seconds[i][j]` at `requests[i]`, `kvTokens[j]`. */
  readonly attentionDecode?: {
    readonly requests: readonly number[]
    readonly kvTokens: readonly number[]
    readonly seconds: readonly (readonly number[])[]
  }
  /** Time of prefill attention of one layer by chunk and tokens already cached: `seconds[i][j]` at `chunk[i]`, `cached[j]`. */
  readonly attentionPrefill?: {
    readonly chunk: readonly number[]
    readonly cached: readonly number[]
    readonly seconds: readonly (readonly number[])[]
  }
  /**
   * Time of attention of one layer in a pass that has both a prefill chunk and decoding requests: `seconds[i][j][k][l]` at
   * `chunk[i]`, `cached[j]`, `requests[k]`, `kvTokens[l]`. One kernel serves both, and the sum of the two tables is not it.
   */
  readonly attentionMixed?: {
    readonly chunk: readonly number[]
    readonly cached: readonly number[]
    readonly requests: readonly number[]
    readonly kvTokens: readonly number[]
    readonly seconds: readonly (readonly (readonly (readonly number[])[])[])[]
  }
  /** Time of the output head and the sampler by sequences in the pass. */
  readonly lmHead?: { readonly sequences: readonly number[]; readonly seconds: readonly number[] }
}

/** How a device works off what it is given, where passes and copies share one queue. */
export interface OneQueue {
  /** Seconds the host needs to record a submission: a pass has one, or one for each layer that it waits for. */
  readonly submission: number
  /** Passes of a run that one submission holds at most: the run can be cut only between submissions. */
  readonly steps: number
  /** Bytes of a copy that are submitted at once; passes slip in between. */
  readonly chunk: number
  /** A copy into the device that is ordered as a pass begins goes before it: a staging buffer is had sooner than the pass is recorded. */
  readonly copiesFirst?: boolean
}

/** How attention that computes prompts cuts its queries (`src/sim/cost/query-blocks.ts`). */
export interface QueryBlock {
  /** Rows that a block computes, in use or not. */
  readonly rows: number
  /** Whether the query heads of a KV head share blocks, as in FlashAttention 3. */
  readonly packsHeads: boolean
}

export interface Hardware {
  readonly name: string
  readonly origin: Origin
  readonly hbm: { readonly capacity: number; readonly bandwidth: number }
  /** Dense peak FLOP/s by operand width in bits (4, 8, 16). 16 is always present. */
  readonly flops: Readonly<Partial<Record<4 | 8, number>>> & { readonly 16: number }
  /** The link between host memory and HBM, each direction on its own. `bandwidth` is what a large copy really reaches. */
  readonly link: {
    readonly hostToDevice: number
    readonly deviceToHost: number
    /** Fixed cost of one transfer, seconds. */
    readonly latency: number
    /** The same from HBM to host memory; absent: as `latency`. */
    readonly deviceToHostLatency?: number
    /** One transfer at a time (the paper's), or all at once with equal shares. */
    readonly sharing: "serial" | "fair"
  }
  /** Absent: copies have engines of their own and run beside passes. */
  readonly oneQueue?: OneQueue
  /** GPU to GPU inside a tensor-parallel group: bytes/s per GPU and direction; latency of one all-reduce in seconds. */
  readonly interconnect: { readonly bandwidth: number; readonly latency: number }
  /** Host memory of one node; all links that read it share its bandwidth. */
  readonly host: { readonly capacity: number; readonly bandwidth: number }
  readonly efficiency: Readonly<Record<Operation, Efficiency>>
  readonly queryBlock: QueryBlock
  /** Rows that matmuls compute with the weights they have loaded, in use or not unless it is one; absent: blocks are not told apart. */
  readonly matmulBlock?: { readonly rows: number }
  /** Host work between two passes (scheduling, input preparation, sampling), seconds; with one queue between two submissions. */
  readonly stepOverhead: number
  /** Extra host work per request in the pass, seconds. */
  readonly stepOverheadPerRequest: number
  /** Work for each entry that a context packs when it is compressed, seconds; absent: none. */
  readonly compressionPerEntry?: number
  readonly tables?: KernelTables
  /** Board power at load, watts; absent if no figure is known. */
  readonly power?: number
  /** The WebGPU adapter whose times these are. A software one computes on the CPU: no evidence of GPU speed. */
  readonly adapter?: { readonly name: string; readonly kind: "hardware" | "software" }
}

export type Attention =
  | {
      readonly kind: "gqa"
      readonly heads: number
      readonly kvHeads: number
      readonly headDim: number
      readonly window?: number
    }
  | {
      readonly kind: "mla"
      readonly heads: number
      readonly qRank: number
      readonly kvRank: number
      readonly ropeDim: number
      readonly nopeDim: number
      readonly vDim: number
    }

export type Mlp =
  | { readonly kind: "dense"; readonly intermediate: number }
  | {
      readonly kind: "moe"
      readonly experts: number
      readonly expertsPerToken: number
      readonly intermediate: number
      /** Width of the experts every token passes, 0 for none. */
      readonly sharedIntermediate: number
    }

/** `count` layers of the same shape. */
export interface LayerGroup {
  readonly count: number
  readonly attention: Attention
  readonly mlp: Mlp
}

export interface Model {
  readonly name: string
  readonly origin: Origin
  readonly hidden: number
  readonly vocab: number
  readonly tiedEmbeddings: boolean
  readonly layers: readonly LayerGroup[]
  /** Bytes of one weight (2 = bf16, 1 = fp8, 0.5 = 4 bit). */
  readonly weightBytesPerParam: number
  /** Bytes of one element of the KV cache. */
  readonly kvBytesPerElement: number
  readonly maxPositions: number
  /** Replaces the bytes counted from the shapes, when a paper or a checkpoint states them. */
  readonly weightBytes?: number
  /** Replaces the bytes per token counted from the shapes (all layers, K and V). */
  readonly kvBytesPerToken?: number
}

/** How often drafted tokens agree with the verifier. Never defaulted: every one says where it is from. `requestCorrelation`: of two rounds of a request, 0–1; absent: none. */
export type Acceptance = { readonly origin: Origin; readonly requestCorrelation?: number } & (
  | { readonly kind: "iid"; readonly alpha: number }
  /** `perPosition[i]` = P(token i+1 agrees | all before it agreed); the last value holds beyond the end. */
  | { readonly kind: "curve"; readonly perPosition: readonly number[] }
  /** α by context; interpolated linearly in context, held at the ends. Rows ascend in `context`. */
  | { readonly kind: "table"; readonly rows: readonly { readonly context: number; readonly alpha: number }[] }
  /** Accepted lengths in the order they were seen, request by request; request r, round k reads `accepted[r % n][k % m]`. */
  | { readonly kind: "recorded"; readonly accepted: readonly (readonly number[])[] }
)

export interface Compressor {
  readonly name: string
  readonly origin: Origin
  readonly kind: "drop" | "quantize" | "hybrid"
  readonly mode: "offline" | "online"
  /** Bytes of the compressed KV over bytes of the full KV, 0–1. */
  readonly keep: number
  readonly acceptance: Acceptance
  /** Bandwidth efficiency of attention over this layout relative to a plain cache (gather, dequantise), 0–1. */
  readonly attentionEfficiency: number
  /** Divergence of the unverified output, nats per step; absent if unknown. */
  readonly klPerStep?: Origin & { readonly nats: number }
}

/** A classical drafter: what one proposal costs and how often it is right. */
export interface Drafter {
  readonly name: string
  readonly origin: Origin
  readonly kind: "ngram" | "model" | "eagle"
  /** Tokens proposed per step (vLLM: num_speculative_tokens). */
  readonly numSpeculativeTokens: number
  /** n-gram only: shortest and longest run of last tokens it looks up; absent = vLLM's. */
  readonly promptLookupMin?: number
  readonly promptLookupMax?: number
  /** Bytes the drafter reads to propose one token for the whole batch (its weights), 0 for n-gram. */
  readonly weightBytes: number
  /** Bytes of the drafter's own KV per context token, 0 if it keeps none. */
  readonly kvBytesPerToken: number
  readonly acceptance: Acceptance
}

export type WindowPolicy =
  | { readonly kind: "fixed"; readonly tokens: number }
  /** The x that maximises (11). */
  | { readonly kind: "optimal" }
  /** Starts at the optimum and follows each request's own acceptance. */
  | { readonly kind: "adaptive"; readonly min: number; readonly max: number }

export type Method =
  | { readonly kind: "full-kv" }
  | { readonly kind: "offloaded" }
  | { readonly kind: "lossy"; readonly compressor: Compressor }
  | { readonly kind: "drafter"; readonly drafter: Drafter }
  | { readonly kind: "sparse"; readonly compressor: Compressor; readonly window: WindowPolicy }
  | {
      readonly kind: "vericache"
      readonly compressor: Compressor
      readonly window: WindowPolicy
      readonly schedule: "staggered" | "lock-step"
      readonly reload: "full" | "missing"
      readonly granularity: "whole" | "streaming"
      /** Requests of a group at once that keep their full KV in HBM and do not draft: B_g of (6). */
      readonly fullKvRequests: number
      /** A third level: proposes tokens that are verified on the compressed KV first. */
      readonly drafter?: Drafter
    }

/** A serving method under the name the results carry. */
export interface NamedMethod {
  readonly name: string
  readonly method: Method
}

export type Lengths =
  | { readonly kind: "fixed"; readonly tokens: number }
  | { readonly kind: "uniform"; readonly min: number; readonly max: number }
  /** Median and sigma of the underlying normal; clamped to [min, max]. */
  | {
      readonly kind: "lognormal"
      readonly median: number
      readonly sigma: number
      readonly min: number
      readonly max: number
    }
  | { readonly kind: "empirical"; readonly values: readonly number[] }

export type Arrivals =
  | { readonly kind: "closed"; readonly concurrency: number }
  | { readonly kind: "poisson"; readonly rate: number }
  /** Gamma inter-arrival times of shape `burstiness` (vLLM's meaning: 1 = Poisson, < 1 burstier), mean 1/rate. */
  | { readonly kind: "gamma"; readonly rate: number; readonly burstiness: number }

/** One request of a recorded workload. */
export interface RecordedRequest {
  /** Seconds after the first. */
  readonly arrival: number
  readonly input: number
  readonly output: number
  /** Ids of the prefix blocks, in order, if the trace names them. */
  readonly blocks?: readonly number[]
}

export type Workload = {
  /** Where a request's context KV is when it arrives: nowhere (prefill computes it), in host memory, or in the remote store. */
  readonly context: "prefill" | "host" | "store"
  /** Give up on a request this many seconds after it arrived; absent = never. */
  readonly timeout?: number
} & (
  | {
      readonly kind: "synthetic"
      readonly requests: number
      readonly arrivals: Arrivals
      readonly input: Lengths
      readonly output: Lengths
    }
  | {
      readonly kind: "trace"
      readonly requests: readonly RecordedRequest[]
      readonly blockTokens: number
      readonly origin: Origin
    }
)

/** The serving engine's settings, in vLLM's words. */
export interface Engine {
  readonly tensorParallelSize: number
  /** Replicas of the tensor-parallel group (vLLM: data_parallel_size). */
  readonly dataParallelSize: number
  readonly maxNumSeqs: number
  readonly maxNumBatchedTokens: number
  /** Tokens of one KV page. */
  readonly blockSize: number
  readonly gpuMemoryUtilization: number
  /** Replaces the number of KV pages counted from memory, when it was measured. */
  readonly numGpuBlocks?: number
  /** Bytes the engine needs beside weights and KV: activations at their peak, runtime context. */
  readonly reservedBytes: number
  readonly enablePrefixCaching: boolean
  /** The next pass is scheduled while one runs (vLLM: async_scheduling): host work hides behind the GPU, and a request is computed one pass later than it could be. Absent: no. */
  readonly asyncScheduling?: boolean
  /**
   * A verify's full KV lies whole beside the compressed one, also where only what is missing moved: attention reads one
   * cache. Absent: the two together are the full KV.
   */
  readonly stagesWhole?: boolean
  /** Iterations the VeriCache scheduler looks ahead, W. */
  readonly horizon: number
}

export type Deployment =
  | { readonly kind: "long-context" }
  /** G_L local groups beside the store (BW_h each) verify; G_R remote groups (BW_l each) draft. Bytes/s per group. */
  | {
      readonly kind: "remote-prefix"
      readonly local: number
      readonly remote: number
      readonly localBandwidth: number
      readonly remoteBandwidth: number
      /** Round trip of one message between a remote and a local group, seconds. */
      readonly roundTrip: number
    }

/** Faults to inject, each drawn from its own seeded stream. Probabilities per event, 0–1. */
export interface Faults {
  readonly reloadFailure: number
  /** Share of requests cancelled by their client at a random point of their output. */
  readonly cancel: number
}

/** Objectives in seconds at a percentile, as vLLM's `goodput` spells them. */
export interface Objective {
  readonly metric: "ttft" | "tpot" | "itl" | "e2el"
  /** Of the requests that must meet it; 100 = all. */
  readonly percentile: 50 | 90 | 95 | 99 | 100
  readonly atMost: number
}

export interface Tolerance {
  readonly throughput?: number
  readonly stepTimeMedian?: number
  readonly stepTimeP90?: number
}

export interface Scenario {
  readonly name: string
  readonly description: string
  readonly seed: number
  /** Seed of the draws of acceptance in place of `seed`. */
  readonly acceptanceSeed?: number
  readonly model: Model
  readonly hardware: Hardware
  readonly engine: Engine
  readonly deployment: Deployment
  readonly workload: Workload
  readonly methods: readonly NamedMethod[]
  /** Name of the method the others are compared with. */
  readonly baseline: string
  readonly faults: Faults
  readonly objectives: readonly Objective[]
  /** How far a twin's prediction may be from what is measured, relative; absent figures are not judged. */
  readonly tolerance?: Tolerance
  /** What the author assumed, in words; shown with the results. */
  readonly assumptions: readonly string[]
}

/** Requests of the whole workload. */
export const requestCount = ({ workload }: Scenario): number =>
  workload.kind === "trace" ? workload.requests.length : workload.requests
