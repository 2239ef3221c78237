/** A share of a plan's workload: what one group of several gets. */
import type { Scenario, Workload } from "../../scenario/resolved.ts"
import type { Override } from "../override.ts"

/** Requests per second that arrive on average; undefined for clients in a closed loop, who come when they are served. */
export const offeredRate = (workload: Workload): number | undefined => {
  if (workload.kind === "trace") {
    const span = workload.requests.at(-1)?.arrival ?? 0
    return span > 0 ? (workload.requests.length - 1) / span : undefined
  }
  return workload.arrivals.kind === "closed" ? undefined : workload.arrivals.rate
}

/**
 * The workload with `load` of its arrivals, 1 being all: Poisson and gamma arrivals at that share of their rate, a closed loop
 * with that share of its clients, a trace with its gaps stretched so much. `requests`: how many in all.
 */
export const loadOverrides = (
  { workload }: Scenario,
  load: number,
  requests: number,
  /** What the file says of its rate, which the override replaces. */
  rateScale: number
): readonly Override[] => {
  const count: Override = { field: "workload.requests", value: requests }
  if (workload.kind === "trace")
    return [count, { field: "workload.trace.rate_scale", value: rateScale * load }]
  const { arrivals } = workload
  const value =
    arrivals.kind === "closed"
      ? { concurrency: Math.max(1, Math.round(arrivals.concurrency * load)) }
      : {
          ...(arrivals.kind === "gamma" ? { burstiness: arrivals.burstiness } : {}),
          rate: arrivals.rate * load
        }
  return [count, { field: "workload.arrivals", value }]
}

/** The smallest share that differs from none. */
export const leastLoad = ({ workload }: Scenario): number =>
  workload.kind === "synthetic" && workload.arrivals.kind === "closed" ? 1 / workload.arrivals.concurrency : 0
