/** One prompt through the whole engine: scheduler, drafts on compressed KV, reloads, verifies; and on full KV alone to compare. */
import { Clock, Effect } from "effect"
import type { Ngram } from "../protocol/ngram.ts"
import { servingPlan } from "../runtime/serving.ts"
import type { DeviceLost, OutOfMemory } from "../runtime/ports.ts"
import type { Compressor as PricedCompressor, Drafter, Method } from "../scenario/resolved.ts"
import type { RunMetrics } from "../trace/metrics.ts"
import type { Recorder } from "../trace/recorder.ts"
import type { Compressor } from "./compressors/compressor.ts"
import { identity } from "./compressors/drop.ts"
import { Engine, servingOf } from "./engine.ts"
import { type Sampling, speculates } from "./kernels/choose.ts"
import { enginePhysics } from "./physics.ts"
import { measureBandwidth } from "./probe/bandwidth.ts"
import { arriving, runRequests } from "./run.ts"
import type { Committed } from "./session.ts"
import { engineSetup, fixedWindow, SLACK_PAGES } from "./setup.ts"
import type { Device, NoAdapter } from "./webgpu/device.ts"
import type { Checkpoint, ModelRefused } from "./weights/checkpoint.ts"

/** What a generation is asked for. */
export interface GenerateOptions {
  readonly gpu: GPU
  readonly device: Device
  readonly checkpoint: Checkpoint
  readonly prompt: readonly number[]
  readonly maxTokens: number
  readonly sampling: Sampling
  /** Full KV alone if there is none. */
  readonly compressor: Compressor | undefined
  readonly keep: number
  readonly window: number
  /** Proposes tokens that the drafts, or without a compressor the decode steps, check several at once. */
  readonly ngram?: Ngram
  readonly kvBits: 16 | 32
  readonly stopTokens: readonly number[]
  readonly recorder?: Recorder
  /** Recorded passes are stamped by the device's clock too, where it has one; they are unless this says no. */
  readonly timestamps?: boolean
  readonly onCommit?: (committed: Committed) => void
  readonly onLoading?: (read: number, all: number) => void
}

export interface Generated {
  readonly tokens: readonly number[]
  readonly rounds: number
  readonly drafted: number
  readonly accepted: number
  /** Tokens an n-gram drafter proposed, and those the compressed KV, or without a compressor the full one, agreed with. */
  readonly proposed: number
  readonly agreed: number
  /** Bytes of KV over the link, host to device and back. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Bytes of the compressed KV after the prompt as allocated on the device, and of the full KV then. */
  readonly compressedBytes: number
  readonly fullBytes: number
  /** From the first pass to the last token. */
  readonly seconds: number
  readonly metrics: RunMetrics
}

/** Tokens of a page of KV. */
export const PAGE_TOKENS = 16
/** Rows of one pass at most, and bytes of attention scores that bound them. */
const MOST_ROWS = 256
const SCORE_BYTES = 64 << 20

/** Prices of a method do not matter to a real run; its shape does. */
export const pricedForRun = ({ name, kind, mode }: Compressor, keep: number): PricedCompressor => ({
  name,
  origin: { basis: "measured", source: "this run" },
  kind: kind === "none" ? "drop" : kind,
  mode,
  keep,
  acceptance: { kind: "iid", alpha: 0.9, origin: { basis: "assumed", source: "a first guess" } },
  attentionEfficiency: 1
})

const drafterForRun = ({ numSpeculativeTokens }: Ngram): Drafter => ({
  name: "ngram",
  origin: { basis: "measured", source: "this run" },
  kind: "ngram",
  numSpeculativeTokens,
  weightBytes: 0,
  kvBytesPerToken: 0,
  acceptance: { kind: "iid", alpha: 0.5, origin: { basis: "assumed", source: "a first guess" } }
})

const methodOf = ({ compressor, keep, window, ngram }: GenerateOptions): Method => {
  const drafter = ngram === undefined ? undefined : drafterForRun(ngram)
  if (compressor === undefined)
    return drafter === undefined ? { kind: "full-kv" } : { kind: "drafter", drafter }
  return {
    kind: "vericache",
    compressor: pricedForRun(compressor, keep),
    window: fixedWindow(window),
    schedule: "staggered",
    reload: "full",
    granularity: "whole",
    fullKvRequests: 0,
    ...(drafter === undefined ? {} : { drafter })
  }
}

/** Rows of a pass that keep the attention scores in bounds. */
export const rowsWithin = (heads: number, maxTokens: number): number =>
  Math.max(8, Math.min(MOST_ROWS, Math.floor(SCORE_BYTES / (4 * heads * maxTokens))))

export const generate = (
  options: GenerateOptions
): Effect.Effect<Generated, NoAdapter | ModelRefused | OutOfMemory | DeviceLost> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { checkpoint, prompt, maxTokens, compressor, keep, window, kvBits } = options
      const { config } = checkpoint
      const plan = servingPlan(methodOf(options), false)
      const room = prompt.length + maxTokens
      const each = Math.ceil(room / PAGE_TOKENS)
      // Compressed KV, full KV while it is verified, and full KV on its way home.
      const pages = 3 * each + 2 * SLACK_PAGES
      let compressedBytes = 0
      const engine = yield* Effect.acquireRelease(
        Engine.open({
          gpu: options.gpu,
          device: options.device,
          checkpoint,
          shape: {
            config,
            kvBits,
            pageTokens: PAGE_TOKENS,
            maxTokens: room,
            slots: 1,
            maxRows: rowsWithin(config.heads, room),
            queryRows: compressor?.needs.queries ?? 1
          },
          pages: pages + each,
          needs: compressor?.needs ?? {},
          speculative: compressor !== undefined && speculates(options.sampling),
          timestamps: options.recorder !== undefined && options.timestamps !== false,
          onProgress: options.onLoading ?? (() => {}),
          compressor: compressor ?? identity,
          budget: { keep, elementBits: kvBits, seed: options.sampling.seed },
          serving: servingOf(plan),
          ...(options.ngram === undefined ? {} : { ngram: options.ngram, mostDrafted: window }),
          stopTokens: options.stopTokens,
          onCommit: (committed) => {
            if (compressor !== undefined && compressedBytes === 0)
              compressedBytes = engine.compressedBytes(engine.session(committed.request))
            options.onCommit?.(committed)
          }
        }),
        (one) => Effect.sync(() => one.close())
      )
      const bandwidth = yield* measureBandwidth(engine.state.device)
      const physics = yield* enginePhysics(engine, bandwidth.copy)
      const setup = engineSetup({
        plan,
        shape: engine.shape,
        pages,
        weightBytes: engine.state.weightBytes,
        hostBytes: 2 * engine.fullBytes(room) + 1,
        linkBandwidth: bandwidth.upload,
        iterationSeconds: 0.01,
        window,
        maxNumBatchedTokens: engine.shape.maxRows
      })
      const clock = yield* Clock.Clock
      const start = clock.currentTimeNanosUnsafe()
      let totals = { rounds: 0, drafted: 0, accepted: 0, proposed: 0, agreed: 0, bytesIn: 0, bytesOut: 0 }
      let tokens: readonly number[] = []
      const metrics = yield* runRequests(engine, physics, {
        setup,
        ...arriving([{ prompt: { tokens: prompt, maxTokens, sampling: options.sampling }, at: 0 }]),
        ...(options.recorder === undefined ? {} : { recorder: options.recorder }),
        onEnded: (session) => {
          const { rounds, drafted, accepted, proposed, agreed, bytesIn, bytesOut } = session
          totals = { rounds, drafted, accepted, proposed, agreed, bytesIn, bytesOut }
          tokens = session.tokens.slice(prompt.length)
        }
      })
      const seconds = Number(clock.currentTimeNanosUnsafe() - start) / 1e9
      return {
        tokens,
        ...totals,
        compressedBytes,
        fullBytes: engine.fullBytes(prompt.length),
        seconds,
        metrics
      }
    })
  )
