/** The kinds of fields that scenario and catalog files are made of. */
import { Schema } from "effect"
import { type Dimension, EXAMPLES, MOST, parseQuantity } from "../quantity.ts"

export const optional = Schema.optionalKey

/** A number in base units, or a number with a unit. */
export const quantity = (dimension: Dimension, description: string) =>
  Schema.Union([Schema.Finite, Schema.String])
    .annotate({
      description: `${description} In ${dimension}, or with a unit: ${EXAMPLES[dimension]}.`,
      examples: [EXAMPLES[dimension]]
    })
    .check(
      Schema.makeFilter((value) => {
        const amount = parseQuantity(value, dimension)
        if (amount === undefined) return `expected ${dimension} ≥ 0 such as "${EXAMPLES[dimension]}"`
        return amount <= MOST[dimension] || `expected at most ${MOST[dimension]} ${dimension}`
      })
    )

/** Above 0, by enough that its inverse is a number too. */
export const positive = (description: string) =>
  Schema.Finite.check(Schema.isBetween({ minimum: 1e-9, maximum: 1e9 })).annotate({ description })
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
