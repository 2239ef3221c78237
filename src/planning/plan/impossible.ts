/** Why nothing meets the objectives: which of them binds, by how much, and what is the best there could be. */
import { Effect } from "effect"
import type { ScenarioInvalid } from "../../scenario/document.ts"
import type { Objective } from "../../scenario/resolved.ts"
import { QUANTILES } from "../objectives.ts"
import { type Floor, requestFloor } from "./bounds.ts"
import type { Candidate, Plan } from "./load-plan.ts"
import type { PointRunner } from "../points.ts"
import type { Row } from "./make-plan.ts"
import { aloneOf, tryAll } from "./trial.ts"
import { Infeasible, servingSetup } from "../../sim/setup.ts"

export type Impossible =
  /** Missed by every candidate, even by a request that has a group for itself. */
  | {
      readonly kind: "objective"
      readonly objective: Objective
      /** Seconds: the best there is, simulated with one request at a time, and where. */
      readonly best: number
      readonly candidate: Candidate
      readonly floor: Floor
    }
  /** Each objective can be met, but no candidate meets all of them. */
  | {
      readonly kind: "together"
      readonly candidate: Candidate
      readonly missed: readonly { readonly objective: Objective; readonly value: number }[]
    }
  /** They can be met, with more GPUs than there are. */
  | { readonly kind: "gpus"; readonly needed: number; readonly row: Row }
  /** Nothing fits any of the hardware; the nearest miss. */
  | { readonly kind: "memory"; readonly reason: string }
  /** Found, but not confirmed by simulating the whole. */
  | { readonly kind: "unverified"; readonly row: Row }

/** Requests that a candidate serves alone: enough for a percentile of something that hardly varies. */
const REQUESTS = 12

/** Candidates worth asking: of each method on each hardware and size the one with the smallest batch limit, that fits. */
const representatives = (plan: Plan): readonly Candidate[] => {
  const seen = new Map<string, Candidate>()
  for (const candidate of plan.candidates) {
    const { hardware, engine } = candidate.scenario
    const key = JSON.stringify([hardware.name, engine.tensorParallelSize, candidate.method.name])
    if (!seen.has(key)) seen.set(key, candidate)
  }
  return [...seen.values()]
}

const fits = ({ scenario, method }: Candidate): Infeasible | undefined => {
  const setup = servingSetup(scenario, method.name, method.method)
  return setup instanceof Infeasible ? setup : undefined
}

/** So many of the fastest by theory are simulated. */
const SHORTLIST = 8

export const findImpossible = Effect.fnUntraced(function* (
  plan: Plan,
  rows: readonly Row[]
): Effect.fn.Return<readonly Impossible[], ScenarioInvalid, PointRunner> {
  const [row] = rows
  if (row?.best !== undefined) {
    const needed = Math.min(
      ...rows.flatMap(({ best }) =>
        best === undefined ? [] : [best.count * best.option.candidate.scenario.engine.tensorParallelSize]
      )
    )
    return [needed > plan.maxGpus ? { kind: "gpus", needed, row } : { kind: "unverified", row }]
  }
  const all = representatives(plan)
  const fitting = all.filter((candidate) => fits(candidate) === undefined)
  if (fitting.length === 0) {
    const nearest = all
      .map((candidate) => fits(candidate)!)
      .toSorted((a, b) => a.needed / a.available - b.needed / b.available)[0]!
    return [{ kind: "memory", reason: nearest.message }]
  }
  const fastest = fitting
    .map((candidate) => ({ candidate, floor: requestFloor(candidate.scenario, candidate.method.method) }))
    .toSorted((a, b) => a.floor.ttft - b.floor.ttft || a.floor.tpot - b.floor.tpot)
  const byTpot = fastest.toSorted((a, b) => a.floor.tpot - b.floor.tpot)
  const shortlist = [...new Set([...fastest.slice(0, SHORTLIST), ...byTpot.slice(0, SHORTLIST)])]
  const trials = yield* tryAll(
    plan,
    shortlist.map(({ candidate }) => ({ candidate, point: aloneOf(candidate, REQUESTS) }))
  )
  const seen = shortlist.flatMap(({ candidate, floor }, i) => {
    const { metrics } = trials[i]!
    if (metrics === undefined) return []
    const value = ({ metric, percentile }: Objective): number => metrics[metric][QUANTILES[percentile]]
    return [{ candidate, floor, value }]
  })
  const objectives = plan.scenario.objectives.flatMap((objective): Impossible[] => {
    const best = seen.toSorted((a, b) => a.value(objective) - b.value(objective))[0]
    if (best === undefined || best.value(objective) <= objective.atMost) return []
    const { candidate, floor, value } = best
    return [{ kind: "objective", objective, best: value(objective), candidate, floor }]
  })
  if (objectives.length > 0) return objectives
  const excess = (one: (typeof seen)[number]): number =>
    Math.max(...plan.scenario.objectives.map((objective) => one.value(objective) / objective.atMost))
  const nearest = seen.toSorted((a, b) => excess(a) - excess(b))[0]!
  const missed = plan.scenario.objectives
    .map((objective) => ({ objective, value: nearest.value(objective) }))
    .filter(({ objective, value }) => value > objective.atMost)
  return [{ kind: "together", candidate: nearest.candidate, missed }]
})
