import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { lookupBounds, type Ngram } from "../../protocol/ngram.ts"
import { Usage } from "../exit.ts"
import { writeWhole } from "../files.ts"
import { Progress } from "../progress.ts"
import { traceChunks } from "../trace-file.ts"
import { embeddedModel, engineFlags } from "./engine-flags.ts"

const MARKS = ["auto", "color", "text", "none"] as const

const USUAL_PROPOSALS = 4

/** Text in a pipe is text alone; NO_COLOR is https://no-color.org's. */
const usualMarks = (json: boolean): "color" | "text" | "none" => {
  if (json || !process.stdout.isTTY) return "none"
  return (process.env["NO_COLOR"] ?? "") === "" ? "color" : "text"
}

interface DrafterFlags {
  readonly drafter: Option.Option<"ngram">
  readonly numSpeculativeTokens: Option.Option<number>
  readonly promptLookupMin: Option.Option<number>
  readonly promptLookupMax: Option.Option<number>
}

/** The n-gram drafter the flags ask for, or what is wrong with them. */
const ngramOf = (flags: DrafterFlags): Effect.Effect<Ngram | undefined, Usage> => {
  const counts = [
    ["num-speculative-tokens", Option.getOrUndefined(flags.numSpeculativeTokens)],
    ["prompt-lookup-min", Option.getOrUndefined(flags.promptLookupMin)],
    ["prompt-lookup-max", Option.getOrUndefined(flags.promptLookupMax)]
  ] as const
  for (const [name, value] of counts) {
    if (value === undefined) continue
    if (Option.isNone(flags.drafter)) return new Usage({ problem: `--${name} is for --drafter ngram` })
    if (value < 1) return new Usage({ problem: `--${name} is ${value}; at least 1 is expected` })
  }
  if (Option.isNone(flags.drafter)) return Effect.undefined
  const [numSpeculativeTokens, min, max] = counts.map(([, value]) => value)
  const bounds = lookupBounds(min, max)
  if (bounds.promptLookupMin > bounds.promptLookupMax)
    return new Usage({ problem: `--prompt-lookup-min ${min} is above --prompt-lookup-max ${max}` })
  return Effect.succeed({ numSpeculativeTokens: numSpeculativeTokens ?? USUAL_PROPOSALS, ...bounds })
}

export const generateCommand = Command.make(
  "generate",
  {
    prompt: Argument.String("prompt").pipe(Argument.withDescription("Text to go on from")),
    ...engineFlags,
    compressor: Flag.String("compressor").pipe(
      Flag.withDescription(
        "Compression method of the drafts' KV cache; `vericache compressors` lists them. none: decode on full KV alone"
      ),
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
    drafter: Flag.Literals("drafter", ["ngram"]).pipe(
      Flag.withDescription(
        "ngram: proposes what followed the last tokens before; drafts check several proposals in one pass"
      ),
      Flag.optional
    ),
    numSpeculativeTokens: Flag.Int("num-speculative-tokens").pipe(
      Flag.withDescription("Tokens the drafter proposes at most. Default: 4"),
      Flag.optional
    ),
    promptLookupMin: Flag.Int("prompt-lookup-min").pipe(
      Flag.withDescription(
        "Shortest run of last tokens it looks for. Default: 5, or the longest if that is given"
      ),
      Flag.optional
    ),
    promptLookupMax: Flag.Int("prompt-lookup-max").pipe(
      Flag.withDescription(
        "Longest run of last tokens it looks for. Default: 5, or the shortest if that is given"
      ),
      Flag.optional
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
        "Set full KV's own tokens apart from accepted drafts, in colour or in ⟨brackets⟩; auto: colour on a terminal (brackets with NO_COLOR), none elsewhere"
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
      ["temperature", flags.temperature, 0],
      ["repetition-penalty", flags.repetitionPenalty, Number.MIN_VALUE]
    ] as const)
      if (!(value >= least))
        return yield* new Usage({ problem: `--${name} is ${value}; at least ${least} is expected` })
    for (const [name, value] of [
      ["keep", flags.keep],
      ["top-p", flags.topP]
    ] as const)
      if (!(value > 0 && value <= 1))
        return yield* new Usage({ problem: `--${name} is ${value}; above 0 and at most 1 is expected` })
    const ngram = yield* ngramOf(flags)
    const marks = flags.marks === "auto" ? usualMarks(flags.json) : flags.marks
    const report = yield* runGenerate({
      ...flags,
      model,
      ngram,
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
