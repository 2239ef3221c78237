/** Serving methods as a person writes them. */
import { Schema } from "effect"
import { AcceptanceFile, DrafterFile } from "./drafting.ts"
import { count, optional, share, text } from "./fields.ts"

const CompressorUse = {
  compressor: text("Catalog name of the compressor."),
  keep: share("Bytes of compressed KV over bytes of full KV."),
  acceptance: optional(AcceptanceFile),
  acceptance_profile: optional(
    text(
      "File that `vericache accept` wrote, in place of acceptance; the row of this compressor, keep and model counts."
    )
  )
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

export const MethodFile = Schema.Union([
  Schema.Literals(["full-kv", "offloaded"]),
  Schema.Struct({
    name: optional(text("Name in the results; the method's own if absent.")),
    full_kv: optional(Schema.Struct({}).annotate({ description: "Full KV in HBM, one token a step." })),
    offloaded: optional(
      Schema.Struct({}).annotate({ description: "Full KV in host memory, swapped in every step." })
    ),
    lossy: optional(Schema.Struct(CompressorUse)),
    drafter: optional(DrafterUse),
    sparse: optional(Schema.Struct({ ...CompressorUse, window: optional(WindowFile) })),
    vericache: optional(
      Schema.Struct({
        ...CompressorUse,
        window: optional(WindowFile),
        schedule: optional(
          Schema.Literals(["staggered", "lock-step"]).annotate({
            description: "Each request verifies at its own time, or all at once. Default staggered."
          })
        ),
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
        full_kv_requests: optional(
          Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })).annotate({
            description:
              "Requests of a group at once that keep their full KV in HBM and do not draft: B_g of (6). Default 0. Where another group verifies, none do."
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
