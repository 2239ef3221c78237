/** Requests as a scenario describes them, one at a time: a million of them take no memory. */
import type { Arrivals, Workload } from "../../scenario/resolved.ts"
import { Random } from "../kernel/random.ts"
import { drawLength } from "./lengths.ts"

export interface GeneratedRequest {
  /** 0, 1, 2, … in order of arrival. */
  readonly id: number
  /** Integer ns from the start; 0 in a closed loop, where a request comes when another ends. */
  readonly arrival: number
  /** Prompt tokens. */
  readonly input: number
  /** Output tokens. */
  readonly output: number
  /** Prefix blocks, if the workload names them. */
  readonly blocks: readonly number[] | undefined
}

export interface WorkloadSource {
  /** Requests kept in flight; undefined for an open loop. */
  readonly concurrency: number | undefined
  readonly total: number
  /** The next request, undefined after the last. */
  readonly next: () => GeneratedRequest | undefined
}

/** Seconds to the next arrival. */
const drawGap = (arrivals: Arrivals, random: Random): number => {
  switch (arrivals.kind) {
    case "closed":
      return 0
    case "poisson":
      return random.exponential(1 / arrivals.rate)
    case "gamma":
      return random.gamma(arrivals.burstiness) / (arrivals.burstiness * arrivals.rate)
  }
}

const nanoseconds = (seconds: number): number => Math.round(seconds * 1e9)

/** The requests of a recorded trace, as they are and when they came. */
const replay = ({ requests }: Extract<Workload, { kind: "trace" }>): WorkloadSource => {
  let id = 0
  return {
    concurrency: undefined,
    total: requests.length,
    next: () => {
      const request = requests[id]
      if (request === undefined) return undefined
      const { arrival, input, output, blocks } = request
      return { id: id++, arrival: nanoseconds(arrival), input, output, blocks }
    }
  }
}

/** Drawn requests. Arrivals, inputs and outputs have a stream each, so that changing one leaves the others as they were. */
const generate = (workload: Extract<Workload, { kind: "synthetic" }>, seed: number): WorkloadSource => {
  const { arrivals, input, output, requests } = workload
  const streams = {
    arrivals: new Random(seed, "arrivals"),
    input: new Random(seed, "input"),
    output: new Random(seed, "output")
  }
  let id = 0
  let seconds = 0
  return {
    concurrency: arrivals.kind === "closed" ? arrivals.concurrency : undefined,
    total: requests,
    next: () => {
      if (id >= requests) return undefined
      seconds += drawGap(arrivals, streams.arrivals)
      return {
        id: id++,
        arrival: nanoseconds(seconds),
        input: drawLength(input, streams.input),
        output: drawLength(output, streams.output),
        blocks: undefined
      }
    }
  }
}

/** The requests of a workload, in order of arrival. A pure function of workload and seed. */
export const makeWorkload = (workload: Workload, seed: number): WorkloadSource =>
  workload.kind === "trace" ? replay(workload) : generate(workload, seed)
