/**
 * Replays a recorded trace whole at rising rates: nothing is lost, memory stays flat, and requests wait about as Allen and
 * Cunneen's approximation of G/G/k says of the same arrivals and the same times of service:
 *   node scripts/validate-traces.ts SCENARIO.yaml [SLOTS [RATES]]
 * The scenario's workload is a trace. SLOTS: requests the engine serves at once (default 64), the k of the approximation. RATES: how many times as
 * fast, with commas between. Every rate runs twice: as recorded, and with the same requests, shuffled, as a Poisson
 * process. Slots slow each other down, so service is taken at saturation, from a run at 20 times the rate.
 */
import { Exit, Result } from "effect"
import { readFileSync } from "node:fs"
import { loadScenario } from "../src/scenario/load.ts"
import type { Scenario } from "../src/scenario/resolved.ts"
import { readCatalog } from "../src/sim/scenarios.fixture.ts"
import { simulate } from "../src/sim/simulate.ts"
import { hashUniform, Random } from "../src/sim/kernel/random.ts"
import { meanWait, scv } from "../src/sim/theory/queueing.ts"
import { TraceStore } from "../src/trace/store.ts"
import { writeTrace } from "../src/trace/jsonl.ts"

const [file, slots = "64", scales = "1,2,2.5,3,3.25,3.5,4"] = process.argv.slice(2)
if (file === undefined) throw new Error("usage: validate-traces.ts SCENARIO.yaml [SLOTS]")
const read = (path: string): Uint8Array | undefined => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
const loaded = loadScenario(file, read, readCatalog())
if (Result.isFailure(loaded)) throw new Error(loaded.failure.message)
const base = loaded.success
const { workload } = base
if (workload.kind !== "trace") throw new Error(`${file}: expected a trace`)
const servers = Number(slots)

const shuffled = workload.requests
  .map((one, i) => ({ one, place: hashUniform(1, i, 0, 0) }))
  .toSorted((a, b) => a.place - b.place)
  .map(({ one }) => one)

/** The trace so many times as fast; or its requests, shuffled, as a Poisson process of the same mean rate. */
const at = (scale: number, poisson: boolean): Scenario => {
  const random = new Random(1, "arrivals")
  const gap = workload.requests.at(-1)!.arrival / workload.requests.length / scale
  let now = 0
  return {
    ...base,
    engine: { ...base.engine, maxNumSeqs: servers },
    workload: {
      ...workload,
      requests: (poisson ? shuffled : workload.requests).map((one) => {
        now += random.exponential(gap)
        return { ...one, arrival: poisson ? now : one.arrival / scale }
      })
    }
  }
}

const megabytes = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 1e6
}

/** When requests left the queue and ended, seconds, by request. */
const watched = (scenario: Scenario) => {
  const store = new TraceStore(
    { name: "", scenario: "", method: "", seed: 1, clock: "virtual", basis: "modelled", clockOffset: 0 },
    { limit: 2e7 }
  )
  simulate(scenario, scenario.methods[0]!, { recorder: store })
  const admitted = new Map<number, number>()
  const ended = new Map<number, number>()
  for (const line of [...writeTrace(store)].join("").split("\n")) {
    if (line.startsWith('{"instant":"admit"')) {
      const { request, at: when } = JSON.parse(line) as { request: number; at: number }
      if (!admitted.has(request)) admitted.set(request, when * 1e-9)
    } else if (line.startsWith('{"instant":"finish"')) {
      const { request, at: when } = JSON.parse(line) as { request: number; at: number }
      ended.set(request, when * 1e-9)
    }
  }
  return { admitted, ended }
}

/** Waits and times of service of all requests, seconds. */
const timesOf = (scenario: Scenario) => {
  const { admitted, ended } = watched(scenario)
  const sent = scenario.workload.kind === "trace" ? scenario.workload.requests : []
  return sent.map((one, i) => ({
    wait: admitted.get(i)! - one.arrival,
    service: ended.get(i)! - admitted.get(i)!
  }))
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

const full = timesOf(at(20, true)).map((one) => one.service)
const saturated = { service: mean(full), serviceScv: scv(full) }
const arrivals = workload.requests.map((one) => one.arrival)
const gaps = arrivals.slice(1).map((time, i) => time - arrivals[i]!)
const span = arrivals.at(-1)!
console.log(
  `${workload.requests.length} requests in ${span.toFixed(0)} s, gaps with squared variation ${scv(gaps).toFixed(2)}; ${servers} at once`
)
for (const scale of scales.split(",").map(Number))
  for (const poisson of [false, true]) {
    const scenario = at(scale, poisson)
    const heaps: number[] = []
    const quarter = Math.floor(workload.requests.length / 4)
    const exit = simulate(scenario, scenario.methods[0]!, {
      onProgress: (ended) => {
        if (ended % quarter === 0 && heaps.length < 4) heaps.push(megabytes())
      }
    })
    if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
    const { metrics } = exit.value
    const times = timesOf(scenario)
    const rate = (workload.requests.length / span) * scale
    const queue = { ...saturated, rate, servers, arrivalScv: poisson ? 1 : scv(gaps) }
    const lost = metrics.requests.arrived - metrics.requests.finished
    console.log(
      `x${scale}${poisson ? " Poisson" : ""}: load ${((rate * saturated.service) / servers).toFixed(2)}, service ${mean(times.map((one) => one.service)).toFixed(2)} s, ` +
        `mean wait ${mean(times.map((one) => one.wait)).toFixed(3)} s, Allen–Cunneen ${meanWait(queue).toFixed(3)} s; ` +
        `TTFT p99 ${metrics.ttft.p99.toFixed(2)} s; lost ${lost}; preempted ${metrics.events.preemptions}; heap ${heaps.map((one) => one.toFixed(0)).join(" → ")} MB`
    )
  }
