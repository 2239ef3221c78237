/** Serves requests on an engine: the runtime's scheduler and actors over real passes and copies. */
import { Effect } from "effect"
import { startMemory } from "../runtime/actors/memory.ts"
import { startReplica } from "../runtime/actors/replica.ts"
import { supervised } from "../runtime/actors/supervisor.ts"
import { pageBytes } from "../runtime/kv.ts"
import { Observer } from "../runtime/observer.ts"
import { type OutOfMemory, Time } from "../runtime/ports.ts"
import { serve } from "../runtime/serve.ts"
import type { ServingSetup } from "../runtime/setup.ts"
import type { RunMetrics } from "../trace/metrics.ts"
import type { Recorder } from "../trace/recorder.ts"
import type { Engine } from "./engine.ts"
import { type EnginePhysics } from "./physics.ts"
import type { Prompt, Session } from "./session.ts"

/** A request and when it arrives, ns after the start. */
export interface Arrival {
  readonly prompt: Prompt
  readonly at: number
  /** The client hangs up after this many tokens. */
  readonly cancelAfter?: number
}

export interface RunOptions {
  readonly setup: ServingSetup
  readonly arrivals: readonly Arrival[]
  readonly recorder?: Recorder
  readonly onEnded?: (session: Session) => void
}

/** Serves all arrivals, numbered in their order, to their ends. */
export const runRequests = (
  engine: Engine,
  physics: EnginePhysics,
  { setup, arrivals, recorder, onEnded }: RunOptions
): Effect.Effect<RunMetrics, OutOfMemory> =>
  Effect.gen(function* () {
    const observe = new Observer("engine", recorder)
    const host = yield* startMemory(setup.hostBytes)
    let sent = 0
    const clients = {
      concurrency: undefined,
      total: arrivals.length,
      timeout: undefined,
      next: () => {
        const arrival = arrivals[sent]
        if (arrival === undefined) return undefined
        const id = sent++
        const session = engine.admit(id, arrival.prompt)
        const { cancelAfter } = arrival
        return {
          arrival: arrival.at,
          spec: {
            id,
            input: arrival.prompt.tokens.length,
            output: arrival.prompt.maxTokens,
            stored: session.home.tokens,
            ...(cancelAfter === undefined ? {} : { cancelAfter })
          }
        }
      }
    }
    const time = yield* Time
    yield* serve(
      clients,
      1,
      (_, ended) =>
        startReplica({
          setup,
          observe,
          linkSharing: "serial",
          hbmBytes: setup.weightBytes + setup.pages * pageBytes(setup.layout),
          host,
          onEnded: (request, outcome) => {
            onEnded?.(engine.session(request))
            engine.forget(request)
            ended(request, outcome)
          }
        }).pipe(
          Effect.tap((replica) =>
            Effect.sync(() => {
              engine.onStop = (request) => replica.cancel(request, "cancel")
            })
          ),
          Effect.provideContext(physics.ports)
        ),
      () => {}
    )
    // The clock has moved on since the last end.
    const end = time.now()
    observe.metrics.finish(end)
    return observe.metrics.result(end, 1, physics.copyBandwidth)
  }).pipe(supervised, Effect.scoped, Effect.provideContext(physics.ports))
