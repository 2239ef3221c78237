/** Hardware as a person writes it: a GPU, its link, its host, and what share of the peaks is reached. */
import { Schema } from "effect"
import { atLeastZero, count, optional, origin, OVERHEAD, quantity, share, SLOWEST, text } from "./fields.ts"

const EfficiencyFile = Schema.Struct({
  memory: share("Share of peak HBM bandwidth reached when bandwidth bounds the operation."),
  compute: share("Share of peak FLOP/s reached when arithmetic bounds it."),
  overhead: quantity("seconds", "Fixed cost of launching one such operation.", OVERHEAD)
})
const MatmulFile = Schema.Struct({
  ...EfficiencyFile.fields,
  per_block: optional(
    quantity(
      "seconds",
      "What a block of rows costs besides its arithmetic, in all matmuls of a layer or in the output head: weights are loaded for it. 0 if it is not there.",
      OVERHEAD
    )
  )
})
const AttentionFile = Schema.Struct({
  ...EfficiencyFile.fields,
  per_block: optional(
    quantity(
      "seconds",
      "What a block of 64 queries costs besides its arithmetic, when blocks occupy the whole GPU. 0 if it is not there.",
      OVERHEAD
    )
  ),
  per_token: optional(
    quantity(
      "seconds",
      "What a block takes for a token of the KV it walks over: the longest walk bounds the call. 0 if it is not there.",
      OVERHEAD
    )
  )
})
/** A grid ascends, or there is nothing to interpolate between. */
const grid = Schema.Array(atLeastZero("A value of the grid."))
  .check(
    Schema.isMinLength(1),
    Schema.makeFilter(
      (values) => values.every((value, i) => i === 0 || value > values[i - 1]!) || "expected ascending values"
    )
  )
  .annotate({ description: "Grid of the table, ascending." })
const times = Schema.Array(atLeastZero("Seconds at a point of the grid."))

/** One time for every point of the grid. */
const matches = (points: number, seconds: readonly unknown[], what: string): true | string =>
  seconds.length === points ||
  `expected one row or value of seconds for each of ${points} ${what}, found ${seconds.length}`
const matchesGrid = (
  rows: number,
  columns: number,
  seconds: readonly (readonly number[])[],
  [row, column]: readonly [string, string]
): true | string => {
  const wrong = seconds.find((one) => one.length !== columns)
  return wrong === undefined ? matches(rows, seconds, row) : matches(columns, wrong, column)
}

/** One time for every point of a grid of four variables. */
const matchesMixed = (
  sizes: readonly number[],
  seconds: readonly (readonly (readonly (readonly number[])[])[])[]
): true | string => {
  const [chunk, cached, requests, kvTokens] = sizes
  const fits =
    seconds.length === chunk &&
    seconds.every(
      (a) =>
        a.length === cached && a.every((b) => b.length === requests && b.every((c) => c.length === kvTokens))
    )
  return fits || `expected seconds of shape ${sizes.join(" × ")}: chunk × cached × requests × kv_tokens`
}

const TablesFile = Schema.Struct({
  ...origin,
  dense: optional(
    Schema.Struct({ tokens: grid, seconds: times }).check(
      Schema.makeFilter(({ tokens, seconds }) => matches(tokens.length, seconds, "tokens"))
    )
  ),
  attention_decode: optional(
    Schema.Struct({ requests: grid, kv_tokens: grid, seconds: Schema.Array(times) }).check(
      Schema.makeFilter(({ requests, kv_tokens, seconds }) =>
        matchesGrid(requests.length, kv_tokens.length, seconds, ["requests", "kv_tokens"])
      )
    )
  ),
  attention_prefill: optional(
    Schema.Struct({ chunk: grid, cached: grid, seconds: Schema.Array(times) }).check(
      Schema.makeFilter(({ chunk, cached, seconds }) =>
        matchesGrid(chunk.length, cached.length, seconds, ["chunk", "cached"])
      )
    )
  ),
  attention_mixed: optional(
    Schema.Struct({
      chunk: grid,
      cached: grid,
      requests: grid,
      kv_tokens: grid,
      seconds: Schema.Array(Schema.Array(Schema.Array(times)))
    }).check(
      Schema.makeFilter(({ chunk, cached, requests, kv_tokens, seconds }) =>
        matchesMixed([chunk.length, cached.length, requests.length, kv_tokens.length], seconds)
      )
    )
  ),
  lm_head: optional(
    Schema.Struct({ sequences: grid, seconds: times }).check(
      Schema.makeFilter(({ sequences, seconds }) => matches(sequences.length, seconds, "sequences"))
    )
  )
}).annotate({
  description:
    "Measured kernel times of one layer, interpolated linearly; they replace the roofline for what they cover."
})

export const HardwareFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  hbm: Schema.Struct({
    capacity: quantity("bytes", "HBM of one GPU.", { least: 1e6 }),
    bandwidth: quantity("bytes/s", "Peak HBM bandwidth of one GPU.", SLOWEST)
  }),
  flops: Schema.Struct({
    bf16: quantity("flop/s", "Dense peak at 16 bits.", { least: 1e9 }),
    fp8: optional(quantity("flop/s", "Dense peak at 8 bits.", { least: 1e9 })),
    fp4: optional(quantity("flop/s", "Dense peak at 4 bits.", { least: 1e9 }))
  }),
  link: Schema.Struct({
    host_to_device: quantity(
      "bytes/s",
      "What a large copy from host memory to HBM really reaches, per GPU.",
      SLOWEST
    ),
    device_to_host: quantity("bytes/s", "The same from HBM to host memory.", SLOWEST),
    latency: quantity("seconds", "Fixed cost of one transfer.", OVERHEAD),
    device_to_host_latency: optional(
      quantity(
        "seconds",
        "The same from HBM to host memory, where the host hears of the end late. If it is not there, as latency.",
        OVERHEAD
      )
    ),
    sharing: Schema.Literals(["serial", "fair"]).annotate({
      description: "One transfer at a time, or all at once in equal shares."
    }),
    source: text("Where the link figures come from.")
  }),
  one_queue: optional(
    Schema.Struct({
      submission: quantity(
        "seconds",
        "Host work to record a submission, while the device does nothing for it; a pass that reads KV layer by layer as it comes has one for each.",
        OVERHEAD
      ),
      steps: count(
        "Passes of a run that one submission holds at most; a run is cut only between submissions."
      ),
      chunk: quantity("bytes", "Bytes of a copy submitted at once; passes slip in between.", { least: 1 }),
      copies_first: optional(
        Schema.Boolean.annotate({
          description:
            "Whether a copy into the device that is ordered as a pass begins goes before it, because a staging buffer is had sooner than the pass is recorded. false, if it is not said."
        })
      )
    }).annotate({
      description:
        "Passes and copies share one queue, as in WebGPU: a copy waits for the passes submitted before it and delays those behind. If it is not there, copies have engines of their own and run beside passes."
    })
  ),
  interconnect: Schema.Struct({
    bandwidth: quantity("bytes/s", "GPU to GPU in a tensor-parallel group, per GPU and direction.", SLOWEST),
    latency: quantity("seconds", "One all-reduce.", OVERHEAD)
  }),
  host: Schema.Struct({
    capacity: quantity("bytes", "Host memory for KV, per GPU group."),
    bandwidth: quantity("bytes/s", "Host memory bandwidth that all links of the node share.", SLOWEST)
  }),
  efficiency: Schema.Struct({
    matmul: MatmulFile,
    "attention-decode": AttentionFile.annotate({ description: "Attention of a pass without prompts." }),
    "attention-prefill": AttentionFile.annotate({
      description: "Attention of a pass with prompts; decoding requests of that pass are in the same call."
    }),
    elementwise: EfficiencyFile,
    "lm-head": MatmulFile,
    source: text("Where the efficiencies come from.")
  }),
  query_block: optional(
    Schema.Struct({
      rows: optional(
        count(
          "Rows of queries that a block computes, in use or not; 64 if it is not said. 1: none is wasted."
        )
      ),
      packs_heads: optional(
        Schema.Boolean.annotate({
          description:
            "Whether the query heads of a KV head share blocks, as in FlashAttention 3. false, if it is not said: a decoding request takes a block for each head, as in FlashAttention 2."
        })
      )
    }).annotate({ description: "How attention that computes prompts cuts its queries into blocks." })
  ),
  matmul_block: optional(
    Schema.Struct({
      rows: count("Rows of a pass that matmuls compute with the weights they have loaded.")
    }).annotate({
      description:
        "How matmuls cut the rows of a pass into blocks, all of which are computed unless a block has one only; per_block of efficiency.matmul and efficiency.lm-head is what a block costs besides."
    })
  ),
  step_overhead: quantity(
    "seconds",
    "Host work between two passes; with one_queue between two submissions, which may hold several passes.",
    OVERHEAD
  ),
  step_overhead_per_request: quantity("seconds", "More of it per request in the pass.", OVERHEAD),
  compression_per_entry: optional(
    quantity(
      "seconds",
      "Work behind a pass for each entry that a context packs when it is compressed (what is kept, but for the newest tokens): observing, choosing, packing. None, if it is not said.",
      OVERHEAD
    )
  ),
  tables: optional(TablesFile),
  power: optional(quantity("watts", "Board power at load.")),
  adapter: optional(
    Schema.Struct({
      name: text("The adapter that was measured."),
      kind: Schema.Literals(["hardware", "software"]).annotate({
        description: "software: the adapter computes on the CPU; its times say nothing of a GPU."
      })
    }).annotate({ description: "Written by vericache probe." })
  ),
  calibration: optional(
    Schema.Struct({
      from: Schema.Array(Schema.String).annotate({ description: "Files it was made from." }),
      fits: Schema.Array(
        Schema.Struct({
          operation: text("What was fitted."),
          samples: Schema.Int.annotate({ description: "Measurements it was fitted to." }),
          held_out: Schema.Int.annotate({ description: "Measurements kept apart." }),
          median_error: atLeastZero("Median relative error of those it was fitted to."),
          held_out_median_error: atLeastZero("The same of those kept apart."),
          held_out_p90_error: atLeastZero("Nine of ten of those kept apart are nearer."),
          held_out_bias: Schema.Finite.annotate({
            description: "Median of predicted over measured − 1 of those kept apart."
          })
        })
      ),
      notes: Schema.Array(Schema.String).annotate({ description: "What was not fitted, and why." })
    }).annotate({
      description: "How the figures were fitted; written by vericache calibrate, not used by simulations."
    })
  )
})
export type HardwareFile = typeof HardwareFile.Type
