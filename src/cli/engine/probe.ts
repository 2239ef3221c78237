/** What `probe` does once WebGPU is loaded: copies, submits, overlap, and a grid of passes on the model at hand. */
import { Effect } from "effect"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { MATMUL_ROWS } from "../../engine/kernels/matmul.ts"
import { identity, snapkv } from "../../engine/compressors/drop.ts"
import { int4 } from "../../engine/compressors/quantize.ts"
import { Engine } from "../../engine/engine.ts"
import { rowsWithin } from "../../engine/generate.ts"
import { enginePhysics } from "../../engine/physics.ts"
import { measureBandwidth } from "../../engine/probe/bandwidth.ts"
import { type CopyTiming, probeCopies, probeSubmit } from "../../engine/probe/copies.ts"
import { type Overlap, probeOverlap } from "../../engine/probe/overlap.ts"
import { type CacheKind, type OperationTiming, probeOperations } from "../../engine/probe/operations.ts"
import { beyondContext, type PassGrid, probePasses } from "../../engine/probe/passes.ts"
import type { Timing } from "../../engine/probe/sample.ts"
import { SLACK_PAGES } from "../../engine/setup.ts"
import { type AdapterCard, openDevice } from "../../engine/webgpu/device.ts"
import { checkTimestamps, passTimesOf } from "../../engine/webgpu/timestamps.ts"
import { MAX_STEPS } from "../../engine/model/forward.ts"
import { RING_BYTES } from "../../engine/webgpu/uploader.ts"
import { openCheckpoint } from "../../engine/weights/open.ts"
import { Observer } from "../../runtime/observer.ts"
import type { Method } from "../../scenario/resolved.ts"
import { TraceStore } from "../../trace/store.ts"
import { type AdapterChoice, nodeGpu } from "../gpu.ts"
import { folderFiles } from "../model-files.ts"
import type { Progress } from "../progress.ts"

export interface ProbeSettings {
  readonly model: string
  readonly adapter: AdapterChoice
  readonly quick: boolean
  /** Bytes of a weight. */
  readonly weightWidth: number
  readonly note: (text: string) => void
  readonly progress: Progress
}

/** Passes of one kind of cache, as a trace a fit can read. */
export interface ProbedPasses {
  readonly method: Method
  readonly trace: TraceStore
}

export interface Probed {
  readonly card: AdapterCard
  readonly copies: readonly CopyTiming[]
  readonly submit: Timing
  readonly overlap: Overlap
  readonly operations: readonly OperationTiming[]
  /** How the engine fills the device's queue: passes of a submission at most, bytes of a copy submitted at once. */
  readonly queue: { readonly steps: number; readonly chunk: number }
  /** Rows that the engine's matmuls compute with the weights they have loaded. */
  readonly matmulRows: number
  readonly passes: readonly ProbedPasses[]
}

const PAGE_TOKENS = 16
const KEEP = 0.25

/** `positions`: of each request, in the timings of single operations. */
const gridOf = (quick: boolean): PassGrid & { readonly positions: readonly number[] } =>
  quick
    ? { batches: [1, 3], contexts: [48, 160], spans: [4], positions: [1, 8], steps: 4, chunk: 64 }
    : {
        batches: [1, 2, 4],
        contexts: [64, 192, 384],
        spans: [3, 7],
        positions: [1, 4, 16],
        steps: 6,
        chunk: 96
      }

/** The method whose passes a cache stands for. */
const methodOf = (compressor: Compressor | undefined): Method =>
  compressor === undefined
    ? { kind: "full-kv" }
    : {
        kind: "vericache",
        compressor: {
          name: compressor.name,
          origin: { basis: "measured", source: "this probe" },
          kind: compressor.kind === "none" ? "drop" : compressor.kind,
          mode: compressor.mode,
          keep: KEEP,
          acceptance: { kind: "iid", alpha: 0.9, origin: { basis: "assumed", source: "of no account here" } },
          attentionEfficiency: 1
        },
        window: { kind: "fixed", tokens: 4 },
        schedule: "staggered",
        reload: "full",
        granularity: "whole",
        fullKvRequests: 0
      }

export const runProbe = ({ model, adapter, quick, weightWidth, note, progress }: ProbeSettings) =>
  Effect.scoped(
    Effect.gen(function* () {
      const checkpoint = yield* openCheckpoint(folderFiles(model))
      const { config } = checkpoint
      const gpu = yield* nodeGpu(adapter)
      const device = yield* Effect.acquireRelease(openDevice(gpu), (one) => Effect.sync(() => one.close()))
      const { card } = device
      if (card.kind === "software")
        note(
          `${card.name} is a software adapter: it computes on the CPU, and nothing here says anything of a GPU\n`
        )
      const repetitions = quick ? 5 : 15
      progress.begin("copies", 1)
      const copies = yield* probeCopies(device, repetitions)
      const submit = yield* probeSubmit(device, 3 * repetitions)
      const timing = yield* checkTimestamps(device)
      const grid = gridOf(quick)
      const rounds = quick ? 3 : 6
      const maxTokens = Math.max(...grid.contexts) + beyondContext(grid, rounds) + PAGE_TOKENS
      const slots = Math.max(...grid.batches)
      const each = Math.ceil(maxTokens / PAGE_TOKENS) + SLACK_PAGES
      let overlap: Overlap | undefined
      const passes: ProbedPasses[] = []
      // Plain, gathered and quantised attention.
      const caches: readonly (readonly [CacheKind, Compressor | undefined])[] = [
        ["plain", undefined],
        ["gathered", snapkv],
        ["quantised", int4]
      ]
      const operations: OperationTiming[] = []
      for (const [cache, compressor] of caches) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const engine = yield* Effect.acquireRelease(
              Engine.open({
                gpu,
                device,
                checkpoint,
                shape: {
                  config,
                  kvBits: 16,
                  pageTokens: PAGE_TOKENS,
                  maxTokens,
                  slots,
                  maxRows: rowsWithin(config.heads, maxTokens),
                  queryRows: compressor?.needs.queries ?? 1
                },
                pages: 3 * slots * each,
                needs: compressor?.needs ?? {},
                timestamps: timing.usable,
                onProgress: () => {},
                compressor: compressor ?? identity,
                budget: { keep: KEEP, elementBits: 16, seed: 1 },
                serving: {
                  mode: compressor === undefined ? "full" : "rounds",
                  keepsFull: true,
                  reload: "full",
                  streams: "nothing"
                },
                onCommit: () => {}
              }),
              (one) => Effect.sync(() => one.close())
            )
            const bandwidth = yield* measureBandwidth(engine.state.device)
            const physics = yield* enginePhysics(engine, bandwidth.copy)
            const method = methodOf(compressor)
            const trace = new TraceStore({
              name: `probe on ${card.name}`,
              scenario: "probe",
              method: method.kind,
              seed: 1,
              clock: "wall",
              basis: "measured",
              clockOffset: 0,
              passTimes: passTimesOf(timing)
            })
            const keep = compressor === undefined ? 1 : KEEP
            progress.begin(
              `passes over ${compressor?.name ?? "full"} KV`,
              grid.batches.length * grid.contexts.length * rounds
            )
            let done = 0
            yield* probePasses(engine, physics, new Observer("replica 0", trace), grid, {
              repetitions: rounds,
              keep,
              onPass: () => progress.at(++done),
              onReady: (requests, context) =>
                Effect.map(
                  probeOperations(engine, requests, context, {
                    cache,
                    positions: compressor === undefined ? grid.positions : [1],
                    repetitions: Math.ceil(repetitions / 3),
                    weightWidth,
                    keep,
                    submit: submit.seconds
                  }),
                  (timings) => void operations.push(...timings)
                )
            })
            passes.push({ method, trace })
            if (compressor !== undefined) return
            const again = probePasses(
              engine,
              physics,
              new Observer("overlap", undefined),
              { ...grid, batches: [1], contexts: [64] },
              {
                repetitions: 1,
                keep: 1,
                onPass: () => {}
              }
            )
            overlap = yield* probeOverlap(device, again, 8, Math.ceil(repetitions / 3))
          })
        )
      }
      progress.clear()
      return {
        card,
        copies,
        submit,
        overlap: overlap!,
        operations,
        queue: { steps: MAX_STEPS, chunk: RING_BYTES },
        matmulRows: MATMUL_ROWS,
        passes
      } satisfies Probed
    })
  )
