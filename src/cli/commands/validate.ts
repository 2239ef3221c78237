import { Console, Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { readScenario } from "../files.ts"

export const validateCommand = Command.make(
  "validate",
  { file: Argument.String("file").pipe(Argument.withDescription("Scenario file")) },
  Effect.fnUntraced(function* ({ file }) {
    const scenario = yield* readScenario(file)
    yield* Console.log(`${file}: ${scenario.name}, ${scenario.methods.length} methods; valid`)
  })
).pipe(Command.withDescription("Check a scenario and everything it names; list all faults at once"))
