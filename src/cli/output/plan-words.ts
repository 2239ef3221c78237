/** The sentences of a plan: what to get, why, what it costs, and why nothing will do where nothing does. */
import { offeredRate } from "../../planning/plan/workload-share.ts"
import type { Impossible } from "../../planning/plan/impossible.ts"
import type { Answer, MadePlan, PlanOption, Row } from "../../planning/plan/make-plan.ts"
import { costPerMegatoken, energyPerToken } from "../../planning/plan/spend.ts"
import { splitOf } from "../../planning/plan/split.ts"
import { metricWords, type Problem } from "../../planning/plan/trial.ts"
import type { Interval } from "../../planning/analysis/student.ts"
import type { Method, Objective, Scenario } from "../../scenario/resolved.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import { bytes, percent, seconds, significant, times } from "./number.ts"
import { isLossless, LIMIT_WORDS, mainLimit } from "./report.ts"

export const objectiveWords = (objective: Objective): string =>
  `${metricWords(objective)} ≤ ${seconds(objective.atMost)}`

export const intervalWords = ({ mean, half }: Interval): string =>
  half === undefined ? seconds(mean) : `${seconds(mean)} ± ${half > 0 ? seconds(half) : "0"}`

/** What tells a variant from others of its family. */
export const variantWords = ({ candidate }: PlanOption): string => {
  const { engine } = candidate.scenario
  const { method } = candidate.method
  const pinned =
    method.kind === "vericache" && method.fullKvRequests > 0 ? [`${method.fullKvRequests} with full KV`] : []
  const parts = "compressor" in method ? [`${method.compressor.name} ${method.compressor.keep}`] : []
  const window =
    "window" in method && method.window.kind === "fixed" ? [`window ${method.window.tokens}`] : []
  return [
    ...parts,
    ...window,
    ...pinned,
    `TP ${engine.tensorParallelSize}`,
    `batch ≤ ${engine.maxNumSeqs}`
  ].join(", ")
}

const money = (value: number, currency: string): string => `${significant(value)} ${currency}`

/** Requests per second, or clients, of the whole workload. */
const demand = (scenario: Scenario): string => {
  const { workload } = scenario
  const rate = offeredRate(workload)
  if (rate !== undefined) return `${significant(rate)} requests/s`
  return workload.kind === "synthetic" && workload.arrivals.kind === "closed"
    ? `${workload.arrivals.concurrency} clients`
    : "all requests"
}

/** What one group takes. */
export const taken = (scenario: Scenario, load: number): string => {
  const { workload } = scenario
  const rate = offeredRate(workload)
  if (rate !== undefined) return `${significant(rate * load)} requests/s`
  const clients =
    workload.kind === "synthetic" && workload.arrivals.kind === "closed" ? workload.arrivals.concurrency : 1
  return `${Math.max(1, Math.round(clients * load))} clients`
}

/** Nothing was seen that a group cannot take: the search went no further than half as much again as is asked for. */
const unbounded = ({ best, binds }: Row): boolean => best !== undefined && binds.length === 0

/** What a row's group takes, or that it takes more than was looked for. */
export const takenBy = (scenario: Scenario, row: Row): string =>
  row.best === undefined ? "" : `${unbounded(row) ? "≥ " : ""}${taken(scenario, row.best.capacity)}`

export const meanMetrics = (
  trials: Answer["verification"]["trials"],
  pick: (metrics: RunMetrics) => number
): number =>
  trials.reduce((sum, { metrics }) => sum + (metrics === undefined ? 0 : pick(metrics)), 0) / trials.length

/** How a method is set up, with the draft window it comes to. */
const methodWords = (scenario: Scenario, name: string, method: Method): string => {
  if (!("compressor" in method)) return name
  const split = splitOf(scenario, method)
  const window =
    "window" in method && split?.window !== undefined
      ? `, a draft window of ${split.window} tokens${method.window.kind === "fixed" ? "" : ` (${method.window.kind})`}`
      : ""
  const pinned =
    method.kind === "vericache" && method.fullKvRequests > 0
      ? `, ${method.fullKvRequests} requests with full KV in HBM`
      : ""
  return `${name} (${method.compressor.name} keeping ${percent(method.compressor.keep)}${window}${pinned})`
}

/** What to get, and how to run it. */
export const headline = ({ plan }: MadePlan, { option, groups, gpus, verification }: Answer): string => {
  const { scenario, method } = option.candidate
  const { engine, hardware } = scenario
  const groupWords =
    engine.tensorParallelSize === 1
      ? groups === 1
        ? "one GPU"
        : `${groups} groups of one GPU`
      : `${groups} ${groups === 1 ? "group" : "groups"} of ${engine.tensorParallelSize}, tensor-parallel`
  const lossy = isLossless(method) ? "" : " Its output is NOT that of the model: it is lossy."
  const holds = verification.met ? "All objectives are met" : "NOT all objectives are met"
  return `${gpus} × ${hardware.name}: ${groupWords}, serving by ${methodWords(scenario, option.candidate.family, method.method)}, at most ${engine.maxNumSeqs} requests in a batch.${lossy} ${holds} at ${demand(plan.scenario)}, as ${verification.seeds.length} simulations of the whole say.`
}

export const spendLines = ({ plan }: MadePlan, { option, gpus, verification }: Answer): readonly string[] => {
  const { hardware } = option.candidate.scenario
  const rate = meanMetrics(verification.trials, (m) => m.throughput.tokensPerSecond)
  const price = plan.prices?.perGpuHour.get(hardware.name)
  const lines: string[] = []
  if (plan.prices !== undefined && price !== undefined) {
    const { currency, source, date, sample } = plan.prices
    lines.push(
      `Cost: ${money(price * gpus, currency)} an hour, ${money(costPerMegatoken(price, gpus, rate), currency)} a million output tokens. Price: ${sample ? "A SAMPLE, not yours; " : ""}${source}, ${date}.`
    )
  }
  const energy = energyPerToken(hardware, gpus, rate)
  lines.push(
    energy === undefined
      ? `Energy: the catalog has no power figure of ${hardware.name}.`
      : `Energy: ${significant(energy)} J an output token; modelled: board power of ${significant(hardware.power!)} W a GPU at all times, hosts and cooling not counted.`
  )
  return lines
}

export const splitLine = ({ option }: Answer): readonly string[] => {
  const { scenario, method } = option.candidate
  const split = splitOf(saturated(scenario), method.method)
  if (split === undefined) return []
  const { pinned, drafting, used, memory } = split
  return [
    `GPU memory, (6) of arXiv:2605.17613, of a full group: B_g = ${pinned} requests with full KV, B_c = ${drafting} drafting on compressed KV, ${bytes(used)} of ${bytes(memory)}; closed form.`
  ]
}

/** As many requests as the engine takes. */
export const saturated = (scenario: Scenario): Scenario =>
  scenario.workload.kind === "trace"
    ? scenario
    : {
        ...scenario,
        workload: {
          ...scenario.workload,
          arrivals: { kind: "closed", concurrency: scenario.engine.maxNumSeqs }
        }
      }

/** What keeps a row from more, in words. */
export const bindWords = (problems: readonly Problem[]): string => {
  const [first] = problems
  if (first === undefined) return ""
  if (first.kind === "objective") return first.reason
  return first.kind === "keeps-up" ? "rate" : first.kind === "lost" ? "timeouts" : "memory"
}

const BINDS: Readonly<Record<string, string>> = {
  rate: "requests would arrive faster than they are served",
  timeouts: "requests would be given up",
  memory: "it would not fit"
}

export const whyLines = (made: MadePlan, answer: Answer): readonly string[] => {
  const { plan, rows } = made
  const { groups, row, verification } = answer
  const capacity = row.best?.capacity ?? 1 / groups
  const scenario = plan.scenario
  const used = 1 / (groups * capacity)
  const binds = bindWords(row.binds)
  const stops =
    binds === "" ? "; more was not looked for" : `; beyond that ${BINDS[binds] ?? `${binds} would be missed`}`
  const need = `One group takes ${unbounded(row) ? "at least " : ""}${taken(scenario, capacity)} within the objectives${stops}. ${demand(scenario)} need ${groups === 1 ? "one" : groups}, at ${unbounded(row) ? "most " : ""}${percent(used)} of what ${groups === 1 ? "it takes" : "they take"}.`
  const [trial] = verification.trials
  const metrics = trial?.metrics
  const limit = metrics === undefined ? undefined : mainLimit(metrics)
  const tight = verification.objectives
    .toSorted((a, b) => b.value.mean / b.objective.atMost - a.value.mean / a.objective.atMost)
    .at(0)
  const nearest =
    tight === undefined
      ? ""
      : ` Nearest to its objective: ${metricWords(tight.objective)}, ${seconds(tight.value.mean)} of ${seconds(tight.objective.atMost)}.`
  const limits =
    metrics === undefined || limit === undefined
      ? ""
      : limit === "idle"
        ? `Its GPUs wait for requests ${percent(metrics.limits.idle)} of the time.${nearest}`
        : `Its time goes to ${LIMIT_WORDS[limit]} (${percent(metrics.limits[limit])}).${nearest}`
  return [need, limits, ...nextLines(plan, rows, row)].filter((line) => line !== "")
}

const unitOf = ({ minimise, prices }: MadePlan["plan"]): string =>
  minimise === "gpus" ? "GPUs" : `${prices?.currency ?? ""} an hour`

/** How near the next best is, and what serving without any of this would take. */
const nextLines = (plan: MadePlan["plan"], rows: readonly Row[], chosen: Row): readonly string[] => {
  const best = chosen.best
  if (best === undefined) return []
  const others = rows.filter((row) => row !== chosen)
  const told = (row: Row, title: string): string => {
    const { hardware, family, atLeast } = row
    const where = `${family} on ${hardware}`
    if (row.best === undefined)
      return row.skipped
        ? `${title}: ${where}, at least ${significant(atLeast)} ${unitOf(plan)} by theory alone.`
        : `${title}: ${where} meets the objectives under no load (${bindWords(row.binds)}).`
    const cost = row.best.cost
    const per = row.best.option.cost / row.best.capacity / (best.option.cost / best.capacity)
    const same = Math.abs(cost - best.cost) < 1e-9 * best.cost
    const inUse =
      unbounded(row) && unbounded(chosen)
        ? "; how much more either could take was not looked for"
        : `, and ${per < 1.005 ? "as much" : `${percent(per - 1)} more`} of ${best.count === 1 ? "it" : "them"} in use`
    return same
      ? `${title}: ${where}, as many ${unitOf(plan)}${inUse}.`
      : `${title}: ${where}, ${significant(cost)} ${unitOf(plan)}, ${times(cost / best.cost)}.`
  }
  const [next] = others
  const plain = others.find(
    ({ hardware, family }) => hardware === chosen.hardware && (family === "full-kv" || family === "full_kv")
  )
  return [
    ...(next === undefined ? [] : [told(next, "Next best")]),
    ...(plain === undefined || plain === next ? [] : [told(plain, "With full KV in HBM")])
  ]
}

export const impossibleLine = (one: Impossible, plan: MadePlan["plan"]): string => {
  const where = ({
    scenario,
    method,
    family
  }: Extract<Impossible, { candidate: unknown }>["candidate"]): string =>
    `${family === method.name ? family : method.name} on ${scenario.engine.tensorParallelSize} × ${scenario.hardware.name}`
  switch (one.kind) {
    case "objective": {
      const { objective, best, candidate, floor } = one
      const of =
        objective.metric === "tpot" || objective.metric === "itl"
          ? ` Reading the weights once takes ${seconds(floor.weights)} there, at full HBM bandwidth.`
          : objective.metric === "ttft" && floor.ttft > 0
            ? ` Computing the prompt takes ${seconds(floor.ttft)} there, at peak FLOP/s.`
            : ""
      return `${objectiveWords(objective)} cannot be met: the best possible here is ${seconds(best)}, ${times(best / objective.atMost)} of that (${where(candidate)}, one request at a time).${of}`
    }
    case "together":
      return one.missed.length === 0
        ? `One request at a time would be served in time (${where(candidate(one))}), but no load that was tried.`
        : `Each objective can be met, but not all by one candidate: ${where(candidate(one))} comes nearest and misses ${one.missed.map(({ objective, value }) => `${objectiveWords(objective)} with ${seconds(value)}`).join(", ")}.`
    case "gpus":
      return `max_gpus ${plan.maxGpus} binds: the fewest that meet the objectives are ${one.needed} (${one.row.family} on ${one.row.hardware}).`
    case "memory":
      return `Nothing fits. Nearest: ${one.reason}`
    case "unverified":
      return `${one.row.family} on ${one.row.hardware} serves its share of the workload, but the whole deployment misses the objectives when simulated; ask for a little more room or more requests in the workload.`
  }
}

const candidate = <C>({ candidate }: { readonly candidate: C }): C => candidate
