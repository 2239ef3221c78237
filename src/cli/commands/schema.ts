import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { scenarioJsonSchema } from "../../scenario/json-schema.ts"
import { readCatalog } from "../files.ts"

export const schemaCommand = Command.make("schema", {}, () =>
  Effect.flatMap(readCatalog, (catalog) =>
    Console.log(JSON.stringify(scenarioJsonSchema(catalog), undefined, 2))
  )
).pipe(Command.withDescription("Print the JSON Schema (draft-07) of scenario files, for editors"))
