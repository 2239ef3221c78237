import { Command } from "effect/cli"
import { breakEvenCommand } from "../analyze/break-even.ts"
import { paretoCommand } from "../analyze/pareto.ts"
import { replicateCommand } from "../analyze/replicate.ts"
import { sensitivityCommand } from "../analyze/sensitivity.ts"
import { windowCommand } from "../analyze/window.ts"

export const analyzeCommand = Command.make("analyze").pipe(
  Command.withDescription(
    "What matters, where methods break even, which window is best, how much is chance, what is on the Pareto front"
  ),
  Command.withSubcommands([
    sensitivityCommand,
    breakEvenCommand,
    windowCommand,
    replicateCommand,
    paretoCommand
  ])
)
