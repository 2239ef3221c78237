/** One prompt through the engine and again on full KV alone: tokens as they come, compared as they come. */
import { Clock, Effect } from "effect"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { findCompressor, UnknownCompressor } from "../../engine/compressors/registry.ts"
import { generate, type GenerateOptions } from "../../engine/generate.ts"
import { openTokenizer, type Tokenizer } from "../../engine/model/tokenizer.ts"
import { selfCheck } from "../../engine/self-check.ts"
import type { Committed } from "../../engine/session.ts"
import { type Alignment, checkTimestamps, passTimesOf } from "../../engine/webgpu/timestamps.ts"
import { inLayer } from "../../engine/weights/names.ts"
import { openCheckpoint } from "../../engine/weights/open.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { TraceStore } from "../../trace/store.ts"
import type { TraceView } from "../shell/traces.ts"
import { browserGpu, modelFiles, scopedDevice } from "./engine-adapter.ts"
import type { Job } from "./engine-job.ts"
import type { GenerateSettings, RoundTokens, RunFigures, TokenText } from "./engine-protocol.ts"

const KV_BITS = 16

/** A trace's columns without its methods, for the way to the page. */
const viewOf = ({ meta, tracks, slices, instants, counters, flows, dropped }: TraceStore): TraceView => ({
  meta,
  tracks,
  slices,
  instants,
  counters,
  flows,
  dropped
})

const traceOf = ({ seed }: GenerateSettings, method: string, timing: Alignment): TraceStore =>
  new TraceStore({
    name: `generate with ${method}`,
    scenario: "generate",
    method,
    seed,
    clock: "wall",
    basis: "measured",
    clockOffset: 0,
    passTimes: passTimesOf(timing)
  })

/** Adds up bytes of transfers as a trace grows. */
const movedBytes = (trace: TraceStore) => {
  const inward = EVENT_KINDS.indexOf("reload")
  const outward = EVENT_KINDS.indexOf("save")
  let row = 0
  const moved = { bytesIn: 0, bytesOut: 0 }
  return () => {
    const { slices } = trace
    for (; row < slices.length; row++) {
      if (slices.kind[row] === inward) moved.bytesIn += slices.bytes[row]!
      if (slices.kind[row] === outward) moved.bytesOut += slices.bytes[row]!
    }
    return moved
  }
}

/** What is wrong with the settings, in words; the page's controls keep within these bounds. */
const refuse = (
  settings: GenerateSettings,
  promptTokens: number,
  maxPositions: number
): string | undefined => {
  const { maxTokens, window, keep, temperature } = settings
  if (promptTokens === 0) return "The prompt is empty; a word or two are needed."
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1)) return "Tokens to produce: at least 1 is expected."
  if (!(Number.isInteger(window) && window >= 1))
    return "Draft window: a whole number of at least 1 is expected."
  if (!(keep > 0 && keep <= 1)) return "Keep: above 0 and at most 1 is expected."
  if (!(temperature >= 0)) return "Temperature: at least 0 is expected."
  if (promptTokens + maxTokens > maxPositions)
    return `${promptTokens} tokens of the prompt and ${maxTokens} to produce are more than the model's ${maxPositions} positions; shorten one.`
  return undefined
}

/** Tokens of a commit as text, in the order of the output. */
const roundTexts = (tokenizer: Tokenizer, stream: ReturnType<Tokenizer["stream"]>) => {
  const final = (id: number): TokenText => ({ id, text: stream.push(id) })
  return ({ tokens, accepted, rejected }: Committed): RoundTokens => ({
    accepted: tokens.slice(0, accepted).map(final),
    own: tokens.slice(accepted).map(final),
    rejected: rejected.map((id) => ({ id, text: tokenizer.decode([id]) }))
  })
}

export const generateProved = (settings: GenerateSettings, job: Job) =>
  Effect.scoped(
    Effect.gen(function* () {
      const compressor = findCompressor(settings.compressor)
      if (compressor instanceof UnknownCompressor) return yield* compressor
      const gpu = yield* browserGpu
      job.tell({ kind: "stage", stage: "fetching the model", share: undefined })
      const checkpoint = yield* openCheckpoint(modelFiles)
      const { config, tensors } = checkpoint
      const tokenizer = yield* openTokenizer(modelFiles, config.vocab)
      const prompt = tokenizer.encode(settings.prompt)
      const problem = refuse(settings, prompt.length, config.maxPositions)
      if (problem !== undefined) {
        job.tell({ kind: "problem", message: problem })
        return
      }
      const device = yield* scopedDevice(gpu, job)
      job.tell({ kind: "stage", stage: "checking the adapter's arithmetic", share: undefined })
      const { dtype } = tensors.get(inLayer(0, "self_attn.q_proj.weight"))!
      job.tell({
        kind: "checked",
        differing: yield* selfCheck({ gpu, device, kvBits: KV_BITS, dtype })
      })
      const clock = yield* Clock.Clock
      const options: GenerateOptions = {
        gpu,
        device,
        checkpoint,
        prompt,
        maxTokens: settings.maxTokens,
        sampling: {
          temperature: settings.temperature,
          topK: 0,
          topP: 1,
          repetitionPenalty: 1,
          seed: settings.seed,
          mode: "coupled"
        },
        compressor,
        keep: settings.keep,
        window: settings.window,
        kvBits: KV_BITS,
        stopTokens: config.eosTokens,
        onLoading: (read, all) =>
          job.tell({ kind: "stage", stage: "loading the model onto the device", share: read / all })
      }
      const now = (): number => Number(clock.currentTimeNanosUnsafe()) / 1e9
      const output: number[] = []
      // Before either run: the device may be lost in the first.
      const timing = yield* checkTimestamps(options.device)
      const vericache = yield* drafting(options, compressor, settings, tokenizer, job, now, timing, output)
      const full = yield* proving(options, settings, job, now, timing, output)
      job.tell({ kind: "traces", vericache, full })
    })
  )

/** Drafts and verifies, telling every round; leaves its tokens in `output`. */
const drafting = Effect.fnUntraced(function* (
  options: GenerateOptions,
  compressor: Compressor,
  settings: GenerateSettings,
  tokenizer: Tokenizer,
  job: Job,
  now: () => number,
  timing: Alignment,
  output: number[]
) {
  const trace = traceOf(settings, compressor.name, timing)
  const moved = movedBytes(trace)
  const stream = tokenizer.stream()
  const texts = roundTexts(tokenizer, stream)
  let start: number | undefined
  let figures: RunFigures = {
    rounds: 0,
    tokens: 0,
    drafted: 0,
    accepted: 0,
    bytesIn: 0,
    bytesOut: 0,
    seconds: 0
  }
  const result = yield* generate({
    ...options,
    recorder: trace,
    onLoading: (read, all) => {
      options.onLoading?.(read, all)
      if (read === all) start = now()
    },
    onCommit: (committed) => {
      const { tokens, accepted, rejected } = committed
      output.push(...tokens)
      const drafted = accepted + rejected.length
      figures = {
        rounds: figures.rounds + (drafted > 0 ? 1 : 0),
        tokens: figures.tokens + tokens.length,
        drafted: figures.drafted + drafted,
        accepted: figures.accepted + accepted,
        ...moved(),
        seconds: start === undefined ? 0 : now() - start
      }
      job.tell({ kind: "round", tokens: texts(committed), figures })
    }
  })
  const held = stream.end()
  if (held !== "")
    job.tell({
      kind: "round",
      tokens: { accepted: [], own: [{ id: -1, text: held }], rejected: [] },
      figures
    })
  const { rounds, drafted, accepted, bytesIn, bytesOut, seconds, compressedBytes, fullBytes } = result
  job.tell({
    kind: "drafted",
    figures: { rounds, tokens: result.tokens.length, drafted, accepted, bytesIn, bytesOut, seconds },
    promptTokens: options.prompt.length,
    compressedBytes,
    fullBytes
  })
  return viewOf(trace)
})

/** Decodes on full KV alone, comparing token by token with what the rounds brought. */
const proving = Effect.fnUntraced(function* (
  options: GenerateOptions,
  settings: GenerateSettings,
  job: Job,
  now: () => number,
  timing: Alignment,
  output: readonly number[]
) {
  const trace = traceOf(settings, "full KV", timing)
  let start = now()
  let tokens = 0
  let same = 0
  const compared = (seconds: number, ended: boolean): void =>
    job.tell({ kind: "compared", tokens, same, of: output.length, seconds, ended })
  const result = yield* generate({
    ...options,
    compressor: undefined,
    recorder: trace,
    onLoading: (read, all) => {
      if (read === all) start = now()
    },
    onCommit: ({ tokens: more }) => {
      for (const token of more) {
        if (same === tokens && output[tokens] === token) same++
        tokens++
      }
      compared(now() - start, false)
    }
  })
  compared(result.seconds, true)
  return viewOf(trace)
})
