/** Simulates a scenario under one serving method: actors on virtual time, simulated GPUs and links, metrics at the end. */
import { Context, Effect, type Exit } from "effect"
import { startReplica } from "../runtime/actors/replica.ts"
import { Observer } from "../runtime/observer.ts"
import { Gpu, LinkIn, LinkOut, Network, type OutOfMemory, Time } from "../runtime/ports.ts"
import { type Clients, serve } from "../runtime/serve.ts"
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
import { Verifier } from "./physics/verifier.ts"
import { compressorOf, drafterOf, Infeasible, servingSetup } from "./setup.ts"
import { groupLink } from "./theory/parameters.ts"
import { VirtualTime } from "./virtual-time.ts"
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
export const prepare = (scenario: Scenario, named: NamedMethod, options: SimulationOptions = {}): PreparedSimulation | Infeasible => {
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
  const verifier = new Verifier(
    compressor === undefined ? undefined : makeAcceptance(compressor.acceptance, seed),
    drafter === undefined ? undefined : makeAcceptance(drafter.acceptance, seed + 1)
  )
  const gpuModel = {
    cost,
    verifier,
    draftPairs: compressor?.kind === "quantize" ? 1 / compressor.keep : 1,
    window: kvShape(scenario.model).window,
    drafterWeights: drafter?.weightBytes ?? 0,
    drafterKv: drafter?.kvBytesPerToken ?? 0
  }
  const links = new SimulatedLinks(kernel, seed)
  const host = links.network.resource(hardware.host.bandwidth)
  const store = storeBandwidth(scenario)
  const observers: Observer[] = []

  const start = (index: number, onEnded: Parameters<typeof startReplica>[0]["onEnded"]) => {
    const gpu = new SimulatedGpu(kernel, gpuModel)
    const dma = new Dma(hardware.hbm.bandwidth * ranks, gpu)
    const link = (bandwidth: number, through: readonly number[]) =>
      links.link({ bandwidth, latency: hardware.link.latency, through, failure: scenario.faults.reloadFailure }, dma)
    const ports = Context.make(Gpu, gpu).pipe(
      Context.add(LinkIn, link(groupLink(scenario, "hostToDevice"), [host])),
      Context.add(LinkOut, link(groupLink(scenario, "deviceToHost"), [host])),
      Context.add(Network, link(store, []))
    )
    const observe = new Observer(`replica ${index}`, options.recorder)
    observers.push(observe)
    return startReplica({ setup, observe, linkSharing: hardware.link.sharing, hbmBytes: hardware.hbm.capacity * ranks, onEnded }).pipe(
      Effect.provideContext(ports)
    )
  }

  const program = serve(clientsOf(scenario), engine.dataParallelSize, start, options.onProgress ?? (() => {})).pipe(
    Effect.provideService(Time, Time.of({ now: () => kernel.now, until: (at) => time.until(at) })),
    Effect.map((end): Simulation => {
      const books = new MetricsAccumulator()
      for (const { metrics } of observers) metrics.finish(end)
      observers.forEach(({ metrics }, index) => (index === 0 ? undefined : observers[0]!.metrics.merge(metrics)))
      const gpus = ranks * engine.dataParallelSize
      const total = observers[0]?.metrics ?? books
      return { method: named, setup, metrics: total.result(end, gpus, hardware.hbm.bandwidth * gpus) }
    })
  )
  return { time, program }
}

/** Simulates to the end, synchronously. */
export const simulate = (scenario: Scenario, named: NamedMethod, options: SimulationOptions = {}): Exit.Exit<Simulation, OutOfMemory | Infeasible> => {
  const prepared = prepare(scenario, named, options)
  if (prepared instanceof Infeasible) return Effect.runSyncExit(Effect.fail(prepared))
  return prepared.time.simulate(prepared.program)
}

const storeBandwidth = ({ deployment, hardware }: Scenario): number =>
  deployment.kind === "remote-prefix" ? deployment.remoteBandwidth : hardware.link.hostToDevice

/** The workload's requests as clients send them. */
const clientsOf = (scenario: Scenario): Clients => {
  const { workload, seed, faults } = scenario
  const source = makeWorkload(workload, seed)
  return {
    concurrency: source.concurrency,
    total: source.total,
    timeout: workload.timeout === undefined ? undefined : workload.timeout * 1e9,
    next: () => {
      const request = source.next()
      if (request === undefined) return undefined
      const { id, arrival, input, output } = request
      const cancels = hashUniform(seed, id, 0, 0xcace1) < faults.cancel
      const cancelAfter = cancels ? 1 + Math.floor(hashUniform(seed, id, 1, 0xcace1) * output) : undefined
      const stored = workload.context === "prefill" ? 0 : input
      return { arrival, spec: { id, input, output, stored, ...(cancelAfter === undefined ? {} : { cancelAfter }) } }
    }
  }
}
