/** What `accept` does once WebGPU is loaded. */
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { Effect } from "effect"
import { type Measured, measureAcceptance, type Setting } from "../../engine/accept.ts"
import { openTokenizer } from "../../engine/model/tokenizer.ts"
import { type AdapterCard, openDevice } from "../../engine/webgpu/device.ts"
import { openCheckpoint } from "../../engine/weights/open.ts"
import { Usage } from "../exit.ts"
import { type AdapterChoice, nodeGpu } from "../gpu.ts"
import { folderFiles } from "../model-files.ts"
import type { Progress } from "../progress.ts"
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
  readonly note: (text: string) => void
  readonly progress: Progress
}

export interface AcceptReport {
  readonly model: string
  readonly card: AdapterCard
  readonly rows: readonly Measured[]
}

const readPrompts = (folder: string): Effect.Effect<readonly string[], Usage> =>
  Effect.try({
    try: () =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".txt"))
        .toSorted()
        .map((name) => readFileSync(join(folder, name), "utf8")),
    catch: (error) =>
      new Usage({ problem: `--prompts ${folder}: ${error instanceof Error ? error.message : String(error)}` })
  }).pipe(
    Effect.filterOrFail(
      (texts) => texts.length > 0,
      () => new Usage({ problem: `--prompts ${folder} has no .txt files; one prompt a file is expected` })
    )
  )

export const runAccept = (flags: AcceptFlags) =>
  Effect.scoped(
    Effect.gen(function* () {
      const compressors = yield* Effect.forEach(flags.compressors, compressorNamed)
      const files = folderFiles(flags.model)
      const checkpoint = yield* openCheckpoint(files)
      const { config } = checkpoint
      const tokenizer = yield* openTokenizer(files, config.vocab)
      const prompts = (yield* readPrompts(flags.prompts)).map((text) => tokenizer.encode(text))
      const longest = Math.max(...prompts.map(({ length }) => length))
      for (const context of flags.contexts)
        if (context > longest || context + flags.maxTokens > config.maxPositions)
          return yield* new Usage({
            problem: `--context ${context}: the longest prompt has ${longest} tokens, and the model ${config.maxPositions} positions for it and --max-tokens ${flags.maxTokens}`
          })
      const gpu = yield* nodeGpu(flags.adapter)
      const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
      flags.note(`${describeAdapter(device.card)}\n`)
      const kvBits = flags.kvCacheDtype === "float16" ? 16 : 32
      yield* warnUnlessInvariant(gpu, device, checkpoint, kvBits, flags.note)
      const trials = compressors.flatMap((compressor) =>
        (compressor.takesKeep ? flags.keeps : [1]).flatMap((keep) =>
          flags.windows.flatMap((window) =>
            flags.contexts.map((context) => ({ compressor, keep, window, context }))
          )
        )
      )
      const setting: Setting = {
        gpu,
        device,
        checkpoint,
        kvBits,
        maxTokens: flags.maxTokens
      }
      flags.progress.begin("measuring acceptance", trials.length)
      const rows: Measured[] = []
      for (const trial of trials) {
        rows.push(yield* measureAcceptance(setting, trial, prompts))
        flags.progress.at(rows.length)
      }
      flags.progress.clear()
      return { model: basename(flags.model), card: device.card, rows } satisfies AcceptReport
    })
  )
