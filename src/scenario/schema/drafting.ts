/** What drafts: compressors and classical drafters, with how often they agree with the model. */
import { Schema } from "effect"
import { count, optional, origin, positive, probability, quantity, share, text } from "./fields.ts"
import { parseQuantity } from "../quantity.ts"

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
    ).check(
      Schema.isMinLength(1),
      Schema.makeFilter(
        (rows) =>
          new Set(rows.map(({ context }) => parseQuantity(context, "tokens"))).size === rows.length ||
          "expected every context once"
      )
    )
  ),
  recorded: optional(
    Schema.Array(
      Schema.Array(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))).check(Schema.isMinLength(1))
    ).check(Schema.isMinLength(1))
  ),
  request_correlation: optional(
    probability(
      "How alike rounds of one request are: the correlation of two of them, on a normal scale. 0, each round by itself, if it is not said; recorded lengths hold their own."
    )
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
  .annotate({
    description:
      "How often drafted tokens agree with the verifier. Never defaulted: give figures and say where they are from."
  })
  .check(oneFigure)
export type AcceptanceFile = typeof AcceptanceFile.Type

/** Acceptance by compressor, model and keep ratio, as measured by `vericache accept`; a file of its own. */
export const AcceptanceProfileFile = Schema.Struct({
  acceptance: Schema.Array(
    Schema.Struct({
      compressor: text("Name of the compressor."),
      models: Schema.Array(Schema.String)
        .check(Schema.isMinLength(1))
        .annotate({ description: "Models it was seen on; any = no particular one." }),
      keep: share("Bytes of compressed KV over bytes of full KV."),
      ...origin,
      ...AcceptanceFigures
    }).check(oneFigure)
  ).check(Schema.isMinLength(1))
})

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

/** vLLM's bounds of what an n-gram drafter looks up; a physics that really looks up reads them. */
export const promptLookup = {
  prompt_lookup_min: optional(
    count("Shortest run of last tokens an n-gram drafter looks up; 5 if neither bound is given.")
  ),
  prompt_lookup_max: optional(count("Longest run of last tokens it looks up."))
}

export const DrafterFile = Schema.Struct({
  name: text("Catalog name."),
  ...origin,
  kind: Schema.Literals(["ngram", "model", "eagle"]).annotate({
    description: "Looks up the prompt, a small model, or a head on the model itself."
  }),
  num_speculative_tokens: count("Tokens proposed per step."),
  ...promptLookup,
  weight_bytes: quantity("bytes", "Bytes read to propose one token for the batch; 0 for n-gram."),
  kv_bytes_per_token: quantity("bytes", "The drafter's own KV per context token; 0 if it keeps none."),
  acceptance: AcceptanceFile
})
export type DrafterFile = typeof DrafterFile.Type
