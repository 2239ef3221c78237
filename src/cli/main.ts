/** The command line: the only place where the rooms meet, and the only one that ends the process. */
import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { acceptCommand } from "./commands/accept.ts"
import { catalogCommand } from "./commands/catalog.ts"
import { analyzeCommand } from "./commands/analyze.ts"
import { calibrateCommand } from "./commands/calibrate.ts"
import { compareCommand } from "./commands/compare.ts"
import { compressorsCommand } from "./commands/compressors.ts"
import { generateCommand } from "./commands/generate.ts"
import { importCommand } from "./commands/import.ts"
import { mergeCommand } from "./commands/merge.ts"
import { planCommand } from "./commands/plan.ts"
import { probeCommand } from "./commands/probe.ts"
import { rerunCommand } from "./commands/rerun.ts"
import { schemaCommand } from "./commands/schema.ts"
import { simulateCommand } from "./commands/simulate.ts"
import { runCommand } from "./commands/run.ts"
import { sweepCommand } from "./commands/sweep.ts"
import { theoryCommand } from "./commands/theory.ts"
import { twinCommand } from "./commands/twin.ts"
import { uiCommand } from "./commands/ui.ts"
import { validateCommand } from "./commands/validate.ts"
import { verdictOf } from "./exit.ts"
import { packageVersion } from "./files.ts"
import { isPointWorker } from "./points/worker.ts"
import { presenter } from "./presenter.ts"

const vericache = Command.make("vericache").pipe(
  Command.withDescription("Simulate serving an LLM with a compressed KV cache and no loss"),
  Command.withSubcommands([
    simulateCommand,
    uiCommand,
    planCommand,
    sweepCommand,
    mergeCommand,
    compareCommand,
    analyzeCommand,
    rerunCommand,
    importCommand,
    calibrateCommand,
    probeCommand,
    runCommand,
    twinCommand,
    generateCommand,
    acceptCommand,
    compressorsCommand,
    validateCommand,
    theoryCommand,
    schemaCommand,
    catalogCommand
  ])
)

const start = (): void => {
  // A reader that stops reading, as head does, is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0)
    throw error
  })

  const fiber = Effect.runFork(
    Command.run(vericache, { version: packageVersion() }).pipe(
      Effect.provide([NodeServices.layer, presenter])
    )
  )
  process.once("SIGINT", () => fiber.interruptUnsafe())
  process.once("SIGTERM", () => fiber.interruptUnsafe())
  fiber.addObserver((exit) => {
    const { code, words } = verdictOf(exit)
    if (words !== "") process.stderr.write(`${words}\n`)
    process.exitCode = code
  })
}

// The bundle is one file: its worker threads begin here too.
if (!isPointWorker) start()
