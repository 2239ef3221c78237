/** Simulates a scenario under one serving method: actors on virtual time, simulated GPUs and links, metrics at the end. */
import { type Context, Effect, type Exit } from "effect"
import { startReplica } from "../runtime/actors/replica.ts"
import { type MemoryActor, startMemory } from "../runtime/actors/memory.ts"
import { supervised } from "../runtime/actors/supervisor.ts"
import { startVerifier, type Verifier } from "../runtime/actors/verifier.ts"
import { Observer, type OnLatency } from "../runtime/observer.ts"
import {
  type Gpu,
  type LinkIn,
  type LinkOut,
  type Network,
  type OutOfMemory,
  Time
} from "../runtime/ports.ts"
import { type Clients, serve, type StartReplica } from "../runtime/serve.ts"
import type { ServingSetup } from "../runtime/setup.ts"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { MetricsAccumulator, type RunMetrics } from "../trace/metrics.ts"
import type { Recorder } from "../trace/recorder.ts"
import { clientsOf } from "./clients.ts"
import type { Kernel } from "./kernel/kernel.ts"
import type { TableName } from "./cost/interpolate.ts"
import { SimulatedGroups } from "./physics/groups.ts"
import { Infeasible, servingSetup } from "./setup.ts"
import { VirtualTime } from "./virtual-time.ts"

export type { OnLatency }

export interface SimulationOptions {
  /** Records what happens; without it only metrics are kept. */
  readonly recorder?: Recorder
  /** Told the number of requests that have ended. */
  readonly onProgress?: (ended: number) => void
  /** Told of each request's latencies as they become known, ns. What it throws ends the run and is its exit's defect. */
  readonly onLatency?: OnLatency
  /** Who sends the requests, in place of the scenario's clients. */
  readonly clients?: Clients
  /** A scheduler hears all that happens at an instant before it decides, what it ordered itself at that instant included. */
  readonly settles?: boolean
  /** The ports of each group, in place of simulated hardware. */
  readonly ports?: (kernel: Kernel) => Context.Context<Gpu | LinkIn | LinkOut | Network>
}

export interface Simulation {
  readonly method: NamedMethod
  readonly setup: ServingSetup
  readonly metrics: RunMetrics
  /** Measured kernel times that passes went beyond, in the order in which they did. */
  readonly extrapolated: readonly TableName[]
}

/** A program that simulates `method`, and the clock it must run on. */
export interface PreparedSimulation {
  readonly time: VirtualTime
  readonly program: Effect.Effect<Simulation, OutOfMemory>
}

/** Sets a simulation up; an `Infeasible` says by how much the method does not fit. */
export const prepare = (
  scenario: Scenario,
  named: NamedMethod,
  options: SimulationOptions = {}
): PreparedSimulation | Infeasible => {
  const { method, name } = named
  const setup = servingSetup(scenario, name, method)
  if (setup instanceof Infeasible) return setup
  const { hardware, engine } = scenario
  const time = new VirtualTime()
  const { kernel } = time
  const ranks = engine.tensorParallelSize
  const physics = new SimulatedGroups(kernel, scenario, method)
  const observers: Observer[] = []
  const { local, remote, roundTrip } = groupsOf(scenario)
  /** A tensor-parallel group; `store`: bytes/s at which it reaches the store. */
  const group = (name: string, store: number) => {
    const observe = new Observer(name, options.recorder, "virtual", options.onLatency)
    observers.push(observe)
    const common = {
      setup,
      observe,
      linkSharing: hardware.link.sharing,
      hbmBytes: hardware.hbm.capacity * ranks
    }
    return { ports: options.ports?.(kernel) ?? physics.group(store), common }
  }

  // Where full KV stays with the store, the groups beside it verify and the others draft; otherwise all serve alike.
  const splits = setup.plan.verifies === "remote"
  const verifiers: Verifier[] = []
  const replicas = splits ? remote : [...local, ...remote]
  const startVerifiers = Effect.gen(function* () {
    for (const [index, store] of splits ? local.entries() : []) {
      const { ports, common } = group(`verifier ${index}`, store)
      verifiers.push(yield* startVerifier({ ...common, roundTrip }).pipe(Effect.provideContext(ports)))
    }
  })
  const startOn =
    (host: MemoryActor): StartReplica =>
    (index, onEnded) => {
      const { ports, common } = group(`replica ${index}`, replicas[index]!)
      const verifier = verifiers[index % Math.max(1, verifiers.length)]
      return startReplica({ ...common, host, onEnded, ...(verifier === undefined ? {} : { verifier }) }).pipe(
        Effect.provideContext(ports)
      )
    }

  const program = Effect.gen(function* () {
    yield* startVerifiers
    const host = yield* startMemory(hardware.host.capacity * replicas.length)
    const end = yield* serve(
      options.clients ?? clientsOf(scenario),
      replicas.length,
      startOn(host),
      options.onProgress ?? (() => {})
    )
    const books = new MetricsAccumulator()
    for (const { metrics } of observers) {
      metrics.finish(end)
      books.merge(metrics)
    }
    const gpus = ranks * observers.length
    return {
      method: named,
      setup,
      metrics: books.result(end, gpus, hardware.hbm.bandwidth * gpus),
      extrapolated: [...physics.extrapolated]
    }
  }).pipe(
    supervised,
    Effect.scoped,
    Effect.provideService(
      Time,
      Time.of({
        now: () => kernel.now,
        until: (at) => time.until(at),
        settled: options.settles === true ? time.settled : Effect.yieldNow
      })
    )
  )
  return { time, program }
}

/** Simulates to the end, synchronously. */
export const simulate = (
  scenario: Scenario,
  named: NamedMethod,
  options: SimulationOptions = {}
): Exit.Exit<Simulation, OutOfMemory | Infeasible> => {
  const prepared = prepare(scenario, named, options)
  if (prepared instanceof Infeasible) return Effect.runSyncExit(Effect.fail(prepared))
  return prepared.time.simulate(prepared.program)
}

/** Bandwidth to the store, bytes/s, of each group beside it and of each behind a network. */
const groupsOf = ({ deployment, engine, hardware }: Scenario) => {
  const times = (n: number, bandwidth: number): readonly number[] =>
    Array.from({ length: n }, () => bandwidth)
  if (deployment.kind === "long-context") {
    return {
      local: times(engine.dataParallelSize, hardware.link.hostToDevice * engine.tensorParallelSize),
      remote: [],
      roundTrip: 0
    }
  }
  const { local, remote, localBandwidth, remoteBandwidth, roundTrip } = deployment
  return {
    local: times(local, localBandwidth),
    remote: times(remote, remoteBandwidth),
    roundTrip: roundTrip * 1e9
  }
}
