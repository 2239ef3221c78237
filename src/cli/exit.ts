/** How a command ends: what the shell is told, and what a person reads on stderr. */
import { Cause, type Exit, Schema } from "effect"
import { BrokenPromise } from "../engine/compressors/own.ts"
import { UnknownCompressor } from "../engine/compressors/registry.ts"
import { NoAdapter } from "../engine/webgpu/device.ts"
import { ModelRefused } from "../engine/weights/checkpoint.ts"
import { closest } from "../scenario/closest.ts"
import { ScenarioInvalid } from "../scenario/document.ts"
import { BelowFloor } from "../sim/cost/cost-model.ts"
import { Infeasible } from "../sim/setup.ts"

export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  objectiveMissed: 3,
  infeasible: 4,
  interrupted: 130
} as const

/** An objective of the scenario was missed; the results are out already. */
export class ObjectiveMissed extends Schema.TaggedError<ObjectiveMissed>()("ObjectiveMissed", {
  missed: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.missed.join("\n")
  }
}

/** The command line asks for something that is not there. */
export class Usage extends Schema.TaggedError<Usage>()("Usage", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** Results that were to be made again came out as others. */
export class NotReproduced extends Schema.TaggedError<NotReproduced>()("NotReproduced", {
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem
  }
}

/** Exit code and words of a command's end. */
export const verdictOf = (
  exit: Exit.Exit<unknown, unknown>
): { readonly code: number; readonly words: string } => {
  if (exit._tag === "Success") return { code: EXIT.ok, words: "" }
  if (Cause.hasInterruptsOnly(exit.cause))
    return { code: EXIT.interrupted, words: "interrupted; no results were written" }
  for (const reason of exit.cause.reasons)
    if (
      reason._tag === "Die" &&
      (reason.defect instanceof BrokenPromise || reason.defect instanceof BelowFloor)
    )
      return { code: EXIT.usage, words: reason.defect.message }
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (error instanceof ScenarioInvalid) {
    const n = error.faults.length
    return {
      code: EXIT.usage,
      words: `${error.message}\n${n} ${n === 1 ? "fault" : "faults"}; nothing was run or written`
    }
  }
  if (error instanceof UnknownCompressor)
    return {
      code: EXIT.usage,
      words: `${error.message}; ${closest(error.name, error.known) ?? "vericache compressors lists them"}`
    }
  if (error instanceof ModelRefused || error instanceof NoAdapter)
    return { code: EXIT.usage, words: error.message }
  if (error instanceof Usage) return { code: EXIT.usage, words: error.message }
  if (error instanceof Infeasible) return { code: EXIT.infeasible, words: error.message }
  if (error instanceof ObjectiveMissed) return { code: EXIT.objectiveMissed, words: error.message }
  if (error instanceof NotReproduced) return { code: EXIT.objectiveMissed, words: error.message }
  if (isUsageError(error)) return { code: EXIT.usage, words: "" }
  return { code: EXIT.internal, words: Cause.pretty(exit.cause) }
}

/** Errors of the command-line parser; it has printed them already. */
const isUsageError = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  [
    "ShowHelp",
    "ValidationError",
    "UnrecognizedOption",
    "MissingOption",
    "MissingArgument",
    "InvalidValue",
    "UnknownSubcommand",
    "DuplicateOption",
    "UserError"
  ].includes(String(error._tag))
