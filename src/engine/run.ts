/** Serves requests on an engine: the runtime's scheduler and actors over real passes and copies. */
import { Effect } from "effect"
import { startMemory } from "../runtime/actors/memory.ts"
import { startReplica } from "../runtime/actors/replica.ts"
import { supervised } from "../runtime/actors/supervisor.ts"
import { pageBytes } from "../runtime/kv.ts"
import { Observer } from "../runtime/observer.ts"
import { type OutOfMemory, Time } from "../runtime/ports.ts"
import { type Clients, serve } from "../runtime/serve.ts"
import type { RequestSpec } from "../runtime/served.ts"
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

/** Requests that come whatever becomes of others, numbered in their order. */
export const arriving = (arrivals: readonly Arrival[]): Pick<RunOptions, "clients" | "promptOf"> => {
  let sent = 0
  return {
    promptOf: ({ id }) => arrivals[id]!.prompt,
    clients: {
      concurrency: undefined,
      total: arrivals.length,
      timeout: undefined,
      next: () => {
        const arrival = arrivals[sent]
        if (arrival === undefined) return undefined
        const { prompt, at, cancelAfter } = arrival
        const spec = { id: sent++, input: prompt.tokens.length, output: prompt.maxTokens, stored: 0 }
        return { arrival: at, spec: cancelAfter === undefined ? spec : { ...spec, cancelAfter } }
      }
    }
  }
}

export interface RunOptions {
  readonly setup: ServingSetup
  readonly clients: Clients
  /** What a request asks for: as many tokens as its spec says. */
  readonly promptOf: (spec: RequestSpec) => Prompt
  /** Bytes of device memory the run may have; what its weights and pages take if not given. Less than that is refused. */
  readonly hbmBytes?: number
  /** Name of the replica in the trace. */
  readonly name?: string
  readonly recorder?: Recorder
  readonly onEnded?: (session: Session) => void
  /** Told the number of requests that have ended. */
  readonly onProgress?: (ended: number) => void
}

/** Serves all requests of the clients to their ends. What host memory has of a prompt counts as stored. */
export const runRequests = (
  engine: Engine,
  physics: EnginePhysics,
  options: RunOptions
): Effect.Effect<RunMetrics, OutOfMemory> =>
  Effect.gen(function* () {
    const { setup, clients, promptOf, name = "engine", recorder, onEnded, onProgress = () => {} } = options
    const observe = new Observer(name, recorder, "wall")
    const host = yield* startMemory(setup.hostBytes)
    const admitted: Clients = {
      ...clients,
      next: () => {
        const request = clients.next()
        if (request === undefined) return undefined
        const { spec, arrival } = request
        const session = engine.admit(spec.id, promptOf(spec))
        return { arrival, spec: { ...spec, stored: session.home.tokens } }
      }
    }
    const time = yield* Time
    yield* serve(
      admitted,
      1,
      (_, ended) =>
        startReplica({
          setup,
          observe,
          linkSharing: "serial",
          hbmBytes: options.hbmBytes ?? setup.weightBytes + setup.pages * pageBytes(setup.layout),
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
      onProgress
    )
    // The clock has moved on since the last end.
    const end = time.now()
    observe.metrics.finish(end)
    return observe.metrics.result(end, 1, physics.copyBandwidth)
  }).pipe(supervised, Effect.scoped, Effect.provideContext(physics.ports))
