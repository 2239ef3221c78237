/** A sweep as a person writes it: a scenario, the fields of it that vary, and how. */
import { Schema } from "effect"
import { optional, text } from "../../scenario/schema/fields.ts"

/** More points than this are a slip of the keyboard, or the work of many sweeps. */
export const MAX_POINTS = 1_000_000

const points = (description: string) =>
  Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_POINTS })).annotate({ description })

const bound = (description: string) =>
  Schema.Union([Schema.Finite, Schema.NonEmptyString]).annotate({
    description: `${description} A number, or one with a unit.`
  })

const axisFields = {
  field: text(
    "Path in the scenario: engine.max_num_seqs, hardware.link.host_to_device, methods[0].vericache.window."
  ),
  name: optional(
    text("Column in the results, without unit. Default: the path.").check(
      Schema.isPattern(/^[A-Za-z][\w.-]*$/, { message: "expected a name of letters, digits, _, . and -" })
    )
  ),
  values: optional(
    Schema.Array(Schema.Unknown)
      .check(Schema.isMinLength(1))
      .annotate({ description: "What the field is set to, one after the other; written as in a scenario." })
  ),
  from: optional(bound("First value of a range.")),
  to: optional(bound("Last value of a range.")),
  scale: optional(
    Schema.Literals(["linear", "log"]).annotate({
      description: "Even steps, or even ratios. Default linear."
    })
  )
}

interface AxisFields {
  readonly field?: string | undefined
  readonly values?: readonly unknown[] | undefined
  readonly from?: number | string | undefined
  readonly to?: number | string | undefined
  readonly points?: number | undefined
  readonly scale?: string | undefined
  readonly zip?: readonly unknown[] | undefined
}

/** Values, or both ends of a range with whatever else that needs. */
const oneForm = (axis: AxisFields, needs: readonly ("from" | "to" | "points")[]): true | string => {
  const range = ([...needs, "scale"] as const).filter((key) => axis[key] !== undefined)
  if (axis.values !== undefined)
    return range.length === 0 || `expected values or a range, found values beside ${range.join(", ")}`
  const missing = needs.filter((key) => axis[key] === undefined)
  if (missing.length === needs.length) return `expected values, or ${needs.join(", ")}`
  return missing.length === 0 || `a range needs ${needs.join(", ")}; ${missing.join(" and ")} not given`
}

const gridNeeds = ["from", "to", "points"] as const

const GridAxisFile = Schema.Struct({
  ...axisFields,
  points: optional(points("Values of a range, both ends among them."))
}).check(Schema.makeFilter((axis) => oneForm(axis, gridNeeds)))
export type GridAxisFile = typeof GridAxisFile.Type

const AxisFile = Schema.Struct({
  ...axisFields,
  field: optional(axisFields.field),
  points: optional(points("Values of a range, both ends among them.")),
  zip: optional(
    Schema.Array(GridAxisFile)
      .check(Schema.isMinLength(2))
      .annotate({ description: "Axes that go in step: first with first, second with second." })
  )
}).check(
  Schema.makeFilter((axis) => {
    if (axis.zip === undefined)
      return axis.field === undefined ? "expected field, or zip" : oneForm(axis, gridNeeds)
    const beside = Object.keys(axis).filter((key) => key !== "zip")
    return beside.length === 0 || `zip stands alone, found it beside ${beside.join(", ")}`
  })
)
export type AxisFile = typeof AxisFile.Type

const SampleAxisFile = Schema.Struct(axisFields).check(
  Schema.makeFilter((axis) => oneForm(axis, ["from", "to"]))
)
export type SampleAxisFile = typeof SampleAxisFile.Type

export const SweepFile = Schema.Struct({
  $schema: optional(
    Schema.String.annotate({ description: "The JSON Schema of this file, for editors; not read." })
  ),
  name: text("Name of the sweep."),
  description: optional(Schema.String.annotate({ description: "What it is to find out." })),
  scenario: Schema.Union([Schema.NonEmptyString, Schema.Record(Schema.String, Schema.Unknown)]).annotate({
    description: "Scenario file, relative to this one; or the fields of a scenario, which may extend one."
  }),
  methods: optional(
    Schema.Array(Schema.NonEmptyString)
      .check(Schema.isMinLength(1))
      .annotate({ description: "Names of the methods to simulate. Default: all of the scenario's." })
  ),
  axes: optional(
    Schema.Array(AxisFile).annotate({
      description: "A grid: every value of each with every value of the others."
    })
  ),
  sample: optional(
    Schema.Struct({
      method: Schema.Literals(["sobol", "latin-hypercube"]).annotate({
        description: "Sobol sequence (best with a power of two of points), or Latin hypercube."
      }),
      points: points("Points of the sample; with axes beside it, so many at each place of the grid."),
      seed: optional(Schema.Int.annotate({ description: "Seed of the sample. Default 1." })),
      scramble: optional(
        Schema.Boolean.annotate({ description: "Owen scrambling of a Sobol sequence. Default true." })
      ),
      axes: Schema.Array(SampleAxisFile)
        .check(Schema.isMinLength(1))
        .annotate({ description: "Dimensions: ranges, or values each drawn equally often." })
    }).annotate({ description: "A sample of a space too large for a grid." })
  ),
  replications: optional(points("Every point with so many seeds, from the scenario's on. Default 1.")),
  seeds: optional(
    Schema.Array(Schema.Int)
      .check(Schema.isMinLength(1))
      .annotate({ description: "Every point with each of these seeds." })
  )
}).check(
  Schema.makeFilter(
    ({ replications, seeds }) =>
      replications === undefined || seeds === undefined || "expected replications or seeds, found both"
  )
)
export type SweepFile = typeof SweepFile.Type
