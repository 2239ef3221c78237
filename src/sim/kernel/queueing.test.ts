/**
 * The kernel and the fluid network against closed forms of queueing theory. Seeds are fixed; the tolerance is four standard
 * errors, estimated from the means of batches, and the error itself must be small enough for the test to say something.
 */
import { describe, expect, it } from "vitest"
import { FluidNetwork } from "./fluid.ts"
import { Kernel } from "./kernel.ts"
import { Random } from "./random.ts"

const S = 1e9
const BATCHES = 20

/** Means of successive customers, the first batch left out: the station starts empty. */
class Batches {
  readonly #sums = Array.from({ length: BATCHES }, () => 0)
  readonly #size: number
  #count = 0

  constructor(customers: number) {
    this.#size = customers / BATCHES
  }

  add(value: number): void {
    this.#sums[Math.floor(this.#count++ / this.#size)]! += value / this.#size
  }

  get mean(): number {
    return this.#sums.slice(1).reduce((sum, x) => sum + x, 0) / (BATCHES - 1)
  }

  get standardError(): number {
    const { mean } = this
    const squares = this.#sums.slice(1).reduce((sum, x) => sum + (x - mean) ** 2, 0)
    return Math.sqrt(squares / (BATCHES - 2) / (BATCHES - 1))
  }
}

/** The measured mean is the theoretical one, as far as `precision` of it can be told apart. */
const expectMean = (measured: Batches, theory: number, precision: number): void => {
  expect(measured.standardError / theory).toBeLessThan(precision / 4)
  expect(Math.abs(measured.mean - theory)).toBeLessThan(4 * measured.standardError)
}

/** Customers that come one after another, `rate` a second, on average. */
const arrivalsAt = (kernel: Kernel, rate: number, customers: number, arrive: () => void): void => {
  const random = new Random(7, "arrivals")
  let arrived = 0
  const reactor = kernel.add({
    receive: () => {
      arrive()
      if (++arrived < customers) kernel.at(kernel.now + random.exponential(S / rate), reactor, 0, 0)
    }
  })
  kernel.at(0, reactor, 0, 0)
}

/** An M/M/c station with service rate 1: waits in the queue, s; with what Little's law needs. */
const station = (servers: number, arrival: number, customers: number) => {
  const kernel = new Kernel()
  const services = new Random(7, "services")
  const queue: number[] = []
  const waits = new Batches(customers)
  let [busy, sojourn, area, inside, since] = [0, 0, 0, 0, 0]
  const count = (change: number): void => {
    area += inside * (kernel.now - since)
    since = kernel.now
    inside += change
  }
  const serve = (came: number): void => {
    busy++
    waits.add((kernel.now - came) / S)
    kernel.at(kernel.now + services.exponential(S), server, 0, came)
  }
  const server = kernel.add({
    receive: (_code, came) => {
      busy--
      sojourn += kernel.now - came
      count(-1)
      const next = queue.shift()
      if (next !== undefined) serve(next)
    }
  })
  arrivalsAt(kernel, arrival, customers, () => {
    count(1)
    if (busy < servers) serve(kernel.now)
    else queue.push(kernel.now)
  })
  kernel.run()
  return { waits, inside: area / kernel.now, rate: customers / kernel.now, sojourn: sojourn / customers }
}

/** Erlang C: mean wait of M/M/c with service rate 1, seconds. */
const erlangC = (servers: number, arrival: number): number => {
  let term = 1
  let sum = 1
  for (let k = 1; k < servers; k++) {
    term *= arrival / k
    sum += term
  }
  const last = (term * arrival) / (servers - arrival)
  return last / (sum + last) / (servers - arrival)
}

it("Erlang's formula is ρ/(1 − ρ) for one server", () => {
  expect(erlangC(1, 0.8)).toBeCloseTo(4, 12)
  // Two servers: ρ²/(1 − ρ²) with ρ = λ/2.
  expect(erlangC(2, 1)).toBeCloseTo(0.25 / 0.75, 12)
})

describe("queues on the kernel", () => {
  it.each([
    { servers: 1, arrival: 0.5, precision: 0.1 },
    { servers: 1, arrival: 0.8, precision: 0.2 },
    { servers: 4, arrival: 3, precision: 0.2 },
    { servers: 8, arrival: 7, precision: 0.25 }
  ])("M/M/$servers at $arrival arrivals a second waits as Erlang says", ({ servers, arrival, precision }) => {
    expectMean(station(servers, arrival, 200_000).waits, erlangC(servers, arrival), precision)
  })

  it("obey Little's law", () => {
    const { inside, rate, sojourn } = station(3, 2.4, 100_000)
    expect(Math.abs(inside / (rate * sojourn) - 1)).toBeLessThan(1e-9)
  })
})

describe("processor sharing on the fluid network", () => {
  // Service requirements of mean 1 s at full rate. M/G/1-PS: the mean sojourn E[S]/(1 − ρ) whatever the distribution.
  it.each([
    { name: "equal", draw: () => 1 },
    { name: "exponential", draw: (random: Random) => random.exponential(1) },
    { name: "two-point", draw: (random: Random) => (random.uniform() < 0.5 ? 0.1 : 1.9) }
  ])("M/G/1-PS with $name work stays E[S]/(1 − ρ)", ({ draw }) => {
    const kernel = new Kernel()
    const network = new FluidNetwork(kernel)
    const link = network.resource(S)
    const work = new Random(3, "work")
    const customers = 40_000
    const sojourns = new Batches(customers)
    arrivalsAt(kernel, 0.6, customers, () => {
      const came = kernel.now
      network.open([link], draw(work) * S, Number.POSITIVE_INFINITY, () =>
        sojourns.add((kernel.now - came) / S)
      )
    })
    kernel.run()
    expectMean(sojourns, 1 / (1 - 0.6), 0.1)
  })
})
