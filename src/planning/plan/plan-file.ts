/**
 * A plan as a person writes it: a scenario without the choices that are to be made, what they may be, prices, and what is to
 * be least. Everything else of a scenario stands where it stands there.
 */
import { Schema } from "effect"
import { count, optional, positive, share, text } from "../../scenario/schema/fields.ts"
import { MethodFile } from "../../scenario/schema/method.ts"

const some = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.Array(schema).check(Schema.isMinLength(1)).annotate({ description })

/** Kinds of methods that are made from compressors, keep ratios, windows and drafters. */
const Made = Schema.Literals(["drafter", "sparse", "vericache"])

const CandidatesFile = Schema.Struct({
  hardware: optional(
    some(
      Schema.Union([Schema.NonEmptyString, Schema.Record(Schema.String, Schema.Unknown)]),
      "Catalog names, or hardware as a scenario gives it. Default: the scenario's, or all of the catalog."
    )
  ),
  tensor_parallel_size: optional(
    some(count("GPUs of a group."), "Default: the scenario's, or 1, 2, 4 and 8.")
  ),
  max_num_seqs: optional(
    some(count("Requests in a batch."), "Batch limits. Default: the scenario's, or 16, 64 and 256.")
  ),
  methods: optional(
    some(
      Schema.Union([Made, MethodFile]),
      "Methods as a scenario gives them; or drafter, sparse, vericache: all that can be made of the lists below. Default: the scenario's lossless ones, or all kinds."
    )
  ),
  compressors: optional(
    some(text("Catalog name."), "Default: all whose acceptance the catalog knows for the model.")
  ),
  keep: optional(some(share("Keep ratio."), "Default: all whose acceptance is known.")),
  window: optional(
    some(
      Schema.Union([
        Schema.Literal("optimal"),
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4096 }))
      ]),
      "Draft windows, tokens. Default: optimal."
    )
  ),
  reload: optional(
    some(Schema.Literals(["full", "missing"]), "What a verify moves. Default: full, as in the paper's (3).")
  ),
  full_kv_requests: optional(
    some(
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })),
      "Requests at once that keep their full KV in HBM under vericache: B_g of (6). Default: 0, 2, 4, 8 and 16, of which theory picks."
    )
  ),
  drafters: optional(
    some(text("Catalog name."), "Classical drafters, alone and under vericache. Default: ngram.")
  )
}).annotate({ description: "What may be chosen. What is not said is the scenario's, or the catalog's." })
export type CandidatesFile = typeof CandidatesFile.Type

export const PricesFile = Schema.Struct({
  source: text("Where the prices are from."),
  date: Schema.String.check(
    Schema.isPattern(/^\d{4}-\d{2}(-\d{2})?$/, { message: "expected a date such as 2026-05-31 or 2026-05" })
  ).annotate({ description: "When they held." }),
  sample: optional(
    Schema.Boolean.annotate({ description: "An example to begin with, not what you pay; results say so." })
  ),
  currency: optional(text("Default: USD.")),
  per_gpu_hour: Schema.Record(Schema.String, positive("Price of one GPU for an hour.")).annotate({
    description: "By name of the hardware."
  })
})
export type PricesFile = typeof PricesFile.Type

/** What a plan has besides the fields of a scenario. */
export const PlanPart = Schema.Struct({
  candidates: optional(CandidatesFile),
  minimise: optional(
    Schema.Literals(["gpus", "cost"]).annotate({
      description: "Fewest GPUs, or the lowest cost per token; that needs prices. Default: gpus."
    })
  ),
  max_gpus: optional(count("More GPUs than this cannot be had. Default: 1024.")),
  prices: optional(
    Schema.Union([Schema.NonEmptyString, PricesFile]).annotate({
      description: "Prices, or the path of a file with them. None are assumed."
    })
  )
})
export type PlanPart = typeof PlanPart.Type

export const PLAN_KEYS = Object.keys(PlanPart.fields) as readonly (keyof PlanPart)[]
