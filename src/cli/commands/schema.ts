import { Console } from "effect"
import { Command } from "effect/cli"
import { scenarioJsonSchema } from "../../scenario/json-schema.ts"

export const schemaCommand = Command.make("schema", {}, () =>
  Console.log(JSON.stringify(scenarioJsonSchema(), undefined, 2))
).pipe(Command.withDescription("Print the JSON Schema (draft-07) of scenario files, for editors"))
