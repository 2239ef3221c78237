/** Passes of every kind over a grid of batches, contexts and spans, through the engine's own ports, told to an observer. */
import { Effect } from "effect"
import { BatchGroup } from "../../runtime/group.ts"
import type { Observer } from "../../runtime/observer.ts"
import { type DeviceLost, Gpu, type Iteration, Time } from "../../runtime/ports.ts"
import type { Engine } from "../engine.ts"
import { GREEDY } from "../kernels/choose.ts"
import type { EnginePhysics } from "../physics.ts"

export interface PassGrid {
  readonly batches: readonly number[]
  /** Prompt tokens. */
  readonly contexts: readonly number[]
  /** Tokens drafted before a verify. */
  readonly spans: readonly number[]
  /** Steps of a run of decode or draft passes. */
  readonly steps: number
  /** Prompt tokens of one prefill pass. */
  readonly chunk: number
}

/** Tokens a request of the grid has room for beyond its context. */
export const beyondContext = ({ spans, steps }: PassGrid, repetitions: number): number =>
  (1 + repetitions) * (steps + Math.max(...spans) + 1) + 1

const NOTHING = { hbmBytes: 0, hostBytes: 0, batch: 0, waiting: 0 }

const group = (requests: readonly number[], kvTokens: number): BatchGroup => {
  const members = new BatchGroup(1, 0)
  for (const id of requests) members.join(id, kvTokens, 0)
  return members
}

/**
 * Runs the grid `repetitions` times after a warm-up. On an engine that drafts (`rounds`) the steps are drafts on compressed
 * KV, each followed by a verify; on one that does not they are decode steps. `keep`: what a compressed entry counts.
 */
export const probePasses = (
  engine: Engine,
  physics: EnginePhysics,
  observer: Observer,
  grid: PassGrid,
  {
    repetitions,
    keep,
    onPass,
    onReady = () => Effect.void
  }: {
    readonly repetitions: number
    readonly keep: number
    readonly onPass: () => void
    /** Runs where the engine holds these requests with a context of so many tokens each, before their passes. */
    readonly onReady?: (requests: readonly number[], context: number) => Effect.Effect<void, DeviceLost>
  }
): Effect.Effect<void, DeviceLost> =>
  Effect.gen(function* () {
    const gpu = yield* Gpu
    const time = yield* Time
    const drafts = engine.options.serving.mode === "rounds"
    let index = 0
    /** `told`: whether it counts; the first pass of a shape compiles and warms up. */
    const pass = Effect.fnUntraced(function* (fields: Partial<Iteration>, told: boolean) {
      const iteration: Iteration = {
        index: index++,
        steps: 1,
        decode: new BatchGroup(1, 0),
        draft: new BatchGroup(1, 0),
        verify: [],
        prefill: [],
        proposals: 0,
        ...fields
      }
      if (told) observer.passStarts(iteration, NOTHING, time.now())
      const result = yield* gpu.run(iteration)
      if (told) observer.passed(result, 0, time.now())
      onPass()
      return result
    })
    let next = 0
    for (const batch of grid.batches)
      for (const context of grid.contexts) {
        const ids = Array.from({ length: batch }, () => next++)
        for (const id of ids) {
          const prompt = Array.from(
            { length: context },
            (_, i) => (31 * i + 7 * id) % engine.shape.config.vocab
          )
          engine.admit(id, { tokens: prompt, maxTokens: beyondContext(grid, repetitions), sampling: GREEDY })
          for (let cached = 0; cached < context; cached += grid.chunk) {
            const tokens = Math.min(grid.chunk, context - cached)
            const last = cached + tokens === context
            yield* pass({ prefill: [{ request: id, tokens, cached, last }] }, id > 0)
          }
        }
        yield* onReady(ids, context)
        for (let repetition = 0; repetition <= repetitions; repetition++) {
          const now = engine.session(ids[0]!).tokens.length
          const span = grid.spans[repetition % grid.spans.length]!
          if (!drafts) {
            yield* pass({ steps: grid.steps, decode: group(ids, now) }, repetition > 0)
            continue
          }
          yield* pass({ steps: span, draft: group(ids, keep * now) }, repetition > 0)
          yield* pass(
            {
              verify: ids.map((request) => ({
                request,
                drafted: span,
                steps: span,
                context: engine.session(request).tokens.length,
                round: repetition + 1
              }))
            },
            repetition > 0
          )
        }
        for (const id of ids) engine.forget(id)
      }
  }).pipe(Effect.provideContext(physics.ports))
