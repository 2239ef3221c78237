/**
 * The file a person writes, described once: types, validation, JSON Schema and help text all come from here. Keys are
 * vLLM's and Hugging Face's where those have one. What a file means is `resolve.ts`'s business.
 */
import { Schema } from "effect"
import { count, optional, OVERHEAD, probability, quantity, share, SLOWEST, text } from "./fields.ts"
import { promptLookup } from "./drafting.ts"
import { MethodFile } from "./method.ts"
import { WorkloadFile } from "./workload.ts"

const EngineFile = Schema.Struct({
  tensor_parallel_size: optional(count("GPUs of a group. Default 1.")),
  data_parallel_size: optional(count("Groups. Default 1.")),
  max_num_seqs: optional(count("Requests in a batch. Default 256.")),
  max_num_batched_tokens: optional(count("Tokens in a pass. Default 8192.")),
  max_model_len: optional(
    quantity("tokens", "Longest prompt with its output. Default: the model's positions.", { least: 1 })
  ),
  block_size: optional(count("Tokens of a KV page. Default 16.")),
  gpu_memory_utilization: optional(share("Share of HBM the engine may use. Default 0.9.")),
  num_gpu_blocks_override: optional(count("KV pages, where they were measured.")),
  reserved: optional(quantity("bytes", "Activations and runtime context per GPU. Default 2 GiB, assumed.")),
  enable_prefix_caching: optional(
    Schema.Boolean.annotate({
      description:
        "Reuse prefix blocks that a trace names, and what the pages of a preempted request still hold. Default true."
    })
  ),
  async_scheduling: optional(
    Schema.Boolean.annotate({
      description:
        "Schedule the next pass while one runs: hides host work, and requests start one pass later. vLLM's later versions do. Default false."
    })
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
  local_bandwidth: quantity("bytes/s", "Store to a local group, BW_h.", SLOWEST),
  remote_bandwidth: quantity("bytes/s", "Store to a remote group, BW_l.", SLOWEST),
  round_trip: quantity("seconds", "One message there and back.", OVERHEAD)
})

/** The percentiles results are reported at. */
export const PERCENTILES = [50, 90, 95, 99, 100] as const

const latency = Schema.Struct({
  percentile: Schema.Literals(PERCENTILES).annotate({
    description: "Percentile of the requests that must meet it; 100 = all."
  }),
  at_most: quantity("seconds", "Objective.")
})

/** Overrides of a catalog entry: any of its fields beside `extends`. Checked when merged. */
const Override = Schema.Record(Schema.String, Schema.Unknown)

export const ScenarioFile = Schema.Struct({
  $schema: optional(
    Schema.String.annotate({ description: "The JSON Schema of this file, for editors; not read." })
  ),
  name: text("Name in the results."),
  extends: optional(text("Another scenario file; fields here replace its.")),
  description: optional(Schema.String.annotate({ description: "What the scenario is about." })),
  seed: optional(Schema.Int.annotate({ description: "Seed of every random stream. Default 1." })),
  model: Schema.Union([Schema.NonEmptyString, Override]).annotate({
    description:
      "Catalog name; {extends: name, …} with other fields of it; {config: path} of a Hugging Face config.json; or a whole inline model."
  }),
  hardware: Schema.Union([Schema.NonEmptyString, Override]).annotate({
    description:
      "Catalog name; {extends: name, …}; {profile: path} of a hardware file; or whole inline hardware."
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
  tolerance: optional(
    Schema.Struct({
      throughput: optional(share("Relative error of tokens/s.")),
      step_time_median: optional(share("Median relative error of the time of a pass.")),
      step_time_p90: optional(share("Nine passes of ten are nearer."))
    }).annotate({
      description:
        "How far vericache twin may find prediction and measurement apart; beyond it ends with exit code 3."
    })
  ),
  speculative_config: optional(
    Schema.Struct({
      method: optional(
        Schema.String.annotate({ description: "Drafter of the catalog, if no model is named." })
      ),
      model: optional(Schema.String.annotate({ description: "Drafter of the catalog." })),
      num_speculative_tokens: optional(count("Tokens proposed per step.")),
      ...promptLookup
    }).annotate({ description: "vLLM's spelling of a drafter method: model names a drafter of the catalog." })
  ),
  kv_transfer_config: optional(
    Schema.Struct({
      kv_connector: Schema.String.annotate({ description: "OffloadingConnector or LMCacheConnectorV1." }),
      kv_role: optional(
        Schema.String.annotate({ description: "Accepted; every engine reads and writes here." })
      )
    }).annotate({
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
