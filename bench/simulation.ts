/**
 * Simulations measured in a process of their own: CPU time around `simulate` alone, of all threads (the compiler's and the
 * garbage collector's too), after as many unmeasured runs as asked for. `node bench/simulation.ts JOB`, a job as JSON.
 */
import { join } from "node:path"
import { Cause, Effect, Exit } from "effect"
import { packageRoot, readScenario } from "../src/cli/files.ts"
import type { Engine, Scenario } from "../src/scenario/resolved.ts"
import { simulate } from "../src/sim/simulate.ts"
import { inChild } from "./child.ts"

export interface Job {
  /** File in the scenarios folder. */
  readonly scenario: string
  readonly method: string
  readonly requests: number
  /** Runs before the first measured one, for the compiler. */
  readonly warmUp: number
  readonly runs: number
  /** Settings in place of the scenario's. */
  readonly engine?: Partial<Engine>
  /** Closed loop of so many clients in place of the scenario's arrivals. */
  readonly concurrency?: number
  /** Bytes of HBM a GPU and of the host in place of the hardware's, for batches no real one holds. */
  readonly memory?: number
  /** Host link, bytes/s a GPU, in place of the hardware's. */
  readonly link?: number
  /** Collect garbage ten times on the way and look at what is left. */
  readonly liveHeap?: boolean
}

export interface Measured {
  /** CPU seconds of each measured run. */
  readonly cpu: readonly number[]
  /** CPU seconds of the whole process, Node's start and the reading of the scenario included. */
  readonly processCpu: number
  /** The most resident memory the process ever had, bytes. */
  readonly peakRss: number
  /** Bytes alive after a collection when a tenth, two tenths, … of the requests had ended. */
  readonly liveHeap: readonly number[]
  /** What each run simulated; the same in all of them. */
  readonly requests: number
  readonly outputTokens: number
  readonly passes: number
  readonly rounds: number
  /** Mean tokens drafted per pass: how many requests really drafted at once. */
  readonly drafting: number
  readonly preemptions: number
  readonly peakBatch: number
  readonly simulatedSeconds: number
}

/** Runs a job in a fresh process. */
export const measure = (job: Job): Promise<Measured> =>
  inChild("simulation.ts", [JSON.stringify(job)], job.liveHeap === true ? ["--expose-gc"] : [])

const changed = (scenario: Scenario, job: Job): Scenario => {
  const { workload, hardware } = scenario
  if (workload.kind !== "synthetic") throw new Error(`${job.scenario} replays a trace`)
  const memory = job.memory
  return {
    ...scenario,
    engine: { ...scenario.engine, ...job.engine },
    hardware: {
      ...hardware,
      hbm: { ...hardware.hbm, capacity: memory ?? hardware.hbm.capacity },
      host: { ...hardware.host, capacity: memory ?? hardware.host.capacity },
      link: {
        ...hardware.link,
        hostToDevice: job.link ?? hardware.link.hostToDevice,
        deviceToHost: job.link ?? hardware.link.deviceToHost
      }
    },
    workload: {
      ...workload,
      requests: job.requests,
      arrivals:
        job.concurrency === undefined ? workload.arrivals : { kind: "closed", concurrency: job.concurrency }
    }
  }
}

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) * 1e-6

const perform = (job: Job): Measured => {
  const file = join(packageRoot(), "scenarios", job.scenario)
  const scenario = changed(Effect.runSync(readScenario(file)), job)
  const method = scenario.methods.find(({ name }) => name === job.method)
  if (method === undefined) throw new Error(`${job.scenario} has no method ${job.method}`)
  const liveHeap: number[] = []
  const tenth = Math.ceil(job.requests / 10)
  const onProgress = (ended: number): void => {
    if (ended % tenth !== 0 || globalThis.gc === undefined) return
    globalThis.gc()
    liveHeap.push(process.memoryUsage().heapUsed)
  }
  const options = job.liveHeap === true ? { onProgress } : {}
  const once = () => {
    const exit = simulate(scenario, method, options)
    if (Exit.isFailure(exit)) throw new Error(Cause.pretty(exit.cause))
    return exit.value.metrics
  }
  for (let i = 0; i < job.warmUp; i++) once()
  const cpu: number[] = []
  let metrics
  for (let i = 0; i < job.runs; i++) {
    const start = process.cpuUsage()
    metrics = once()
    cpu.push(seconds(process.cpuUsage(start)))
  }
  if (metrics === undefined) throw new Error("a job without runs")
  return {
    cpu,
    processCpu: seconds(process.cpuUsage()),
    peakRss: process.resourceUsage().maxRSS * 1024,
    liveHeap,
    requests: metrics.requests.finished,
    outputTokens: metrics.outputTokens,
    passes: metrics.events.iterations,
    rounds: metrics.rounds.count,
    drafting: metrics.rounds.drafted / metrics.events.iterations,
    preemptions: metrics.events.preemptions,
    peakBatch: metrics.peak.batch,
    simulatedSeconds: metrics.duration
  }
}

if (import.meta.main) console.log(JSON.stringify(perform(JSON.parse(process.argv[2]!) as Job)))
