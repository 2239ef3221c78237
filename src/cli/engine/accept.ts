/** What `accept` does once WebGPU is loaded. */
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { Effect } from "effect"
import { type Measured, measureAcceptance, type Setting, type Trial } from "../../engine/accept.ts"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { UnknownCompressor } from "../../engine/compressors/registry.ts"
import { openTokenizer } from "../../engine/model/tokenizer.ts"
import { type AdapterCard, openDevice } from "../../engine/webgpu/device.ts"
import { openCheckpoint } from "../../engine/weights/open.ts"
import { closest } from "../../scenario/closest.ts"
import { digestOf } from "../../trace/digest.ts"
import { Usage } from "../exit.ts"
import { packageVersion } from "../files.ts"
import { type AdapterChoice, nodeGpu } from "../gpu.ts"
import { folderFiles } from "../model-files.ts"
import { SweepProgress } from "../sweep/eta.ts"
import { AcceptJournal } from "./accept-journal.ts"
import { describeAdapter, warnUnlessInvariant } from "./generate.ts"
import { compressorNamed } from "./own-compressor.ts"

export interface AcceptFlags {
  readonly model: string
  readonly prompts: string
  readonly compressors: readonly string[]
  readonly keeps: readonly number[]
  readonly windows: readonly number[]
  readonly contexts: readonly number[]
  readonly maxTokens: number
  readonly kvCacheDtype: "float16" | "float32"
  readonly adapter: AdapterChoice
  /** Faults found before: told together with those found here. */
  readonly faults: readonly string[]
  /** Where cells are kept as they come, so that the command can be interrupted. */
  readonly journal: string | undefined
  readonly stderr: NodeJS.WriteStream
}

export interface AcceptReport {
  readonly model: string
  readonly card: AdapterCard
  readonly rows: readonly Measured[]
  /** For when the results are written. */
  readonly journal: AcceptJournal | undefined
}

const readPrompts = (folder: string): readonly string[] | string => {
  try {
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith(".txt"))
      .toSorted()
      .map((name) => readFileSync(join(folder, name), "utf8"))
    return texts.length > 0 ? texts : `--prompts ${folder} has no .txt files; one prompt a file is expected`
  } catch (error) {
    return `--prompts ${folder}: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The method of a name, or why there is none. */
const methodNamed = (name: string): Effect.Effect<Compressor | string> =>
  compressorNamed(name).pipe(
    Effect.catch((error) =>
      Effect.succeed(
        error instanceof UnknownCompressor
          ? `${error.message}; ${closest(error.name, error.known) ?? "vericache compressors lists them"}`
          : error.message
      )
    )
  )

/** Why a context cannot be measured; nothing if it can. */
const contextFaults = (
  { contexts, windows, maxTokens }: AcceptFlags,
  longest: number,
  positions: number
): readonly string[] => [
  ...contexts.flatMap((context) =>
    context > longest
      ? [`--context ${context}: the longest prompt has ${longest} tokens`]
      : context + maxTokens > positions
        ? [
            `--context ${context} and --max-tokens ${maxTokens} are more than the model's ${positions} positions`
          ]
        : []
  ),
  // The first token comes from the prompt, the last round's own token from the verifier.
  ...windows.flatMap((window) =>
    maxTokens < window + 2
      ? [
          `--max-tokens ${maxTokens} has no room for a round of --window ${window}; at least ${window + 2} are expected`
        ]
      : []
  )
]

const milliseconds = (): number => Number(process.hrtime.bigint() / 1_000_000n)

export const runAccept = (flags: AcceptFlags) =>
  Effect.scoped(
    Effect.gen(function* () {
      const methods = yield* Effect.forEach(flags.compressors, methodNamed)
      const files = folderFiles(flags.model)
      const early = [...flags.faults, ...methods.filter((method) => typeof method === "string")]
      const checkpoint = yield* openCheckpoint(files).pipe(
        Effect.mapError((refused) =>
          early.length === 0 ? refused : new Usage({ problem: [...early, refused.message].join("\n") })
        )
      )
      const { config } = checkpoint
      const tokenizer = yield* openTokenizer(files, config.vocab)
      const texts = readPrompts(flags.prompts)
      const prompts = typeof texts === "string" ? [] : texts.map((text) => tokenizer.encode(text))
      const longest = Math.max(...prompts.map(({ length }) => length))
      const faults = [
        ...early,
        ...(typeof texts === "string" ? [texts] : contextFaults(flags, longest, config.maxPositions))
      ]
      if (faults.length > 0) return yield* new Usage({ problem: faults.join("\n") })
      const compressors = methods.filter((method) => typeof method !== "string")
      const gpu = yield* nodeGpu(flags.adapter)
      const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
      const note = (text: string): void => void flags.stderr.write(text)
      note(`${describeAdapter(device.card)}\n`)
      const kvBits = flags.kvCacheDtype === "float16" ? 16 : 32
      yield* warnUnlessInvariant(gpu, device, checkpoint, kvBits, note)
      const trials: readonly Trial[] = compressors.flatMap((compressor) =>
        (compressor.takesKeep ? flags.keeps : [1]).flatMap((keep) =>
          flags.windows.flatMap((window) =>
            flags.contexts.map((context) => ({ compressor, keep, window, context }))
          )
        )
      )
      const setting: Setting = { gpu, device, checkpoint, kvBits, maxTokens: flags.maxTokens }
      const journal =
        flags.journal === undefined
          ? undefined
          : new AcceptJournal(flags.journal, {
              version: packageVersion(),
              model: flags.model,
              prompts: digestOf(JSON.stringify(prompts)),
              maxTokens: flags.maxTokens,
              kvBits,
              adapter: device.card.name
            })
      const known = trials.map((trial) => journal?.find(trial))
      const promptsOf = ({ context }: Trial): number =>
        prompts.filter(({ length }) => length >= context).length
      let done = 0
      for (const [i, trial] of trials.entries()) if (known[i] !== undefined) done += promptsOf(trial)
      const before = known.filter((one) => one !== undefined).length
      if (before > 0) note(`${before} of ${trials.length} cells are measured already\n`)
      const all = trials.reduce((sum, trial) => sum + promptsOf(trial), 0)
      const progress = new SweepProgress(flags.stderr, all, done, milliseconds, "prompts")
      const rows: Measured[] = []
      const measuring = Effect.gen(function* () {
        for (const [i, trial] of trials.entries()) {
          const start = done
          const row =
            known[i] ??
            (yield* measureAcceptance(setting, trial, prompts, (ended) => progress.at(start + ended)))
          rows.push(row)
          if (known[i] !== undefined) continue
          done += promptsOf(trial)
          journal?.add(row)
        }
      })
      yield* measuring.pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            if (journal !== undefined)
              note(`${rows.length} of ${trials.length} cells are kept; the same command goes on from there\n`)
          })
        ),
        Effect.ensuring(Effect.sync(() => progress.clear()))
      )
      return { model: basename(flags.model), card: device.card, rows, journal } satisfies AcceptReport
    })
  )
