import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { planJsonSchema } from "../../planning/plan/json-schema.ts"
import { sweepJsonSchema } from "../../planning/sweep/json-schema.ts"
import { type FieldHelp, fieldHelp } from "../../scenario/field-help.ts"
import { scenarioJsonSchema } from "../../scenario/json-schema.ts"
import { readCatalog } from "../files.ts"
import { type Column, renderGrid } from "../output/grid.ts"

const text = (title: string, key: keyof FieldHelp, show: (row: FieldHelp) => string): Column<FieldHelp> => ({
  title,
  key,
  left: true,
  text: show,
  value: (row) => row[key]
})

const columns: readonly Column<FieldHelp>[] = [
  text("field", "field", (row) => row.field),
  text("", "required", (row) => (row.required ? "required" : "")),
  text("takes", "takes", (row) => row.takes),
  text("meaning", "description", (row) => row.description)
]

const SCHEMAS = { scenario: scenarioJsonSchema, sweep: sweepJsonSchema, plan: planJsonSchema } as const
const KINDS = ["scenario", "sweep", "plan"] as const

export const schemaCommand = Command.make(
  "schema",
  {
    kind: Argument.Literals("kind", KINDS).pipe(
      Argument.withDescription("Kind of file"),
      Argument.withDefault("scenario")
    ),
    format: Flag.Literals("format", ["json", "table", "jsonl", "csv", "md"]).pipe(
      Flag.withAlias("f"),
      Flag.withDescription("json: JSON Schema for editors; the others: every field in words"),
      Flag.withDefault("json")
    )
  },
  Effect.fnUntraced(function* ({ kind, format }) {
    const schema = SCHEMAS[kind](yield* readCatalog)
    yield* Console.log(
      format === "json"
        ? JSON.stringify(schema, undefined, 2)
        : renderGrid(format, columns, fieldHelp(schema))
    )
  })
).pipe(
  Command.withDescription(
    "Print the JSON Schema (draft-07) of scenario, sweep or plan files, or every field in words"
  )
)
