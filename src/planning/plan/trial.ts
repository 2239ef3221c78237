/** Trying a candidate: its share of the workload simulated on one group, or all of it on all groups, and judged. */
import { Effect } from "effect"
import { type Objective, requestCount, type Scenario } from "../../scenario/resolved.ts"
import { workloadLengths } from "../../sim/theory/parameters.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import type { JudgedObjective } from "../objectives.ts"
import type { Override } from "../override.ts"
import { evaluate, type PointOptions, type PointOutcome, type PointRequest } from "../points.ts"
import type { Candidate, Plan } from "./load-plan.ts"
import { loadOverrides } from "./workload-share.ts"

/** What came of a simulation, against the objectives. */
export interface Trial {
  readonly met: boolean
  /** Absent where it could not be simulated, or not to its end. */
  readonly metrics?: RunMetrics
  readonly objectives: readonly JudgedObjective[]
  /** What makes the figures weaker evidence than others. */
  readonly caveats: readonly string[]
  /** What was missed, in words; why it could not be simulated. */
  readonly problems: readonly Problem[]
}

/** `objective`: of the plan; `keeps-up`: the queue grows; `lost`: requests were given up; `not-run`: it does not fit. */
export interface Problem {
  readonly kind: "objective" | "keeps-up" | "lost" | "not-run"
  readonly reason: string
}

/** Requests of a trial in which so many are in flight: enough that a queue shows, if there are as many in the workload. */
const BATCHES = 16
const FEWEST = 64
export const trialRequests = ({ scenario }: Candidate, batch: number): number =>
  Math.min(requestCount(scenario), Math.max(FEWEST, Math.ceil(BATCHES * batch)))

const chosen = ({ hardware, scenario: { engine } }: Candidate, groups: number): readonly Override[] => [
  { field: "hardware", value: hardware },
  { field: "engine.tensor_parallel_size", value: engine.tensorParallelSize },
  { field: "engine.data_parallel_size", value: groups },
  { field: "engine.max_num_seqs", value: engine.maxNumSeqs }
]

/** One group at a share of the workload. */
export const shareOf = (plan: Plan, candidate: Candidate, load: number, requests: number): PointRequest => ({
  overrides: [...chosen(candidate, 1), ...loadOverrides(candidate.scenario, load, requests, plan.rateScale)],
  method: candidate.method.name
})

/** All groups at all of it. */
export const wholeOf = (
  plan: Plan,
  candidate: Candidate,
  groups: number,
  requests: number,
  seed: number
): PointRequest => ({
  overrides: [
    ...chosen(candidate, groups),
    ...loadOverrides(candidate.scenario, 1, requests, plan.rateScale)
  ],
  method: candidate.method.name,
  seed
})

/** One group with one client who comes back when served: as fast as it can ever be. */
export const aloneOf = (candidate: Candidate, requests: number): PointRequest => {
  const { workload } = candidate.scenario
  const { input, output } = workloadLengths(candidate.scenario)
  return {
    overrides: [
      ...chosen(candidate, 1),
      ...(workload.kind === "trace"
        ? [
            {
              field: "workload",
              value: {
                context: workload.context,
                requests,
                arrivals: { concurrency: 1 },
                input: Math.round(input),
                output: Math.max(2, Math.round(output))
              }
            }
          ]
        : [
            { field: "workload.arrivals", value: { concurrency: 1 } },
            { field: "workload.requests", value: requests }
          ])
    ],
    method: candidate.method.name
  }
}

/**
 * Whether a queue grows without end is not to be seen in a short run; that requests wait longer for their first token than
 * they are served for afterwards, on average, is. It is asked where arrivals do not wait for anybody, and the objectives
 * of a trace, whose bursts may well wait that long, do not say it better.
 */
const asksToKeepUp = ({ workload, objectives }: Scenario): boolean =>
  workload.kind === "trace"
    ? !objectives.some(({ metric }) => metric === "ttft" || metric === "e2el")
    : workload.arrivals.kind !== "closed"

/** Requests that may be given up, of all: none but by chance. */
const LOST = 0.01

export const judgeOutcome = (scenario: Scenario, outcome: PointOutcome): Trial => {
  const problem = (kind: Problem["kind"], reason: string): Trial => ({
    met: false,
    objectives: [],
    caveats: [],
    problems: [{ kind, reason }]
  })
  if (outcome.kind === "missed") return problem("objective", metricWords(outcome.objective))
  if (outcome.kind !== "simulated") return problem("not-run", outcome.reason)
  const { metrics, objectives, caveats } = outcome
  const problems: Problem[] = objectives
    .filter(({ met }) => !met)
    .map((objective) => ({ kind: "objective", reason: metricWords(objective) }))
  const { ttft, e2el, requests } = metrics
  if (asksToKeepUp(scenario) && ttft.mean > e2el.mean - ttft.mean)
    problems.push({ kind: "keeps-up", reason: "requests arrive faster than they are served" })
  const lost = requests.timedOut + requests.failed
  if (lost > LOST * requests.arrived)
    problems.push({ kind: "lost", reason: `${lost} of ${requests.arrived} requests given up` })
  return { met: problems.length === 0, metrics, objectives, caveats, problems }
}

/** As `TTFT p95`. */
export const metricWords = ({ metric, percentile }: Objective): string =>
  `${metric.toUpperCase()} ${percentile === 100 ? "max" : `p${percentile}`}`

/** Simulates and judges points of candidates, all at once where there are cores for it. */
export const tryAll = Effect.fnUntraced(function* (
  plan: Plan,
  points: readonly { readonly candidate: Candidate; readonly point: PointRequest }[],
  options: PointOptions = {}
) {
  const outcomes = yield* evaluate(
    plan.base,
    points.map(({ point }) => point),
    options
  )
  return outcomes.map((outcome, i) => judgeOutcome(points[i]!.candidate.scenario, outcome))
})
