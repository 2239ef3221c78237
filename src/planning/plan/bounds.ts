/**
 * What no simulation of a candidate will beat by more than chance: the closed forms of `src/sim/theory`, which know no queue,
 * no launch and no ragged end. They say in microseconds what need not be simulated.
 */
import { attentionParameters, kvShape, mlpParameters, weightBytes } from "../../scenario/model-shape.ts"
import type { Method, Objective, Scenario } from "../../scenario/resolved.ts"
import { Infeasible, servingSetup } from "../../sim/setup.ts"
import { plainState, workloadLengths } from "../../sim/theory/parameters.ts"
import { predict, type Prediction } from "../../sim/theory/predict.ts"
import type { Candidate } from "./load-plan.ts"
import { offeredRate } from "./workload-share.ts"

/** Simulations may be so much above theory in throughput: few requests, and luck in their acceptance. */
const LUCK = 1.1
/** A percentile of TPOT may be so much below what theory says of the mean. */
const SPREAD = 1.25

export type Bound =
  /** The model or a request does not fit. */
  | { readonly kind: "memory"; readonly reason: string }
  /** Even one request alone takes longer than an objective allows. */
  | { readonly kind: "objective"; readonly objective: Objective; readonly atLeast: number }
  /** One group takes at most this share of the workload; Infinity: theory knows no bound. */
  | {
      readonly kind: "load"
      readonly load: number
      /** Requests at once at that load. */
      readonly batch: number
      /** Requests that fit at once, whatever the objectives. */
      readonly fits: number
    }

const withBatch = (scenario: Scenario, maxNumSeqs: number): Scenario => ({
  ...scenario,
  engine: { ...scenario.engine, maxNumSeqs },
  // Theory of the whole batch: whatever is there is served.
  workload: saturated(scenario.workload, maxNumSeqs)
})

const saturated = (workload: Scenario["workload"], concurrency: number): Scenario["workload"] =>
  workload.kind === "trace" ? workload : { ...workload, arrivals: { kind: "closed", concurrency } }

/** Seconds per output token of a request in the steady state. */
const tpotOf = ({ batch, throughput }: Prediction): number =>
  throughput > 0 ? batch / throughput : Number.POSITIVE_INFINITY

/** FLOPs of one token of a prompt in the linear layers. */
const flopsPerToken = ({ model }: Scenario): number =>
  model.layers.reduce(
    (sum, { count, attention, mlp }) =>
      sum +
      2 * count * (attentionParameters(attention, model.hidden) + mlpParameters(mlp, model.hidden).active),
    0
  )

/** Peak FLOP/s of a group at the width of the weights. */
const peakFlops = ({ hardware, model, engine }: Scenario): number => {
  const bits = model.weightBytesPerParam * 8
  const { flops } = hardware
  return (
    (bits <= 4 ? (flops[4] ?? flops[16]) : bits <= 8 ? (flops[8] ?? flops[16]) : flops[16]) *
    engine.tensorParallelSize
  )
}

/** Methods that have the whole KV in HBM: all of a prompt's comes over the link once. */
const KEEPS_ALL: ReadonlySet<Method["kind"]> = new Set(["full-kv", "drafter", "sparse"])

/** Requests per second of one group before it decodes anything: prompts computed, or their KV fetched. */
const intake = (scenario: Scenario, method: Method): number => {
  const { input } = workloadLengths(scenario)
  if (scenario.workload.context === "prefill") return peakFlops(scenario) / (flopsPerToken(scenario) * input)
  const { kv, linkBandwidth } = plainState(scenario)
  // Where a drafting method reloads, theory has counted that.
  return KEEPS_ALL.has(method.kind)
    ? linkBandwidth / Math.max(1, kvOf(scenario, input, kv))
    : Number.POSITIVE_INFINITY
}

/** KV bytes of a prompt; at most those of the average context. */
const kvOf = ({ model }: Scenario, tokens: number, most: number): number => {
  const { globalBytesPerToken } = kvShape(model)
  return Math.min(most, globalBytesPerToken * tokens)
}

/** The largest batch, up to `limit`, at which theory keeps TPOT within `most`; 0 if not even one request does. */
const batchWithin = (scenario: Scenario, method: Method, limit: number, most: number): number => {
  const fits = (batch: number): boolean => tpotOf(predict(withBatch(scenario, batch), method)) <= most
  if (fits(limit)) return limit
  if (!fits(1)) return 0
  let [yes, no] = [1, limit]
  while (no - yes > 1) {
    const middle = (yes + no) >> 1
    if (fits(middle)) yes = middle
    else no = middle
  }
  return yes
}

/** The strictest limit on TPOT there is, seconds. */
const tpotObjective = (objectives: readonly Objective[]): Objective | undefined =>
  objectives.filter(({ metric }) => metric === "tpot").toSorted((a, b) => a.atMost - b.atMost)[0]

/** What theory says of a candidate. */
export const boundOf = ({ scenario, method: { name, method } }: Candidate): Bound => {
  const setup = servingSetup(scenario, name, method)
  if (setup instanceof Infeasible) return { kind: "memory", reason: setup.message }
  const { output } = workloadLengths(scenario)
  const floor = requestFloor(scenario, method)
  const objective = tpotObjective(scenario.objectives)
  if (objective !== undefined && floor.tpot > objective.atMost * SPREAD)
    return { kind: "objective", objective, atLeast: floor.tpot }
  const whole = scenario.objectives.find(({ metric }) => metric === "e2el")
  const least = floor.ttft + floor.tpot * Math.max(0, output - 1)
  // A percentile below the mean is another matter where lengths differ.
  if (whole !== undefined && whole.percentile >= 90 && least > whole.atMost * SPREAD)
    return { kind: "objective", objective: whole, atLeast: least }
  const most = objective === undefined ? Number.POSITIVE_INFINITY : objective.atMost * SPREAD
  const batch = batchWithin(scenario, method, scenario.engine.maxNumSeqs, most)
  if (batch === 0) return { kind: "memory", reason: `${name}: not one request fits` }
  const prediction = predict(withBatch(scenario, batch), method)
  const rate = offeredRate(scenario.workload)
  const load =
    rate === undefined
      ? Number.POSITIVE_INFINITY
      : (Math.min(prediction.throughput / output, intake(scenario, method)) * LUCK) / rate
  const fits = predict(withBatch(scenario, scenario.engine.maxNumSeqs), method).batch
  return { kind: "load", load, batch: prediction.batch, fits }
}

/** Least seconds that one request alone can take: to its first token where its prompt is computed, and per further token. */
export interface Floor {
  readonly ttft: number
  readonly tpot: number
  /** Of which reading the weights once, per token. */
  readonly weights: number
}

export const requestFloor = (scenario: Scenario, method: Method): Floor => {
  const { input } = workloadLengths(scenario)
  const { hbmBandwidth } = plainState(scenario)
  const alone = predict(withBatch(scenario, 1), method)
  return {
    ttft:
      scenario.workload.context === "prefill" ? (flopsPerToken(scenario) * input) / peakFlops(scenario) : 0,
    tpot: tpotOf(alone),
    weights: weightBytes(scenario.model) / hbmBandwidth
  }
}
