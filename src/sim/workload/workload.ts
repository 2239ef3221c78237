/** Requests as a scenario describes them, one at a time: a million of them take no memory. */
import type { Arrivals, Lengths, Workload } from "../../scenario/resolved.ts"
import { Random } from "../kernel/random.ts"

export interface GeneratedRequest {
  readonly id: number
  /** ns from the start; 0 in a closed loop, where a request comes when another ends. */
  readonly arrival: number
  readonly input: number
  readonly output: number
  /** Prefix blocks, if the workload names them. */
  readonly blocks: readonly number[] | undefined
}

export interface WorkloadSource {
  /** Requests kept in flight; undefined for an open loop. */
  readonly concurrency: number | undefined
  readonly total: number
  readonly next: () => GeneratedRequest | undefined
}

const lengthOf = (lengths: Lengths, random: Random): number => {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens
    case "uniform":
      return lengths.min + random.integer(lengths.max - lengths.min + 1)
    case "lognormal":
      return Math.round(Math.min(lengths.max, Math.max(lengths.min, random.lognormal(lengths.median, lengths.sigma))))
    case "empirical":
      return lengths.values[random.integer(lengths.values.length)]!
  }
}

/** Seconds to the next arrival. */
const gapOf = (arrivals: Arrivals, random: Random): number => {
  switch (arrivals.kind) {
    case "closed":
      return 0
    case "poisson":
      return random.exponential(1 / arrivals.rate)
    case "gamma":
      return random.gamma(arrivals.burstiness) / (arrivals.burstiness * arrivals.rate)
  }
}

/** Mean of a length distribution, tokens. Clamping of a lognormal is left out of it. */
export const meanLength = (lengths: Lengths): number => {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens
    case "uniform":
      return (lengths.min + lengths.max) / 2
    case "lognormal":
      return Math.min(lengths.max, Math.max(lengths.min, lengths.median * Math.exp(lengths.sigma ** 2 / 2)))
    case "empirical":
      return lengths.values.reduce((sum, value) => sum + value, 0) / lengths.values.length
  }
}

/** The requests of a workload, in order of arrival. Arrivals, inputs and outputs draw from streams of their own. */
export const makeWorkload = (workload: Workload, seed: number): WorkloadSource => {
  let id = 0
  if (workload.kind === "trace") {
    const { requests } = workload
    return {
      concurrency: undefined,
      total: requests.length,
      next: () => {
        const request = requests[id]
        if (request === undefined) return undefined
        return { id: id++, arrival: Math.round(request.arrival * 1e9), input: request.input, output: request.output, blocks: request.blocks }
      }
    }
  }
  const { arrivals, input, output, requests } = workload
  const streams = { arrivals: new Random(seed, "arrivals"), input: new Random(seed, "input"), output: new Random(seed, "output") }
  let seconds = 0
  return {
    concurrency: arrivals.kind === "closed" ? arrivals.concurrency : undefined,
    total: requests,
    next: () => {
      if (id >= requests) return undefined
      seconds += gapOf(arrivals, streams.arrivals)
      return {
        id: id++,
        arrival: Math.round(seconds * 1e9),
        input: lengthOf(input, streams.input),
        output: lengthOf(output, streams.output),
        blocks: undefined
      }
    }
  }
}
