/** Objectives watched while a run goes on: one that is missed whatever is still to come need not be waited for. */
import type { Objective } from "../scenario/resolved.ts"
import type { OnLatency } from "../sim/simulate.ts"
import { asNoted } from "../trace/histogram.ts"

/** Thrown out of a run as soon as it is lost. */
export class Missed extends Error {
  readonly objective: Objective

  constructor(objective: Objective) {
    super(`${objective.metric} of more requests than its percentile leaves is above ${objective.atMost} s`)
    this.objective = objective
  }
}

/**
 * Hears the latencies of a run of at most `requests` requests, ns, and throws `Missed` once enough of them are above what an
 * objective allows: fewer requests in the end would only make those more of a share. Percentiles are those of the metrics,
 * to the bucket. Gaps between tokens are not counted: how many there will be is not known.
 */
export const watchObjectives = (objectives: readonly Objective[], requests: number): OnLatency => {
  const watched = objectives.map((objective) => ({
    objective,
    above: 0,
    most: requests * (1 - objective.percentile / 100)
  }))
  return (_request, latency, ns) => {
    for (const one of watched) {
      const { objective, most } = one
      if (objective.metric !== latency || Math.min(ns, asNoted(ns)) * 1e-9 <= objective.atMost) continue
      one.above++
      if (one.above > most * (1 + Number.EPSILON * 8)) throw new Missed(objective)
    }
  }
}
