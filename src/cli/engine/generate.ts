/** What `generate` does once WebGPU is loaded: open adapter, model and tokenizer, run, compare, report. */
import { Effect, Exit, Scope } from "effect"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { type Generated, generate, type GenerateOptions } from "../../engine/generate.ts"
import { openTokenizer, type Tokenizer } from "../../engine/model/tokenizer.ts"
import type { Committed } from "../../engine/session.ts"
import { selfCheck } from "../../engine/self-check.ts"
import { type AdapterCard, type Device, openDevice } from "../../engine/webgpu/device.ts"
import {
  type Alignment,
  checkTimestamps,
  describePassTimes,
  passTimesOf
} from "../../engine/webgpu/timestamps.ts"
import type { Checkpoint } from "../../engine/weights/checkpoint.ts"
import { inLayer } from "../../engine/weights/names.ts"
import { openCheckpoint } from "../../engine/weights/open.ts"
import type { Ngram } from "../../protocol/ngram.ts"
import { type Hiding, hidingOf } from "../../trace/hiding.ts"
import { reloadWords } from "../output/reloads.ts"
import { TraceStore } from "../../trace/store.ts"
import { Usage } from "../exit.ts"
import { type AdapterChoice, nodeGpu } from "../gpu.ts"
import { folderFiles } from "../model-files.ts"
import type { Progress } from "../progress.ts"
import { compressorNamed } from "./own-compressor.ts"

export interface GenerateFlags {
  readonly prompt: string
  readonly model: string
  readonly compressor: string
  readonly keep: number
  readonly window: number
  readonly ngram: Ngram | undefined
  readonly maxTokens: number
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly repetitionPenalty: number
  readonly seed: number
  readonly sampling: "coupled" | "speculative"
  readonly kvCacheDtype: "float16" | "float32"
  readonly adapter: AdapterChoice
  readonly marks: "color" | "text" | "none"
  readonly check: boolean
  readonly traced: boolean
  /** Text as it becomes final. */
  readonly write: (text: string) => void
  /** What a person should know before the text. */
  readonly note: (text: string) => void
  readonly progress: Progress
}

export interface GenerateReport {
  readonly text: string
  readonly json: object
  /** Undefined where nothing was compared, or nothing could be. */
  readonly identical: boolean | undefined
  readonly trace: TraceStore | undefined
}

/** An adapter in words; a software one says so. */
export const describeAdapter = ({ name, kind }: AdapterCard): string =>
  kind === "software" ? `${name} (software adapter: computes on the CPU, no evidence of GPU speed)` : name

/** Says so if this adapter computes a position differently in company: then output may differ from full-KV decoding. */
export const warnUnlessInvariant = (
  gpu: GPU,
  device: Device,
  { tensors }: Checkpoint,
  kvBits: 16 | 32,
  note: (text: string) => void
) =>
  Effect.map(
    selfCheck({ gpu, device, kvBits, dtype: tensors.get(inLayer(0, "self_attn.q_proj.weight"))!.dtype }),
    (differing) => {
      for (const sentence of differing)
        note(`This adapter's results depend on what else it computes, so output may differ: ${sentence}\n`)
    }
  )

const GREEN = "\u001b[32m"
const BOLD = "\u001b[1;33m"
const PLAIN = "\u001b[0m"

/** Writes tokens as text, the verifier's own set apart from those that were drafted. */
const writer = (tokenizer: Tokenizer, marks: GenerateFlags["marks"], write: (text: string) => void) => {
  const stream = tokenizer.stream()
  const mark = (text: string, drafted: boolean): string => {
    if (text === "" || marks === "none") return text
    if (marks === "text") return drafted ? text : `⟨${text}⟩`
    return `${drafted ? GREEN : BOLD}${text}${PLAIN}`
  }
  return {
    commit: ({ tokens, accepted }: Committed): void => {
      for (const [i, token] of tokens.entries()) write(mark(stream.push(token), i < accepted))
    },
    end: (): void => write(`${stream.end()}\n`)
  }
}

const methodName = (compressor: Compressor | undefined, ngram: Ngram | undefined): string =>
  [compressor?.name ?? "full KV", ...(ngram === undefined ? [] : ["n-gram"])].join(" + ")

export const runGenerate = (flags: GenerateFlags) =>
  Effect.scoped(
    Effect.gen(function* () {
      const compressor = flags.compressor === "none" ? undefined : yield* compressorNamed(flags.compressor)
      const method = methodName(compressor, flags.ngram)
      const files = folderFiles(flags.model)
      const checkpoint = yield* openCheckpoint(files)
      const { config } = checkpoint
      const tokenizer = yield* openTokenizer(files, config.vocab)
      const prompt = tokenizer.encode(flags.prompt)
      if (prompt.length === 0)
        return yield* new Usage({ problem: "the prompt is empty; a word or two are needed" })
      if (prompt.length + flags.maxTokens > config.maxPositions)
        return yield* new Usage({
          problem: `${prompt.length} prompt tokens and --max-tokens ${flags.maxTokens} are more than the ${config.maxPositions} positions of the model`
        })
      const kvBits = flags.kvCacheDtype === "float16" ? 16 : 32
      const gpu = yield* nodeGpu(flags.adapter)
      const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
      flags.note(`${describeAdapter(device.card)}\n`)
      yield* warnUnlessInvariant(gpu, device, checkpoint, kvBits, flags.note)
      const timing = flags.traced ? yield* checkTimestamps(device) : undefined
      const trace = new TraceStore({
        name: `generate with ${method}`,
        scenario: "generate",
        method,
        seed: flags.seed,
        clock: "wall",
        basis: "measured",
        clockOffset: 0,
        ...(timing === undefined ? {} : { passTimes: passTimesOf(timing) })
      })
      flags.progress.begin("loading", 100)
      const options: GenerateOptions = {
        gpu,
        device,
        checkpoint,
        prompt,
        maxTokens: flags.maxTokens,
        sampling: {
          temperature: flags.temperature,
          topK: flags.topK,
          topP: flags.topP,
          repetitionPenalty: flags.repetitionPenalty,
          seed: flags.seed,
          mode: flags.sampling
        },
        compressor,
        keep: flags.keep,
        window: flags.window,
        ...(flags.ngram === undefined ? {} : { ngram: flags.ngram }),
        kvBits,
        stopTokens: config.eosTokens,
        onLoading: (read, all) => {
          flags.progress.at((100 * read) / all)
          if (read === all) flags.progress.clear()
        }
      }
      const out = writer(tokenizer, flags.marks, flags.write)
      const scope = yield* Scope.Scope
      yield* Scope.addFinalizerExit(scope, (exit) =>
        Effect.sync(() => (Exit.isSuccess(exit) ? undefined : flags.write("\n")))
      )
      const ours = yield* generate({
        ...options,
        onCommit: out.commit,
        recorder: trace,
        timestamps: flags.traced
      })
      out.end()
      // Speculative sampling keeps the distribution, not the tokens; without drafts on compressed KV nothing is sampled twice.
      const comparable = flags.temperature === 0 || flags.sampling === "coupled" || compressor === undefined
      const { ngram: _, ...plain } = options
      const full =
        flags.check && comparable ? yield* generate({ ...plain, compressor: undefined }) : undefined
      const identical = full === undefined ? undefined : full.tokens.join() === ours.tokens.join()
      const reloads = hidingOf(trace)
      const json = describe(
        flags,
        compressor?.name,
        device.card,
        prompt.length,
        ours,
        full,
        identical,
        timing,
        reloads
      )
      return {
        json: { ...json, text: tokenizer.decode(ours.tokens), tokens: ours.tokens },
        text: render(
          json,
          reloadWords(reloads),
          comparable,
          compressor === undefined && flags.ngram === undefined ? "none" : flags.marks
        ),
        identical,
        trace
      } satisfies GenerateReport
    })
  )

/** All figures are measured in this run. */
const describe = (
  flags: GenerateFlags,
  compressor: string | undefined,
  card: AdapterCard,
  promptTokens: number,
  ours: Generated,
  full: Generated | undefined,
  identical: boolean | undefined,
  timing: Alignment | undefined,
  reloads: Hiding
) => ({
  adapter: card.name,
  adapterKind: card.kind,
  ...(compressor === undefined ? {} : { compressor, window: flags.window }),
  ...(flags.ngram === undefined
    ? {}
    : {
        drafter: { method: "ngram", ...flags.ngram },
        proposed: ours.proposed,
        agreed: ours.agreed,
        proposalAcceptance: ours.proposed === 0 ? 0 : ours.agreed / ours.proposed
      }),
  promptTokens,
  outputTokens: ours.tokens.length,
  rounds: ours.rounds,
  drafted: ours.drafted,
  accepted: ours.accepted,
  acceptance: ours.drafted === 0 ? 0 : ours.accepted / ours.drafted,
  acceptanceLength: ours.rounds === 0 ? 0 : 1 + ours.accepted / ours.rounds,
  compressedBytes: ours.compressedBytes,
  fullBytes: ours.fullBytes,
  bytesIn: ours.bytesIn,
  bytesOut: ours.bytesOut,
  ...(reloads.reloads === 0
    ? {}
    : {
        reloads: reloads.reloads,
        reloadSeconds: reloads.seconds,
        reloadSecondsBesidePasses: reloads.hidden
      }),
  seconds: ours.seconds,
  tokensPerSecond: ours.tokens.length / ours.seconds,
  ...(full === undefined ? {} : { fullKvTokensPerSecond: full.tokens.length / full.seconds }),
  ...(identical === undefined ? {} : { identicalToFullKv: identical }),
  ...(timing === undefined ? {} : { tracedPassTimes: describePassTimes(timing) })
})

const percentOf = (part: number, whole: number): string =>
  `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(0)} %`

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`

/** What the marks in the text stand for. */
const LEGEND: Readonly<Record<GenerateFlags["marks"], readonly string[]>> = {
  none: [],
  text: [
    "marks               plain: drafted and accepted; ⟨brackets⟩: full KV's own, a correction or the token behind a round"
  ],
  color: [
    `marks               ${GREEN}drafted and accepted${PLAIN}; ${BOLD}full KV's own${PLAIN}, a correction or the token behind a round`
  ]
}

const render = (
  result: ReturnType<typeof describe>,
  reloads: string | undefined,
  comparable: boolean,
  marks: GenerateFlags["marks"]
): string => {
  const share = ((100 * result.compressedBytes) / Math.max(1, result.fullBytes)).toFixed(0)
  const identical =
    result.identicalToFullKv === undefined
      ? comparable
        ? "not checked"
        : "not compared: speculative sampling keeps the distribution, not the tokens"
      : result.identicalToFullKv
        ? "yes"
        : "NO"
  const plain = result.fullKvTokensPerSecond
  const { proposed, agreed = 0 } = result
  return [
    "",
    ...LEGEND[marks],
    ...(result.compressor === undefined
      ? []
      : [
          `rounds              ${result.rounds}, ${result.acceptanceLength.toFixed(1)} tokens each`,
          `acceptance          ${(100 * result.acceptance).toFixed(0)} % (full KV took ${result.accepted} of ${result.drafted} drafted tokens)`
        ]),
    ...(proposed === undefined
      ? []
      : [
          `n-gram              ${percentOf(agreed, proposed)} (${result.compressor === undefined ? "full" : "compressed"} KV took ${agreed} of ${proposed} proposed tokens)`
        ]),
    ...(result.compressor === undefined
      ? []
      : [
          `compressed KV       ${kib(result.compressedBytes)} of ${kib(result.fullBytes)} after the prompt, ${share} % in whole pages`
        ]),
    `moved               ${kib(result.bytesIn)} to the device, ${kib(result.bytesOut)} back`,
    ...(reloads === undefined ? [] : [`reloads             ${reloads}`]),
    `speed               ${result.tokensPerSecond.toFixed(1)} tok/s measured on ${result.adapter}${plain === undefined ? "" : `; full KV alone ${plain.toFixed(1)}`}${result.adapterKind === "software" ? " (software adapter)" : ""}`,
    ...(result.tracedPassTimes === undefined ? [] : [`passes timed by     ${result.tracedPassTimes}`]),
    `identical to full KV: ${identical}`
  ].join("\n")
}
