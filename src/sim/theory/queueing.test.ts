import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import type { Arrivals, Lengths, Scenario } from "../../scenario/resolved.ts"
import { readCatalog, readScenario } from "../scenarios.fixture.ts"
import { simulate } from "../simulate.ts"
import { erlangC, meanWait, scv } from "./queueing.ts"

const chat = readScenario("llama-8b-h100-chat.yaml", readCatalog())

/** One request at a time on one GPU: a queue with one server, whose service is prefill and decode of that request alone. */
const alone = (requests: number, arrivals: Arrivals, output: Lengths, seed = 1): Scenario => ({
  ...chat,
  seed,
  engine: { ...chat.engine, maxNumSeqs: 1, dataParallelSize: 1 },
  workload: {
    context: "prefill",
    kind: "synthetic",
    requests,
    arrivals,
    input: { kind: "fixed", tokens: 256 },
    output
  },
  methods: [{ name: "full-kv", method: { kind: "full-kv" } }],
  baseline: "full-kv",
  faults: { reloadFailure: 0, cancel: 0 }
})

const run = (scenario: Scenario) => {
  const exit = simulate(scenario, scenario.methods[0]!)
  if (Exit.isFailure(exit)) throw new Error("does not run")
  return exit.value.metrics
}

/** Seconds of service of a request with so many output tokens, with nobody else there. */
const service = (tokens: number): { readonly whole: number; readonly first: number } => {
  const { e2el, ttft } = run(alone(1, { kind: "poisson", rate: 1 }, { kind: "fixed", tokens }))
  return { whole: e2el.mean, first: ttft.mean }
}

describe("formulas", () => {
  it("Erlang's C: one server waits with probability ρ, and textbook figures for more", () => {
    expect(erlangC(1, 0.7)).toBeCloseTo(0.7, 12)
    // Two servers at offered load a: a²/(2 + a).
    expect(erlangC(2, 1)).toBeCloseTo(1 / 3, 12)
    expect(erlangC(2, 1.6)).toBeCloseTo(1.6 ** 2 / 3.6, 12)
  })

  it("M/M/1, M/D/1 and saturation", () => {
    const queue = { rate: 0.8, servers: 1, service: 1, arrivalScv: 1, serviceScv: 1 }
    expect(meanWait(queue)).toBeCloseTo(0.8 / 0.2, 12)
    expect(meanWait({ ...queue, serviceScv: 0 })).toBeCloseTo(0.8 / 0.4, 12)
    expect(meanWait({ ...queue, rate: 1 })).toBe(Number.POSITIVE_INFINITY)
    expect(scv([1, 3])).toBeCloseTo(0.25, 12)
  })
})

describe("an engine that serves one request at a time is M/G/1", () => {
  const REQUESTS = 20_000

  it.each([0.5, 0.8])("at load %d, with constant service, requests wait as in M/D/1", (load) => {
    const { whole, first } = service(128)
    const rate = load / whole
    const { ttft, requests } = run(alone(REQUESTS, { kind: "poisson", rate }, { kind: "fixed", tokens: 128 }))
    const expected = meanWait({ rate, servers: 1, service: whole, arrivalScv: 1, serviceScv: 0 })
    expect(requests.finished).toBe(REQUESTS)
    expect(Math.abs((ttft.mean - first) / expected - 1)).toBeLessThan(0.06)
  })

  it("with two lengths of service, as Pollaczek and Khinchine say", () => {
    const [short, long] = [service(32), service(512)]
    const times = [short.whole, long.whole]
    const mean = (short.whole + long.whole) / 2
    const rate = 0.7 / mean
    const output: Lengths = { kind: "empirical", values: [32, 512] }
    const { ttft } = run(alone(REQUESTS, { kind: "poisson", rate }, output))
    const expected = meanWait({ rate, servers: 1, service: mean, arrivalScv: 1, serviceScv: scv(times) })
    expect(Math.abs((ttft.mean - short.first) / expected - 1)).toBeLessThan(0.08)
  })
})
