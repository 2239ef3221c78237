import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Usage } from "../exit.ts"
import { writeWhole } from "../files.ts"
import { Progress } from "../progress.ts"
import { traceChunks } from "../trace-file.ts"
import { embeddedModel, engineFlags } from "./engine-flags.ts"

const MARKS = ["auto", "color", "text", "none"] as const

export const generateCommand = Command.make(
  "generate",
  {
    prompt: Argument.String("prompt").pipe(Argument.withDescription("Text to go on from")),
    ...engineFlags,
    compressor: Flag.String("compressor").pipe(
      Flag.withDescription("Compression method of the drafts' KV cache; `vericache compressors` lists them"),
      Flag.withDefault("snapkv")
    ),
    keep: Flag.Finite("keep").pipe(
      Flag.withDescription("Bytes of compressed KV over bytes of full KV, for methods that can choose"),
      Flag.withDefault(0.25)
    ),
    window: Flag.Int("window").pipe(
      Flag.withDescription("Tokens drafted between two verifications"),
      Flag.withDefault(16)
    ),
    maxTokens: Flag.Int("max-tokens").pipe(Flag.withDescription("Tokens to produce"), Flag.withDefault(128)),
    temperature: Flag.Finite("temperature").pipe(Flag.withDescription("0 = greedy"), Flag.withDefault(0)),
    topK: Flag.Int("top-k").pipe(Flag.withDescription("Choose among so many; 0 = all"), Flag.withDefault(0)),
    topP: Flag.Finite("top-p").pipe(
      Flag.withDescription("Choose among this mass; 1 = all"),
      Flag.withDefault(1)
    ),
    repetitionPenalty: Flag.Finite("repetition-penalty").pipe(
      Flag.withDescription("Makes tokens seen before less likely; 1 = off"),
      Flag.withDefault(1)
    ),
    seed: Flag.Int("seed").pipe(Flag.withDescription("Seed of the sampling"), Flag.withDefault(0)),
    sampling: Flag.Literals("sampling", ["coupled", "speculative"]).pipe(
      Flag.withDescription("coupled: token for token the seeded full-KV run; speculative: its distribution"),
      Flag.withDefault("coupled" as const)
    ),
    marks: Flag.Literals("marks", MARKS).pipe(
      Flag.withDescription(
        "Show the verifier's own tokens, in colour or in ⟨brackets⟩; auto: colour on a terminal, none elsewhere"
      ),
      Flag.withDefault("auto" as const)
    ),
    check: Flag.Boolean("check").pipe(
      Flag.withDescription("Decode again on full KV alone and compare; --no-check leaves it out"),
      Flag.withDefault(true)
    ),
    trace: Flag.String("trace").pipe(
      Flag.withDescription("Write a trace: .pftrace (Perfetto), .json (Chrome) or .jsonl"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Results as JSON"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function* (flags) {
    // Loaded only here: every other command starts without WebGPU.
    const { runGenerate } = yield* Effect.promise(() => import("../engine/generate.ts"))
    const toFile = Option.isSome(flags.trace) ? yield* traceChunks(flags.trace.value) : undefined
    const progress = new Progress(process.stderr)
    const model = Option.getOrElse(flags.model, embeddedModel)
    for (const [name, value, least] of [
      ["window", flags.window, 1],
      ["max-tokens", flags.maxTokens, 1],
      ["top-k", flags.topK, 0],
      ["temperature", flags.temperature, 0]
    ] as const)
      if (!(value >= least))
        return yield* new Usage({ problem: `--${name} is ${value}; at least ${least} is expected` })
    for (const [name, value] of [
      ["keep", flags.keep],
      ["top-p", flags.topP]
    ] as const)
      if (!(value > 0 && value <= 1))
        return yield* new Usage({ problem: `--${name} is ${value}; above 0 and at most 1 is expected` })
    const marks =
      flags.marks === "auto" ? (process.stdout.isTTY && !flags.json ? "color" : "none") : flags.marks
    const report = yield* runGenerate({
      ...flags,
      model,
      marks,
      write: (text) => {
        if (!flags.json) process.stdout.write(text)
      },
      note: (text) => process.stderr.write(text),
      progress,
      traced: toFile !== undefined
    })
    yield* Console.log(flags.json ? JSON.stringify(report.json, undefined, 2) : report.text)
    if (toFile !== undefined && report.trace !== undefined && Option.isSome(flags.trace))
      yield* writeWhole(flags.trace.value, toFile(report.trace))
    if (report.identical === false)
      return yield* Effect.die(new Error("the output differs from full-KV decoding; this must never happen"))
  })
).pipe(
  Command.withDescription(
    "Continue a text on WebGPU: drafts on a compressed KV cache, verified with the full one"
  )
)
