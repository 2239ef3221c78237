/**
 * The files people write, each described once: types, validation, JSON Schema and help text all come from here. Keys are
 * vLLM's and Hugging Face's where those have one. What a file means is `resolve.ts`'s business.
 */
import { Schema } from "effect"
import { type Dimension, EXAMPLES, parseQuantity } from "./quantity.ts"

const optional = Schema.optionalKey

/** A number in base units, or a number with a unit. */
const quantity = (dimension: Dimension, description: string) =>
  Schema.Union([Schema.Finite, Schema.String])
    .check(
      Schema.makeFilter(
        (value) =>
          parseQuantity(value, dimension) !== undefined ||
          `expected ${dimension} ≥ 0 such as "${EXAMPLES[dimension]}"`
      )
    )
    .annotate({
      description: `${description} In ${dimension}, or with a unit: ${EXAMPLES[dimension]}.`,
      examples: [EXAMPLES[dimension]]
    })

const positive = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThan(0)).annotate({ description })
const atLeastZero = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate({ description })
const share = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1)).annotate({ description })
const probability = (description: string) =>
  Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })).annotate({ description })
const count = (description: string) =>
  Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1e9 })).annotate({ description })
const text = (description: string) => Schema.NonEmptyString.annotate({ description })

const Basis = Schema.Literals(["measured", "modelled", "assumed"]).annotate({
  description: "How the figures are known. A datasheet's are assumed until somebody measures them."
})
const origin = {
  source: text(
    "Where the figures come from: datasheet, paper with its figure, measurement. Shown with the results."
  ),
  basis: Basis
}

// --- hardware ---

const EfficiencyFile = Schema.Struct({
  memory: share("Share of peak HBM bandwidth reached when bandwidth bounds the operation."),
  compute: share("Share of peak FLOP/s reached when arithmetic bounds it."),
  overhead: quantity("seconds", "Fixed cost of launching one such operation.")
})
const numbers = Schema.Array(atLeastZero("A value of the grid or the table."))
const TablesFile = Schema.Struct({
  ...origin,
  dense: optional(Schema.Struct({ tokens: numbers, seconds: numbers })),
  attention_decode: optional(
    Schema.Struct({ requests: numbers, kv_tokens: numbers, seconds: Schema.Array(numbers) })
  ),
  attention_prefill: optional(
    Schema.Struct({ chunk: numbers, cached: numbers, seconds: Schema.Array(numbers) })
  ),
  lm_head: optional(Schema.Struct({ sequences: numbers, seconds: numbers }))
}).annotate({
  description:
    "Measured kernel times of one layer, interpolated linearly; they replace the roofline for what they cover."
})

export const HardwareFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  hbm: Schema.Struct({
    capacity: quantity("bytes", "HBM of one GPU."),
    bandwidth: quantity("bytes/s", "Peak HBM bandwidth of one GPU.")
  }),
  flops: Schema.Struct({
    bf16: quantity("flop/s", "Dense peak at 16 bits."),
    fp8: optional(quantity("flop/s", "Dense peak at 8 bits.")),
    fp4: optional(quantity("flop/s", "Dense peak at 4 bits."))
  }),
  link: Schema.Struct({
    host_to_device: quantity("bytes/s", "What a large copy from host memory to HBM really reaches, per GPU."),
    device_to_host: quantity("bytes/s", "The same from HBM to host memory."),
    latency: quantity("seconds", "Fixed cost of one transfer."),
    sharing: Schema.Literals(["serial", "fair"]).annotate({
      description: "One transfer at a time, or all at once in equal shares."
    }),
    source: text("Where the link figures come from.")
  }),
  interconnect: Schema.Struct({
    bandwidth: quantity("bytes/s", "GPU to GPU in a tensor-parallel group, per GPU and direction."),
    latency: quantity("seconds", "One all-reduce.")
  }),
  host: Schema.Struct({
    capacity: quantity("bytes", "Host memory for KV, per GPU group."),
    bandwidth: quantity("bytes/s", "Host memory bandwidth that all links of the node share.")
  }),
  efficiency: Schema.Struct({
    matmul: EfficiencyFile,
    "attention-decode": EfficiencyFile,
    "attention-prefill": EfficiencyFile,
    elementwise: EfficiencyFile,
    "lm-head": EfficiencyFile,
    source: text("Where the efficiencies come from.")
  }),
  step_overhead: quantity("seconds", "Host work between two passes."),
  step_overhead_per_request: quantity("seconds", "More of it per request in the pass."),
  tables: optional(TablesFile),
  power: optional(quantity("watts", "Board power at load."))
})
export type HardwareFile = typeof HardwareFile.Type

// --- model ---

const AttentionFile = Schema.Union([
  Schema.Struct({
    num_attention_heads: count("Query heads."),
    num_key_value_heads: count("Key and value heads."),
    head_dim: count("Width of a head."),
    sliding_window: optional(count("Tokens a position sees; absent = all."))
  }),
  Schema.Struct({
    num_attention_heads: count("Heads."),
    q_lora_rank: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
      description: "Rank of the query projection, 0 = full."
    }),
    kv_lora_rank: count("Width of the latent that is cached."),
    qk_rope_head_dim: count("Width of the rotary key that is cached."),
    qk_nope_head_dim: count("Width of the rest of a key."),
    v_head_dim: count("Width of a value.")
  })
])
const MlpFile = Schema.Union([
  Schema.Struct({ intermediate_size: count("Width of the MLP.") }),
  Schema.Struct({
    num_experts: count("Experts of a layer."),
    num_experts_per_tok: count("Experts a token passes."),
    moe_intermediate_size: count("Width of an expert."),
    shared_intermediate_size: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
      description: "Width of the experts every token passes, 0 = none."
    })
  })
])
export const ModelFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  hidden_size: count("Width of the residual stream."),
  vocab_size: count("Tokens of the vocabulary."),
  tie_word_embeddings: Schema.Boolean.annotate({
    description: "Input and output embeddings are the same matrix."
  }),
  max_position_embeddings: count("Longest context, tokens."),
  layers: Schema.Array(
    Schema.Struct({ count: count("Layers of this shape."), attention: AttentionFile, mlp: MlpFile })
  ),
  weight_bits: Schema.Literals([4, 8, 16, 32]).annotate({ description: "Bits of a weight." }),
  kv_cache_bits: Schema.Literals([4, 8, 16, 32]).annotate({ description: "Bits of a KV cache element." }),
  weight_bytes: optional(
    quantity("bytes", "All weights, where the count from the shapes is not to be used.")
  ),
  kv_bytes_per_token: optional(
    quantity("bytes", "KV of one token in all layers, where the count is not to be used.")
  )
})
export type ModelFile = typeof ModelFile.Type

// --- compressors and drafters ---

const AcceptanceFigures = {
  alpha: optional(probability("Probability that a drafted token agrees, independent of the others.")),
  curve: optional(
    Schema.Array(probability("Agreement at this position, given that all before it agreed.")).check(
      Schema.isMinLength(1)
    )
  ),
  table: optional(
    Schema.Array(
      Schema.Struct({
        context: quantity("tokens", "Context length."),
        alpha: probability("Agreement at it.")
      })
    ).check(Schema.isMinLength(1))
  ),
  recorded: optional(
    Schema.Array(
      Schema.Array(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))).check(Schema.isMinLength(1))
    ).check(Schema.isMinLength(1))
  )
}
const oneFigure = Schema.makeFilter(
  (value: {
    readonly alpha?: unknown
    readonly curve?: unknown
    readonly table?: unknown
    readonly recorded?: unknown
  }) => {
    const given = [value.alpha, value.curve, value.table, value.recorded].filter(
      (figure) => figure !== undefined
    ).length
    return given === 1 || `expected exactly one of alpha, curve, table, recorded; found ${given}`
  }
)
export const AcceptanceFile = Schema.Struct({ ...origin, ...AcceptanceFigures })
  .check(oneFigure)
  .annotate({
    description:
      "How often drafted tokens agree with the verifier. Never defaulted: give figures and say where they are from."
  })
export type AcceptanceFile = typeof AcceptanceFile.Type

export const CompressorFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  kind: Schema.Literals(["drop", "quantize", "hybrid"]).annotate({
    description: "Drops entries, stores them in fewer bits, or both."
  }),
  mode: Schema.Literals(["offline", "online"]).annotate({
    description: "Compresses a context once, or goes on as tokens come."
  }),
  attention_efficiency: share(
    "Bandwidth efficiency of attention over this layout relative to a plain cache."
  ),
  acceptance: Schema.Array(
    Schema.Struct({
      models: Schema.Array(Schema.String)
        .check(Schema.isMinLength(1))
        .annotate({ description: "Catalog names of the models it was seen on; any = no particular one." }),
      keep: share("Keep ratio it was seen at."),
      ...origin,
      ...AcceptanceFigures
    }).check(oneFigure)
  ).annotate({ description: "Acceptance by model and keep ratio; empty where nothing is published." }),
  kl_per_step: optional(
    Schema.Struct({ ...origin, nats: positive("Divergence of the unverified output per step, nats.") })
  )
})
export type CompressorFile = typeof CompressorFile.Type

export const DrafterFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  kind: Schema.Literals(["ngram", "model", "eagle"]),
  num_speculative_tokens: count("Tokens proposed per step."),
  weight_bytes: quantity("bytes", "Bytes read to propose one token for the batch; 0 for n-gram."),
  kv_bytes_per_token: quantity("bytes", "The drafter's own KV per context token; 0 if it keeps none."),
  acceptance: AcceptanceFile
})
export type DrafterFile = typeof DrafterFile.Type

// --- scenario ---

const CompressorUse = {
  compressor: text("Catalog name of the compressor."),
  keep: share("Bytes of compressed KV over bytes of full KV."),
  acceptance: optional(AcceptanceFile)
}
const WindowFile = Schema.Union([
  Schema.Literal("optimal"),
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4096 })),
  Schema.Struct({
    adaptive: Schema.Struct({ min: count("Shortest window."), max: count("Longest window.") })
  })
]).annotate({
  description:
    "Draft window: optimal (maximises (11) of arXiv:2605.17613), a number of tokens, or adaptive per request."
})

const DrafterUse = Schema.Union([Schema.NonEmptyString, DrafterFile]).annotate({
  description: "A classical drafter: catalog name, or all its figures."
})

const MethodFile = Schema.Union([
  Schema.Literals(["full-kv", "offloaded"]),
  Schema.Struct({
    name: optional(text("Name in the results; the method's own if absent.")),
    full_kv: optional(Schema.Struct({})),
    offloaded: optional(Schema.Struct({})),
    lossy: optional(Schema.Struct(CompressorUse)),
    drafter: optional(DrafterUse),
    sparse: optional(Schema.Struct({ ...CompressorUse, window: optional(WindowFile) })),
    vericache: optional(
      Schema.Struct({
        ...CompressorUse,
        window: optional(WindowFile),
        schedule: optional(Schema.Literals(["staggered", "lock-step"])),
        reload: optional(
          Schema.Literals(["full", "missing"]).annotate({
            description: "What a verify moves: the whole KV (3), or what the compressed copy lacks (8)."
          })
        ),
        granularity: optional(
          Schema.Literals(["whole", "streaming"]).annotate({
            description: "A verify waits for the whole reload, or runs layer by layer behind it."
          })
        ),
        drafter: optional(DrafterUse)
      })
    )
  }).check(
    Schema.makeFilter((method) => {
      const given = (["full_kv", "offloaded", "lossy", "drafter", "sparse", "vericache"] as const).filter(
        (kind) => method[kind] !== undefined
      )
      return (
        given.length === 1 ||
        `expected exactly one of full_kv, offloaded, lossy, drafter, sparse, vericache; found ${given.length === 0 ? "none" : given.join(", ")}`
      )
    })
  )
])
export type MethodFile = typeof MethodFile.Type

const LengthsFile = Schema.Union([
  quantity("tokens", "A fixed length."),
  Schema.Struct({
    uniform: Schema.Struct({ min: quantity("tokens", "Shortest."), max: quantity("tokens", "Longest.") })
  }),
  Schema.Struct({
    lognormal: Schema.Struct({
      median: quantity("tokens", "Median."),
      sigma: positive("Sigma of the underlying normal."),
      min: quantity("tokens", "Clamped below."),
      max: quantity("tokens", "Clamped above.")
    })
  }),
  Schema.Struct({
    empirical: Schema.Array(quantity("tokens", "A length that occurs.")).check(Schema.isMinLength(1))
  })
])
export type LengthsFile = typeof LengthsFile.Type

const ArrivalsFile = Schema.Union([
  Schema.Struct({ concurrency: count("Requests kept in flight: one comes when another ends.") }),
  Schema.Struct({ rate: positive("Requests per second, Poisson.") }),
  Schema.Struct({
    rate: positive("Requests per second."),
    burstiness: positive("Shape of gamma gaps, vLLM's meaning: 1 = Poisson, below 1 burstier.")
  })
])

const WorkloadFile = Schema.Struct({
  context: Schema.Literals(["prefill", "host", "store"]).annotate({
    description:
      "Where a request's context KV is when it arrives: nowhere, in host memory, in a remote store."
  }),
  timeout: optional(quantity("seconds", "Give up on a request after this long.")),
  requests: optional(count("Requests in all; with a trace, at most so many of it.")),
  arrivals: optional(ArrivalsFile),
  input: optional(LengthsFile),
  output: optional(LengthsFile),
  trace: optional(
    Schema.Struct({
      file: text("Path, relative to this file."),
      format: Schema.Literals(["azure-csv", "mooncake-jsonl"]),
      source: text("Where the trace is from."),
      rate_scale: optional(positive("Arrivals so many times as fast."))
    })
  )
})

const EngineFile = Schema.Struct({
  tensor_parallel_size: optional(count("GPUs of a group. Default 1.")),
  data_parallel_size: optional(count("Groups. Default 1.")),
  max_num_seqs: optional(count("Requests in a batch. Default 256.")),
  max_num_batched_tokens: optional(count("Tokens in a pass. Default 8192.")),
  block_size: optional(count("Tokens of a KV page. Default 16.")),
  gpu_memory_utilization: optional(share("Share of HBM the engine may use. Default 0.9.")),
  num_gpu_blocks_override: optional(count("KV pages, where they were measured.")),
  reserved: optional(quantity("bytes", "Activations and runtime context per GPU. Default 2 GiB, assumed.")),
  enable_prefix_caching: optional(
    Schema.Boolean.annotate({ description: "Reuse prefix blocks that a trace names. Default true." })
  ),
  horizon: optional(
    Schema.Int.check(Schema.isBetween({ minimum: 4, maximum: 4096 })).annotate({
      description: "Iterations the scheduler looks ahead, W. Default 128."
    })
  )
})

const DeploymentFile = Schema.Struct({
  local: count("GPU groups beside the store, G_L; they verify."),
  remote: count("Groups behind the network, G_R; they draft."),
  local_bandwidth: quantity("bytes/s", "Store to a local group, BW_h."),
  remote_bandwidth: quantity("bytes/s", "Store to a remote group, BW_l."),
  round_trip: quantity("seconds", "One message there and back.")
})

const latency = Schema.Struct({
  percentile: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 })),
  at_most: quantity("seconds", "Objective.")
})

/** Overrides of a catalog entry: any of its fields beside `extends`. Checked when merged. */
const Override = Schema.Record(Schema.String, Schema.Unknown)

export const ScenarioFile = Schema.Struct({
  name: text("Name in the results."),
  extends: optional(text("Another scenario file; fields here replace its.")),
  description: optional(Schema.String),
  seed: optional(Schema.Int.annotate({ description: "Seed of every random stream. Default 1." })),
  model: Schema.Union([Schema.NonEmptyString, Override]).annotate({
    description:
      "Catalog name; {extends: name, …} with other fields of it; {config: path} of a Hugging Face config.json; or a whole inline model."
  }),
  hardware: Schema.Union([Schema.NonEmptyString, Override]).annotate({
    description: "Catalog name; {extends: name, …}; or whole inline hardware."
  }),
  engine: optional(EngineFile),
  remote_prefix: optional(DeploymentFile),
  workload: WorkloadFile,
  methods: Schema.Array(MethodFile)
    .check(Schema.isMinLength(1))
    .annotate({ description: "Serving methods, simulated side by side on the same requests." }),
  baseline: optional(text("Method the others are compared with. Default: the first.")),
  faults: optional(
    Schema.Struct({
      reload_failure: optional(probability("Probability that a reload fails.")),
      cancel: optional(probability("Share of requests whose client hangs up half-way."))
    })
  ),
  goodput: optional(
    Schema.Struct({
      ttft: optional(latency),
      tpot: optional(latency),
      itl: optional(latency),
      e2el: optional(latency)
    }).annotate({ description: "Objectives; a run that misses one ends with exit code 3." })
  ),
  speculative_config: optional(
    Schema.Struct({
      method: optional(Schema.String),
      model: optional(Schema.String),
      num_speculative_tokens: optional(count("Tokens proposed per step."))
    }).annotate({ description: "vLLM's spelling of a drafter method: model names a drafter of the catalog." })
  ),
  kv_transfer_config: optional(
    Schema.Struct({ kv_connector: Schema.String, kv_role: optional(Schema.String) }).annotate({
      description:
        "vLLM's spelling of stored context: an offloading or LMCache connector means workload.context: host."
    })
  ),
  assumptions: optional(
    Schema.Array(Schema.String).annotate({
      description: "What the author assumed, in words; shown with the results."
    })
  )
})
export type ScenarioFile = typeof ScenarioFile.Type
