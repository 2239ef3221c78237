/** The kernel against closed forms of queueing theory. Fixed seeds; tolerances of several standard errors. */
import { describe, expect, it } from "vitest"
import { FluidNetwork } from "./fluid.ts"
import { Kernel } from "./kernel.ts"
import { Random } from "./random.ts"

const S = 1e9

/** An M/M/c station: mean wait in the queue and time-average number waiting or served, seconds and customers. */
const station = (servers: number, arrival: number, service: number, customers: number) => {
  const kernel = new Kernel()
  const arrivals = new Random(7, "arrivals")
  const services = new Random(7, "services")
  const queue: number[] = []
  let [busy, waited, sojourn, area, inside, since, arrived] = [0, 0, 0, 0, 0, 0, 0]
  const started = new Map<number, number>()
  const count = (change: number): void => {
    area += inside * (kernel.now - since)
    since = kernel.now
    inside += change
  }
  const serve = (came: number): void => {
    busy++
    waited += kernel.now - came
    const id = kernel.at(kernel.now + services.exponential(S / service), server, 1, came)
    started.set(id, came)
  }
  const server = kernel.add({
    receive: (code, came) => {
      if (code === 1) {
        busy--
        sojourn += kernel.now - came
        count(-1)
        const next = queue.shift()
        if (next !== undefined) serve(next)
        return
      }
      count(1)
      if (++arrived < customers) kernel.at(kernel.now + arrivals.exponential(S / arrival), server, 0, 0)
      if (busy < servers) serve(kernel.now)
      else queue.push(kernel.now)
    }
  })
  kernel.at(0, server, 0, 0)
  kernel.run()
  return {
    wait: waited / customers / S,
    sojourn: sojourn / customers / S,
    inside: area / kernel.now,
    rate: (customers * S) / kernel.now
  }
}

/** Erlang C: mean wait of M/M/c, seconds. */
const erlangC = (servers: number, arrival: number, service: number): number => {
  const load = arrival / service
  let term = 1
  let sum = 1
  for (let k = 1; k < servers; k++) {
    term *= load / k
    sum += term
  }
  const last = ((term * load) / servers) * (servers / (servers - load))
  return last / (sum + last) / (servers * service - arrival)
}

describe("queues on the kernel", () => {
  it.each([
    { servers: 1, arrival: 0.5 },
    { servers: 1, arrival: 0.8 },
    { servers: 4, arrival: 3 },
    { servers: 8, arrival: 7 }
  ])("M/M/$servers at $arrival arrivals per second waits as Erlang says", ({ servers, arrival }) => {
    const { wait } = station(servers, arrival, 1, 200_000)
    expect(Math.abs(wait / erlangC(servers, arrival, 1) - 1)).toBeLessThan(0.06)
  })

  it("obey Little's law", () => {
    const { inside, rate, sojourn } = station(3, 2.4, 1, 100_000)
    expect(Math.abs(inside / (rate * sojourn) - 1)).toBeLessThan(1e-9)
  })

  it("processor sharing on the fluid network: M/G/1-PS stays E[S]/(1 − ρ), whatever the distribution", () => {
    const kernel = new Kernel()
    const network = new FluidNetwork(kernel)
    const link = network.resource(1e9)
    const arrivals = new Random(3, "arrivals")
    const sizes = new Random(3, "sizes")
    const customers = 60_000
    let [sojourn, arrived] = [0, 0]
    const reactor = kernel.add({
      receive: () => {
        const came = kernel.now
        // Two sizes, 0.1 ms and 1.9 ms of work, mean 1 ms; load 0.6.
        const bytes = sizes.uniform() < 0.5 ? 1e5 : 1.9e6
        network.open([link], bytes, Number.POSITIVE_INFINITY, () => {
          sojourn += kernel.now - came
        })
        if (++arrived < customers) kernel.at(kernel.now + arrivals.exponential(1e6 / 0.6), reactor, 0, 0)
      }
    })
    kernel.at(0, reactor, 0, 0)
    kernel.run()
    expect(Math.abs(sojourn / customers / (1e6 / 0.4) - 1)).toBeLessThan(0.05)
  })
})
