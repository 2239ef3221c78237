/**
 * Acceptance measured on the engine: prompts drafted with a compression method, verified, and counted round by round. The
 * full KV stays on the device, so no round is longer than asked because a reload was late; what is drafted and what is
 * accepted depends on the compressed KV alone.
 */
import { Effect } from "effect"
import { servingPlan } from "../runtime/serving.ts"
import type { DeviceLost, OutOfMemory } from "../runtime/ports.ts"
import { type AcceptanceFigures, acceptanceFigures, type Round } from "./acceptance-figures.ts"
import type { Compressor } from "./compressors/compressor.ts"
import { Engine } from "./engine.ts"
import { PAGE_TOKENS, pricedForRun, rowsWithin } from "./generate.ts"
import { GREEDY } from "./kernels/choose.ts"
import { tokenWords } from "./kernels/shape.ts"
import { enginePhysics } from "./physics.ts"
import { arriving, runRequests } from "./run.ts"
import { engineSetup, fixedWindow, SLACK_PAGES } from "./setup.ts"
import type { Device, NoAdapter } from "./webgpu/device.ts"
import type { Checkpoint, ModelRefused } from "./weights/checkpoint.ts"

/** One cell of the grid that is measured. */
export interface Trial {
  readonly compressor: Compressor
  readonly keep: number
  /** Tokens drafted in each round. */
  readonly window: number
  /** Prompt tokens, from the end of each prompt that is long enough. */
  readonly context: number
}

export interface Measured extends Trial, AcceptanceFigures {
  readonly prompts: number
  /** Rounds that the end of the output left no whole window for; they count nowhere else. */
  readonly cut: number
  /** Bytes of the compressed KV on the device over the full KV's, after the prompt; whole pages. */
  readonly bytesShare: number
}

/** What all cells share. */
export interface Setting {
  readonly gpu: GPU
  readonly device: Device
  readonly checkpoint: Checkpoint
  readonly kvBits: 16 | 32
  /** Tokens produced after each prompt. */
  readonly maxTokens: number
}

/** Prompts drafted side by side at most, and bytes of KV on the device that bound them. */
const MOST_SLOTS = 8
const ARENA_BYTES = 96 << 20
/** Bytes/s and seconds the scheduler plans with; with full KV on the device nothing depends on them. */
const PLANNED_BANDWIDTH = 1e9
const PLANNED_ITERATION = 0.01

/** Measures one cell on every prompt that has the context. `onPrompt` is told how many have been measured. */
export const measureAcceptance = (
  setting: Setting,
  trial: Trial,
  prompts: readonly (readonly number[])[],
  onPrompt: (ended: number) => void = () => {}
): Effect.Effect<Measured, NoAdapter | ModelRefused | OutOfMemory | DeviceLost> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { compressor, keep, window, context } = trial
      const { checkpoint, kvBits, maxTokens } = setting
      const { config } = checkpoint
      const used = prompts.filter(({ length }) => length >= context)
      const room = context + maxTokens
      const each = Math.ceil(room / PAGE_TOKENS)
      // Full and compressed KV, and as much again while the one is made from the other.
      const pagesEach = 3 * each + 2 * SLACK_PAGES
      const tokenBytes = 4 * tokenWords({ config, kvBits })
      const fitting = Math.floor(ARENA_BYTES / ((pagesEach + each) * PAGE_TOKENS * tokenBytes))
      const slots = Math.max(1, Math.min(used.length, MOST_SLOTS, fitting))
      const rounds: Round[] = []
      const started = new Set<number>()
      let [cut, compressed] = [0, 0]
      const engine = yield* Effect.acquireRelease(
        Engine.open({
          gpu: setting.gpu,
          device: setting.device,
          checkpoint,
          shape: {
            config,
            kvBits,
            pageTokens: PAGE_TOKENS,
            maxTokens: room,
            slots,
            maxRows: rowsWithin(config.heads, room),
            queryRows: compressor.needs.queries ?? 1
          },
          pages: slots * (pagesEach + each),
          needs: compressor.needs,
          onProgress: () => {},
          compressor,
          budget: { keep, elementBits: kvBits, seed: GREEDY.seed },
          serving: { mode: "rounds", keepsFull: true, reload: "full", streams: "nothing" },
          stopTokens: [],
          onCommit: ({ request, accepted, rejected }) => {
            if (!started.has(request)) compressed += engine.compressedBytes(engine.session(request))
            started.add(request)
            const drafted = accepted + rejected.length
            if (drafted === window) rounds.push({ prompt: request, accepted })
            else if (drafted > 0) cut++
          }
        }),
        (one) => Effect.sync(() => one.close())
      )
      const physics = yield* enginePhysics(engine, PLANNED_BANDWIDTH)
      const setup = engineSetup({
        plan: servingPlan(
          { kind: "sparse", compressor: pricedForRun(compressor, keep), window: fixedWindow(window) },
          false
        ),
        shape: engine.shape,
        pages: slots * pagesEach,
        weightBytes: engine.state.weightBytes,
        hostBytes: used.length * engine.fullBytes(room) + 1,
        linkBandwidth: PLANNED_BANDWIDTH,
        iterationSeconds: PLANNED_ITERATION,
        window,
        maxNumBatchedTokens: engine.shape.maxRows
      })
      yield* runRequests(engine, physics, {
        setup,
        ...arriving(
          used.map((prompt) => ({
            prompt: { tokens: prompt.slice(prompt.length - context), maxTokens, sampling: GREEDY },
            at: 0
          }))
        ),
        onProgress: onPrompt
      })
      return {
        ...trial,
        ...acceptanceFigures(rounds, window),
        prompts: used.length,
        cut,
        bytesShare: used.length === 0 ? 0 : compressed / (used.length * engine.fullBytes(context))
      }
    })
  )
