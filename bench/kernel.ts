/**
 * The virtual-time kernel beside SIM.JS (npm simjs) on the same models, in one run.
 *
 * Customers arrive one after another and go through the steps of a model; a step acquires a server of a resource, first come
 * first served, holds it and releases it. All draws are made before the clock starts and are whole nanoseconds, so that every
 * engine simulates the same customers and must come to the same mean latency.
 */
import { createRequire } from "node:module"
import { Effect, Exit, Semaphore } from "effect"
import { Kernel } from "../src/sim/kernel/kernel.ts"
import { Random } from "../src/sim/kernel/random.ts"
import { VirtualTime } from "../src/sim/virtual-time.ts"
import type { Cell, Section } from "./section.ts"

interface Step {
  readonly resource: number
  /** Mean time held, ns. */
  readonly mean: number
}

interface QueueModel {
  readonly name: string
  /** Servers of each resource. */
  readonly servers: readonly number[]
  readonly steps: readonly Step[]
  /** Mean time between arrivals, ns. */
  readonly between: number
}

const S = 1e9

/** Eight servers at 87.5 % load: by Erlang C a customer stays 1.635 services in the mean. */
const MM8: QueueModel = {
  name: "M/M/8",
  servers: [8],
  steps: [{ resource: 0, mean: S }],
  between: S / 7
}

const [GPU, HBM, PCIE, HOST] = [0, 1, 2, 3]
const draft: readonly Step[] = [
  { resource: GPU, mean: 0.05 * S },
  { resource: HBM, mean: 0.05 * S }
]

/** Four drafts, a reload, a verify: twelve steps over four resources of one server, GPU and HBM at 80 % load. */
const FOUR_RESOURCES: QueueModel = {
  name: "four resources",
  servers: [1, 1, 1, 1],
  steps: [
    ...Array.from({ length: 4 }, () => draft).flat(),
    { resource: PCIE, mean: 0.2 * S },
    { resource: HOST, mean: 0.05 * S },
    { resource: GPU, mean: 0.1 * S },
    { resource: HBM, mean: 0.1 * S }
  ],
  between: (0.3 * S) / 0.8
}

/** The draws of a run: time between arrivals, and how long each customer holds each step, ns. */
interface Draws {
  readonly customers: number
  readonly gaps: Float64Array
  readonly holds: Float64Array
}

const drawsOf = ({ steps, between }: QueueModel, customers: number): Draws => {
  const random = new Random(1, "customers")
  const draw = (mean: number): number => Math.ceil(random.exponential(mean))
  return {
    customers,
    gaps: Float64Array.from({ length: customers }, () => draw(between)),
    holds: Float64Array.from({ length: customers * steps.length }, (_, i) =>
      draw(steps[i % steps.length]!.mean)
    )
  }
}

interface Outcome {
  /** Mean time from arrival to the end of the last step, ns. */
  readonly latency: number
  /** Events of the engine, where it counts them. */
  readonly events?: number
}

type Engine = (model: QueueModel, draws: Draws) => Outcome

const ARRIVE = 0
const RELEASE = 1

/** The kernel with one reactor: customers are numbers, queues are linked through them. */
const onKernel: Engine = ({ servers, steps }, { customers, gaps, holds }) => {
  const kernel = new Kernel()
  const resources = Int32Array.from(steps, ({ resource }) => resource)
  const free = Int32Array.from(servers)
  const head = new Int32Array(servers.length).fill(-1)
  const tail = new Int32Array(servers.length).fill(-1)
  const next = new Int32Array(customers).fill(-1)
  const step = new Int32Array(customers)
  const arrived = new Float64Array(customers)
  let latency = 0
  const hold = (customer: number): void => {
    kernel.at(kernel.now + holds[customer * steps.length + step[customer]!]!, network, RELEASE, customer)
  }
  const acquire = (customer: number): void => {
    const resource = resources[step[customer]!]!
    if (free[resource]! > 0) {
      free[resource]!--
      hold(customer)
      return
    }
    if (head[resource]! < 0) head[resource] = customer
    else next[tail[resource]!] = customer
    tail[resource] = customer
  }
  const release = (resource: number): void => {
    const waiting = head[resource]!
    if (waiting < 0) {
      free[resource]!++
      return
    }
    head[resource] = next[waiting]!
    next[waiting] = -1
    hold(waiting)
  }
  const network = kernel.add({
    receive: (code, customer) => {
      if (code === ARRIVE) {
        arrived[customer] = kernel.now
        if (customer + 1 < customers)
          kernel.at(kernel.now + gaps[customer + 1]!, network, ARRIVE, customer + 1)
        acquire(customer)
        return
      }
      release(resources[step[customer]!]!)
      if (++step[customer]! < steps.length) acquire(customer)
      else latency += kernel.now - arrived[customer]!
    }
  })
  kernel.at(gaps[0]!, network, ARRIVE, 0)
  kernel.run()
  return { latency: latency / customers, events: kernel.executed }
}

/** The part of SIM.JS used here. */
interface SimJs {
  readonly Sim: new () => {
    readonly addEntity: (entity: unknown) => unknown
    readonly simulate: (end: number) => boolean
  }
  readonly Facility: new (name: string, discipline: number | undefined, servers: number) => object
  readonly Entity: new (...args: readonly never[]) => SimJsEntity
}
interface SimJsEntity {
  readonly time: () => number
  readonly setTimer: (duration: number) => SimJsRequest
  readonly useFacility: (facility: object, duration: number) => SimJsRequest
}
interface SimJsRequest {
  readonly done: (callback: (argument?: number) => void, context: object, argument: number) => SimJsRequest
}

/** SIM.JS is a bundle for browsers: it leaves its classes on `window`. */
const loadSimJs = (): SimJs => {
  const host = globalThis as { window?: { Sim?: SimJs } }
  const window: { Sim?: SimJs } = {}
  host.window = window
  const require = createRequire(import.meta.url)
  require("simjs")
  delete host.window
  if (window.Sim === undefined) throw new Error("simjs left nothing on window")
  return window.Sim
}

/** SIM.JS as its documentation would have it, with one entity for all customers: an entity each is slower. */
const onSimJs =
  ({ Sim, Facility, Entity }: SimJs): Engine =>
  ({ servers, steps }, { customers, gaps, holds }) => {
    const facilities = servers.map((count, i) => new Facility(`resource ${i}`, undefined, count))
    const step = new Int32Array(customers)
    const arrived = new Float64Array(customers)
    let latency = 0
    class Source extends Entity {
      start(): void {
        // SIM.JS calls back without an argument that is 0.
        const arrive = (customer = 0): void => {
          arrived[customer] = this.time()
          if (customer + 1 < customers) this.setTimer(gaps[customer + 1]!).done(arrive, this, customer + 1)
          use(customer)
        }
        const use = (customer: number): void => {
          const i = step[customer]!
          const held = holds[customer * steps.length + i]!
          this.useFacility(facilities[steps[i]!.resource]!, held).done(released, this, customer)
        }
        const released = (customer = 0): void => {
          if (++step[customer]! < steps.length) use(customer)
          else latency += this.time() - arrived[customer]!
        }
        this.setTimer(gaps[0]!).done(arrive, this, 0)
      }
    }
    const sim = new Sim()
    sim.addEntity(Source)
    sim.simulate(Number.POSITIVE_INFINITY)
    return { latency: latency / customers }
  }

/** A fiber for each customer on virtual time, a semaphore for each resource. */
const onFibers: Engine = ({ servers, steps }, { customers, gaps, holds }) => {
  const time = new VirtualTime()
  let latency = 0
  const program = Effect.gen(function* () {
    const resources = yield* Effect.forEach(servers, (count) => Semaphore.make(count))
    const customer = Effect.fnUntraced(function* (id: number) {
      const arrived = time.kernel.now
      for (let i = 0; i < steps.length; i++) {
        const hold = time.hold(holds[id * steps.length + i]!)
        yield* Semaphore.withPermit(resources[steps[i]!.resource]!)(hold)
      }
      latency += time.kernel.now - arrived
    })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const left = yield* Semaphore.make(customers)
        yield* Semaphore.take(left, customers)
        for (let id = 0; id < customers; id++) {
          yield* time.hold(gaps[id]!)
          yield* Effect.forkScoped(customer(id).pipe(Effect.ensuring(Semaphore.release(left, 1))))
        }
        yield* Semaphore.take(left, customers)
      })
    )
  })
  const exit = time.simulate(program)
  if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
  return { latency: latency / customers, events: time.kernel.executed }
}

/** The hold model: `pending` events, each of which schedules another at a random distance. What the heap alone can do. */
const holdModel = (pending: number, events: number): Outcome => {
  const random = new Random(2, "hold")
  const distances = Float64Array.from({ length: 4096 }, () => Math.ceil(random.exponential(1000)))
  const kernel = new Kernel()
  const reactor = kernel.add({
    receive: (_code, i) => kernel.at(kernel.now + distances[i & 4095]!, reactor, 0, i + 1)
  })
  for (let i = 0; i < pending; i++) kernel.at(distances[i & 4095]!, reactor, 0, 7 * i)
  kernel.run({ events })
  return { latency: 0, events: kernel.executed }
}

interface KernelRow {
  readonly model: string
  readonly engine: string
  /** Customers simulated per second of the wall clock, best of three; undefined where there are none. */
  readonly customersPerSecond: number | undefined
  /** Engine events per second; undefined where the engine does not count them. */
  readonly eventsPerSecond: number | undefined
  /** Mean latency of the customers, seconds of virtual time. */
  readonly latencySeconds: number | undefined
  /** Customers per second relative to SIM.JS on the same model. */
  readonly ratio: number | undefined
}

const RUNS = 3

/** Best of three, after a short one that warms the engine up. */
const best = (warm: () => void, run: () => Outcome): Outcome & { readonly seconds: number } => {
  warm()
  let seconds = Number.POSITIVE_INFINITY
  let outcome: Outcome = { latency: 0 }
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    outcome = run()
    seconds = Math.min(seconds, (performance.now() - start) / 1e3)
  }
  return { ...outcome, seconds }
}

/** Means of the same customers; engines may serve two of the very same nanosecond in another order. */
const TOLERANCE = 1e-6

const compare = (
  model: QueueModel,
  customers: number,
  simJs: SimJs
): readonly (KernelRow & Record<string, Cell>)[] => {
  const draws = drawsOf(model, customers)
  const short = drawsOf(model, 2000)
  const engines: readonly (readonly [name: string, engine: Engine])[] = [
    ["SIM.JS", onSimJs(simJs)],
    ["kernel", onKernel],
    ["fibers", onFibers]
  ]
  const expected = onKernel(model, draws).latency
  let reference = Number.NaN
  return engines.map(([engine, run]) => {
    const { seconds, latency, events } = best(
      () => run(model, short),
      () => run(model, draws)
    )
    if (Math.abs(latency / expected - 1) > TOLERANCE) {
      throw new Error(`${engine} on ${model.name}: mean latency ${latency} ns, kernel ${expected} ns`)
    }
    const rate = customers / seconds
    if (engine === "SIM.JS") reference = rate
    return {
      model: model.name,
      engine,
      customersPerSecond: rate,
      eventsPerSecond: events === undefined ? undefined : events / seconds,
      latencySeconds: latency / S,
      ratio: rate / reference
    }
  })
}

/** Runs the benchmark. Throws if two engines disagree on the customers' mean latency. */
const kernel = (): Section => {
  const simJs = loadSimJs()
  const hold = [64, 1024, 32_768].map((pending) => {
    const { seconds, events } = best(
      () => holdModel(pending, 100_000),
      () => holdModel(pending, 3_000_000)
    )
    return { model: `hold ${pending}`, engine: "kernel", eventsPerSecond: events! / seconds }
  })
  return {
    name: "kernel",
    title: "Kernel of virtual time beside SIM.JS",
    columns: [
      { key: "model", title: "model" },
      { key: "engine", title: "engine" },
      { key: "customersPerSecond", title: "customers/s" },
      { key: "eventsPerSecond", title: "events/s" },
      { key: "ratio", title: "× SIM.JS", digits: 1 },
      { key: "latencySeconds", title: "mean latency", digits: 6 }
    ],
    rows: [...hold, ...compare(MM8, 300_000, simJs), ...compare(FOUR_RESOURCES, 60_000, simJs)],
    notes: [
      "The same customers for every engine, drawn beforehand; they must agree on the mean latency to one part in a million.",
      `Erlang C gives M/M/8 a mean latency of 1.635 service times; the draws of this run come near it. Best of ${RUNS}, wall clock.`,
      "Hold: so many events pending, each of which schedules another. Fibers: an Effect fiber for each customer."
    ]
  }
}

if (import.meta.main) console.log(JSON.stringify(kernel()))
