/** The kinds of fields that scenario and catalog files are made of. */
import { Schema } from "effect"
import { type Dimension, EXAMPLES, MOST, parseQuantity } from "../quantity.ts"

export const optional = Schema.optionalKey

/** A number in base units, or a number with a unit, within bounds in base units. */
export const quantity = (
  dimension: Dimension,
  description: string,
  { least = 0, most = MOST[dimension] }: { readonly least?: number; readonly most?: number } = {}
) =>
  Schema.Union([Schema.Finite, Schema.String])
    .annotate({
      description: `${description} In ${dimension}, or with a unit: ${EXAMPLES[dimension]}.`,
      examples: [EXAMPLES[dimension]]
    })
    .check(
      Schema.makeFilter((value) => {
        const amount = parseQuantity(value, dimension)
        if (amount === undefined) return `expected ${dimension} ≥ 0 such as "${EXAMPLES[dimension]}"`
        if (amount < least) return `expected at least ${least} ${dimension}`
        return amount <= most || `expected at most ${most} ${dimension}`
      })
    )

/** Bandwidths below this move nothing before simulated time ends. Bytes/s. */
export const SLOWEST = { least: 1e6 } as const

/** Overheads above this are no overheads, and their sum would outlast simulated time. Seconds. */
export const OVERHEAD = { most: 1 } as const

/** Above 0, by enough that its inverse is a number too. */
export const positive = (description: string, maximum = 1e9) =>
  Schema.Finite.check(Schema.isBetween({ minimum: 1e-9, maximum })).annotate({ description })
export const atLeastZero = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate({ description })
export const share = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1)).annotate({ description })
export const probability = (description: string) =>
  Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })).annotate({ description })
export const count = (description: string) =>
  Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1e9 })).annotate({ description })
export const text = (description: string) => Schema.NonEmptyString.annotate({ description })

const Basis = Schema.Literals(["measured", "modelled", "assumed"]).annotate({
  description: "How the figures are known. A datasheet's are assumed until somebody measures them."
})
export const origin = {
  source: text(
    "Where the figures come from: datasheet, paper with its figure, measurement. Shown with the results."
  ),
  basis: Basis
}
