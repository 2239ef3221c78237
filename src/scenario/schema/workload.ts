/** Requests as a person writes them: lengths and arrivals, or a recorded trace. */
import { Schema } from "effect"
import { count, optional, positive, quantity, text } from "./fields.ts"

const LengthsFile = Schema.Union([
  quantity("tokens", "A fixed length."),
  Schema.Struct({
    uniform: Schema.Struct({ min: quantity("tokens", "Shortest."), max: quantity("tokens", "Longest.") })
  }),
  Schema.Struct({
    lognormal: Schema.Struct({
      median: quantity("tokens", "Median.", { least: 1 }),
      sigma: positive("Sigma of the underlying normal.", 4),
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

export const WorkloadFile = Schema.Struct({
  context: Schema.Literals(["prefill", "host", "store"]).annotate({
    description:
      "Where a request's context KV is when it arrives: nowhere, in host memory, in a remote store."
  }),
  timeout: optional(quantity("seconds", "Give up on a request after this long.", { least: 1e-3 })),
  requests: optional(count("Requests in all; with a trace, at most so many of it.")),
  arrivals: optional(ArrivalsFile),
  input: optional(LengthsFile),
  output: optional(LengthsFile),
  trace: optional(
    Schema.Struct({
      file: text("Path, relative to this file."),
      format: Schema.Literals(["azure-csv", "mooncake-jsonl", "burstgpt-csv"]).annotate({
        description: "Layout: Azure's CSV, Mooncake's JSON lines or BurstGPT's CSV."
      }),
      source: text("Where the trace is from."),
      rate_scale: optional(positive("Arrivals so many times as fast."))
    })
  )
})
