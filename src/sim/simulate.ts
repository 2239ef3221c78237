/** Simulates a scenario under one serving method: actors on virtual time, simulated GPUs and links, metrics at the end. */
import { Context, Effect, type Exit } from "effect"
import { startReplica } from "../runtime/actors/replica.ts"
import { type MemoryActor, startMemory } from "../runtime/actors/memory.ts"
import { supervised } from "../runtime/actors/supervisor.ts"
import { startVerifier, type Verifier } from "../runtime/actors/verifier.ts"
import { Observer } from "../runtime/observer.ts"
import { Gpu, LinkIn, LinkOut, Network, type OutOfMemory, Time } from "../runtime/ports.ts"
import { type Clients, serve, type StartReplica } from "../runtime/serve.ts"
import type { ServingSetup } from "../runtime/setup.ts"
import { kvShape } from "../scenario/model-shape.ts"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { MetricsAccumulator, type RunMetrics } from "../trace/metrics.ts"
import type { Recorder } from "../trace/recorder.ts"
import { makeAcceptance } from "./acceptance/acceptance.ts"
import { CostModel } from "./cost/cost-model.ts"
import { hashUniform } from "./kernel/random.ts"
import { Dma, SimulatedLinks } from "./physics/links.ts"
import { SimulatedGpu } from "./physics/gpu.ts"
import { Judge } from "./physics/judge.ts"
import { compressorOf, drafterOf, Infeasible, servingSetup } from "./setup.ts"
import { groupLink } from "./theory/parameters.ts"
import { VirtualTime } from "./virtual-time.ts"
import { PrefixCache } from "./workload/prefix.ts"
import { makeWorkload } from "./workload/workload.ts"

export interface SimulationOptions {
  /** Records what happens; without it only metrics are kept. */
  readonly recorder?: Recorder
  /** Told the number of requests that have ended. */
  readonly onProgress?: (ended: number) => void
}

export interface Simulation {
  readonly method: NamedMethod
  readonly setup: ServingSetup
  readonly metrics: RunMetrics
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
  const { hardware, engine, seed } = scenario
  const time = new VirtualTime()
  const { kernel } = time
  const ranks = engine.tensorParallelSize
  const compressor = compressorOf(method)
  const drafter = drafterOf(method)
  const cost = new CostModel(scenario.model, hardware, ranks, compressor?.attentionEfficiency ?? 1)
  const judge = new Judge(
    compressor === undefined ? undefined : makeAcceptance(compressor.acceptance, seed),
    drafter === undefined ? undefined : makeAcceptance(drafter.acceptance, seed + 1)
  )
  const gpuModel = {
    cost,
    judge,
    draftPairs: compressor?.kind === "quantize" ? 1 / compressor.keep : 1,
    window: kvShape(scenario.model).window,
    drafterWeights: drafter?.weightBytes ?? 0,
    drafterKv: drafter?.kvBytesPerToken ?? 0
  }
  const links = new SimulatedLinks(kernel, seed)
  const hostBandwidth = links.network.resource(hardware.host.bandwidth)
  const observers: Observer[] = []
  const { local, remote, roundTrip } = groupsOf(scenario)
  /** A tensor-parallel group; `store`: bytes/s at which it reaches the store. */
  const group = (name: string, store: number) => {
    const gpu = new SimulatedGpu(kernel, gpuModel)
    const dma = new Dma(hardware.hbm.bandwidth * ranks, gpu)
    const link = (bandwidth: number, through: readonly number[]) =>
      links.link(
        { bandwidth, latency: hardware.link.latency, through, failure: scenario.faults.reloadFailure },
        dma
      )
    const observe = new Observer(name, options.recorder)
    observers.push(observe)
    const ports = Context.make(Gpu, gpu).pipe(
      Context.add(LinkIn, link(groupLink(scenario, "hostToDevice"), [hostBandwidth])),
      Context.add(LinkOut, link(groupLink(scenario, "deviceToHost"), [hostBandwidth])),
      Context.add(Network, link(store, []))
    )
    return {
      ports,
      options: { setup, observe, linkSharing: hardware.link.sharing, hbmBytes: hardware.hbm.capacity * ranks }
    }
  }

  // Where full KV stays with the store, the groups beside it verify and the others draft; otherwise all serve alike.
  const splits = setup.plan.verifies === "remote"
  const verifiers: Verifier[] = []
  const replicas = splits ? remote : [...local, ...remote]
  const startVerifiers = Effect.gen(function* () {
    for (const [index, store] of splits ? local.entries() : []) {
      const { ports, options: common } = group(`verifier ${index}`, store)
      verifiers.push(yield* startVerifier({ ...common, roundTrip }).pipe(Effect.provideContext(ports)))
    }
  })
  const startOn =
    (host: MemoryActor): StartReplica =>
    (index, onEnded) => {
      const { ports, options: common } = group(`replica ${index}`, replicas[index]!)
      const verifier = verifiers[index % Math.max(1, verifiers.length)]
      return startReplica({ ...common, host, onEnded, ...(verifier === undefined ? {} : { verifier }) }).pipe(
        Effect.provideContext(ports)
      )
    }

  const program = Effect.gen(function* () {
    yield* startVerifiers
    const host = yield* startMemory(hardware.host.capacity * replicas.length)
    const end = yield* serve(
      clientsOf(scenario),
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
    return { method: named, setup, metrics: books.result(end, gpus, hardware.hbm.bandwidth * gpus) }
  }).pipe(
    supervised,
    Effect.scoped,
    Effect.provideService(Time, Time.of({ now: () => kernel.now, until: (at) => time.until(at) }))
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

/** The workload's requests as clients send them. */
const clientsOf = (scenario: Scenario): Clients => {
  const { workload, seed, faults } = scenario
  const source = makeWorkload(workload, seed)
  const stored = storedTokens(scenario)
  return {
    concurrency: source.concurrency,
    total: source.total,
    timeout: workload.timeout === undefined ? undefined : workload.timeout * 1e9,
    next: () => {
      const request = source.next()
      if (request === undefined) return undefined
      const { id, arrival, input, output, blocks } = request
      const cancels = hashUniform(seed, id, 0, 0xcace1) < faults.cancel
      const cancelAfter = cancels ? 1 + Math.floor(hashUniform(seed, id, 1, 0xcace1) * output) : undefined
      return {
        arrival,
        spec: {
          id,
          input,
          output,
          stored: stored(input, blocks),
          ...(cancelAfter === undefined ? {} : { cancelAfter })
        }
      }
    }
  }
}

/**
 * Leading prompt tokens whose KV is stored when a request arrives: none, all of them, or, where a trace names prefix blocks
 * and caching is on, those of the blocks that earlier requests left and host memory still holds.
 */
const storedTokens = ({ workload, engine, hardware, model }: Scenario) => {
  const { globalBytesPerToken, localBytesPerToken } = kvShape(model)
  const blockTokens = workload.kind === "trace" ? workload.blockTokens : 0
  const capacity = Math.floor(
    hardware.host.capacity / (blockTokens * (globalBytesPerToken + localBytesPerToken))
  )
  const cache =
    engine.enablePrefixCaching && workload.kind === "trace" ? new PrefixCache(capacity) : undefined
  return (input: number, blocks: readonly number[] | undefined): number => {
    if (workload.context === "prefill") return 0
    if (blocks === undefined) return input
    if (cache === undefined) return 0
    const hits = cache.lookup(blocks)
    cache.insert(blocks)
    return Math.min(input, hits * blockTokens)
  }
}
