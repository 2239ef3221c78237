/** Objectives of a scenario against what a run came to. */
import type { Objective } from "../scenario/resolved.ts"
import type { RunMetrics } from "../trace/metrics.ts"

/** Names of the percentiles that objectives may have. */
export const QUANTILES = { 50: "p50", 90: "p90", 95: "p95", 99: "p99", 100: "max" } as const

/** An objective and what was reached, seconds. */
export interface JudgedObjective extends Objective {
  readonly value: number
  readonly met: boolean
}

/** Every objective, met or not. A run that served nobody meets none. */
export const judge = (objectives: readonly Objective[], metrics: RunMetrics): readonly JudgedObjective[] =>
  objectives.map((objective) => {
    const value = metrics[objective.metric][QUANTILES[objective.percentile]]
    return { ...objective, value, met: metrics.requests.finished > 0 && value <= objective.atMost }
  })

/** As `ttft p99 2.31 s, at most 1 s`. */
export const inWords = ({ metric, percentile, atMost, value }: JudgedObjective): string =>
  `${metric} ${QUANTILES[percentile]} ${Number(value.toPrecision(3))} s, at most ${atMost} s`
