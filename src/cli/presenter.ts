import { Console, Effect } from "effect"
import { CliOutput } from "effect/cli"

/** Help that was asked for is data; what is wrong with a command line goes to stderr, and stdout stays empty. */
export const presenter = CliOutput.layerPresenter({
  present: (event) => {
    if (event._tag !== "InvalidInvocation" && !(event._tag === "Help" && event.reason === "Implicit"))
      return CliOutput.defaultPresenter.present(event)
    const problems =
      event._tag === "InvalidInvocation" ? event.errors.map(({ message }) => message) : ["which command?"]
    return Effect.forEach(
      [...problems, `${event.commandPath.join(" ")} --help lists what there is`],
      Console.error,
      {
        discard: true
      }
    )
  }
})
