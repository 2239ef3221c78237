/** A plan made: theory leaves out what cannot be, simulations find what each way of serving takes, the answer is verified. */
import { Effect } from "effect"
import { paretoFront } from "../analysis/pareto.ts"
import { type Interval, meanInterval } from "../analysis/student.ts"
import { type Objective, requestCount } from "../../scenario/resolved.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import { type Bound, boundOf } from "./bounds.ts"
import type { Candidate, Plan } from "./load-plan.ts"
import { bestOf, type Found, isBetter, leastCost, LIMITS, type Option, type Tally } from "./search.ts"
import { type Problem, shareOf, type Trial, trialRequests, tryAll, wholeOf } from "./trial.ts"
import { findImpossible, type Impossible } from "./impossible.ts"
import { leastLoad } from "./workload-share.ts"

/** A candidate that theory does not rule out. */
export interface PlanOption extends Option {
  readonly candidate: Candidate
  /** Requests at once at its bound. */
  readonly batch: number
}

/** The best of a method's variants on one kind of hardware. */
export interface Row {
  readonly hardware: string
  readonly family: string
  readonly best: Found<PlanOption> | undefined
  /** One group at its capacity. */
  readonly metrics: RunMetrics | undefined
  /** What makes its figures weaker evidence than others. */
  readonly caveats: readonly string[]
  /** What stands in the way of more: missed at a load a little above. */
  readonly binds: readonly Problem[]
  /** What it costs at least, by theory. */
  readonly atLeast: number
  /** Not simulated: more than twice the best by theory alone. */
  readonly skipped: boolean
  readonly onFront: boolean
}

/** An objective over replications: seconds. */
export interface VerifiedObjective {
  readonly objective: Objective
  readonly value: Interval
  readonly met: boolean
}

/** The whole deployment, simulated with the whole workload. */
export interface Verification {
  readonly groups: number
  readonly seeds: readonly number[]
  readonly requests: number
  readonly trials: readonly Trial[]
  readonly objectives: readonly VerifiedObjective[]
  readonly met: boolean
}

export interface Answer {
  readonly row: Row
  readonly option: PlanOption
  readonly groups: number
  readonly gpus: number
  readonly verification: Verification
}

/** How many candidates went which way. */
export interface Counts {
  readonly candidates: number
  /** Do not fit HBM. */
  readonly memory: number
  /** One request alone misses an objective, by theory. */
  readonly objective: number
  /** Have no price where cost counts. */
  readonly unpriced: number
  /** Batch limits that nothing reaches. */
  readonly same: number
  /** Numbers of requests with full KV, B_g, that theory puts below another. */
  readonly split: number
  readonly search: Tally
  /** In groups that theory puts beyond twice the best. */
  readonly far: number
  readonly simulations: number
}

export interface MadePlan {
  readonly plan: Plan
  readonly answer: Answer | undefined
  /** Best first; those that were not simulated or serve nothing last. */
  readonly rows: readonly Row[]
  readonly counts: Counts
  /** Why there is no answer. */
  readonly impossible: readonly Impossible[]
}

interface Group {
  readonly hardware: string
  readonly family: string
  readonly options: readonly PlanOption[]
  readonly atLeast: number
}

/** So many of the most promising groups are searched first: what they find decides which of the others are worth it. */
const FIRST = 4
/** Groups searched side by side. */
const AT_ONCE = 8
/** What costs more than so many times the best, by theory, is not simulated. */
const FAR = 2
const SEEDS = 5

const costOf = (plan: Plan, { scenario: { engine, hardware } }: Candidate): number | undefined => {
  if (plan.minimise === "gpus") return engine.tensorParallelSize
  const price = plan.prices?.perGpuHour.get(hardware.name)
  return price === undefined ? undefined : price * engine.tensorParallelSize
}

/** A limit that even theory's batch, which is the largest, stays well below is no limit. */
const ROOM = 1.5

interface Sorted {
  readonly options: readonly PlanOption[]
  readonly counts: Pick<Counts, "candidates" | "memory" | "objective" | "unpriced" | "same" | "split">
  readonly bounds: readonly { readonly candidate: Candidate; readonly bound: Bound }[]
}

/** What theory leaves. */
const sorted = (plan: Plan): Sorted => {
  const bounds = plan.candidates.map((candidate) => ({ candidate, bound: boundOf(candidate) }))
  const counts = { candidates: bounds.length, memory: 0, objective: 0, unpriced: 0, same: 0, split: 0 }
  const options: PlanOption[] = []
  /** Least batch limit that nothing reaches, by all but the limit. */
  const enough = new Map<string, number>()
  for (const { candidate, bound } of bounds.toSorted(
    (a, b) =>
      a.candidate.scenario.engine.maxNumSeqs - b.candidate.scenario.engine.maxNumSeqs ||
      a.candidate.id - b.candidate.id
  )) {
    const { hardware, engine } = candidate.scenario
    const cost = costOf(plan, candidate)
    const key = JSON.stringify([hardware.name, engine.tensorParallelSize, candidate.method.name])
    if (bound.kind !== "load") counts[bound.kind]++
    else if (cost === undefined) counts.unpriced++
    else if (engine.maxNumSeqs > (enough.get(key) ?? Number.POSITIVE_INFINITY)) counts.same++
    else {
      if (bound.fits * ROOM <= engine.maxNumSeqs) enough.set(key, engine.maxNumSeqs)
      options.push({ candidate, cost, bound: bound.load, batch: bound.batch })
    }
  }
  const kept = bestSplits(options)
  return { options: kept, counts: { ...counts, split: options.length - kept.length }, bounds }
}

/** Of the numbers of requests with full KV that a method may have, none and the one that theory puts highest. */
const bestSplits = (options: readonly PlanOption[]): readonly PlanOption[] => {
  const highest = new Map<string, PlanOption>()
  const keyOf = ({ candidate: { scenario, method, family } }: PlanOption): string => {
    const { hardware, engine } = scenario
    const rest = { ...method.method, fullKvRequests: 0 }
    return JSON.stringify([family, hardware.name, engine.tensorParallelSize, engine.maxNumSeqs, rest])
  }
  for (const option of options) {
    const other = highest.get(keyOf(option))
    if (other === undefined || option.bound > other.bound) highest.set(keyOf(option), option)
  }
  return options.filter((option) => fullKvRequests(option) === 0 || highest.get(keyOf(option)) === option)
}

const fullKvRequests = ({ candidate: { method } }: PlanOption): number =>
  method.method.kind === "vericache" ? method.method.fullKvRequests : 0

const grouped = (options: readonly PlanOption[]): readonly Group[] => {
  const groups = new Map<string, PlanOption[]>()
  for (const option of options) {
    const { family, scenario } = option.candidate
    const key = JSON.stringify([scenario.hardware.name, family])
    groups.set(key, [...(groups.get(key) ?? []), option])
  }
  return [...groups.entries()]
    .map(([key, members]): Group => {
      const [hardware, family] = JSON.parse(key) as [string, string]
      return { hardware, family, options: members, atLeast: Math.min(...members.map(leastCost)) }
    })
    .toSorted((a, b) => a.atLeast - b.atLeast)
}

/** A group that theory alone has judged. */
const unsearched = ({ hardware, family, atLeast }: Group): Row => ({
  hardware,
  family,
  best: undefined,
  metrics: undefined,
  caveats: [],
  binds: [],
  atLeast,
  skipped: true,
  onFront: false
})

/** Searches one group, and keeps what its trials showed. */
const searchGroup = Effect.fnUntraced(function* (plan: Plan, group: Group, note: (trial: string) => void) {
  const trials = new Map<
    string,
    { readonly option: PlanOption; readonly load: number; readonly trial: Trial }
  >()
  const least = Math.max(LIMITS.least, leastLoad(plan.scenario))
  const stands = (option: PlanOption, load: number) =>
    Effect.gen(function* () {
      const { candidate, batch } = option
      const key = `${candidate.id} ${load}`
      const known = trials.get(key)
      if (known !== undefined) return known.trial.met
      // Under the lightest load nobody waits for anybody.
      const requests = trialRequests(candidate, load <= least ? 1 : batch)
      const point = shareOf(plan, candidate, load, requests)
      const [trial] = yield* tryAll(plan, [{ candidate, point }], { untilMissed: true })
      trials.set(key, { option, load, trial: trial! })
      note(`${group.hardware} ${group.family}`)
      return trial!.met
    })
  const { best, tally } = yield* bestOf(group.options, stands, { ...LIMITS, least })
  const all = [...trials.values()]
  const own = all.filter(({ option }) => option === best?.option)
  const above = own.filter(({ trial }) => !trial.met).toSorted((a, b) => a.load - b.load)[0]
  const at = own.find(({ load }) => load === best?.capacity)?.trial
  const row: Row = {
    hardware: group.hardware,
    family: group.family,
    best,
    metrics: at?.metrics,
    caveats: at?.caveats ?? [],
    binds: (above ?? (best === undefined ? all.at(-1) : undefined))?.trial.problems ?? [],
    atLeast: group.atLeast,
    skipped: false,
    onFront: false
  }
  return { row, tally, simulations: trials.size }
})

const gpusOf = ({ candidate }: PlanOption, groups: number): number =>
  groups * candidate.scenario.engine.tensorParallelSize

/** Simulates the whole deployment with several seeds; the mean of each objective decides. */
const verify = Effect.fnUntraced(function* (plan: Plan, { candidate, batch }: PlanOption, groups: number) {
  const { scenario } = candidate
  const requests = Math.max(
    requestCount(scenario),
    scenario.workload.kind === "trace" ? 0 : trialRequests(candidate, batch) * groups
  )
  const seeds = Array.from({ length: SEEDS }, (_, i) => scenario.seed + i)
  const trials = yield* tryAll(
    plan,
    seeds.map((seed) => ({ candidate, point: wholeOf(plan, candidate, groups, requests, seed) }))
  )
  const objectives = scenario.objectives.map((objective, i): VerifiedObjective => {
    const value = meanInterval(trials.map((trial) => trial.objectives[i]?.value ?? Number.POSITIVE_INFINITY))
    return { objective, value, met: value.mean <= objective.atMost }
  })
  const others = trials.flatMap(({ problems }) => problems).some(({ kind }) => kind !== "objective")
  const met = !others && objectives.every((one) => one.met)
  return { groups, seeds, requests, trials, objectives, met } satisfies Verification
})

/** More groups than the search says, where the whole does not do what its parts promised. */
const EXTRA = 4

/** The fewest groups near the number found that serve everything: one less is tried too, since a common queue helps. */
const settle = Effect.fnUntraced(function* (plan: Plan, row: Row, { option, count }: Found<PlanOption>) {
  let last: Verification | undefined
  let verified: Verification | undefined
  for (let groups = count; groups <= count + EXTRA; groups++) {
    last = yield* verify(plan, option, groups)
    if (last.met) {
      verified = last
      break
    }
  }
  if (verified?.groups === count && count > 1) {
    const fewer = yield* verify(plan, option, count - 1)
    if (fewer.met) verified = fewer
  }
  const verification = verified ?? last!
  const { groups } = verification
  return { row, option, groups, gpus: gpusOf(option, groups), verification } satisfies Answer
})

const costsOf = ({ option, groups }: Answer): number => option.cost * groups

/** The best verified answer: rows are verified, best first, until none that is left could be better. */
const verified = Effect.fnUntraced(function* (plan: Plan, rows: readonly Row[]) {
  let best: Answer | undefined
  let simulations = 0
  for (const row of rows) {
    const { best: found } = row
    if (found === undefined || gpusOf(found.option, found.count) > plan.maxGpus) continue
    if (best !== undefined && costsOf(best) <= found.cost) break
    const answer = yield* settle(plan, row, found)
    simulations += SEEDS * (Math.abs(answer.groups - found.count) + 1)
    if (!answer.verification.met || answer.gpus > plan.maxGpus) continue
    if (best === undefined || costsOf(answer) < costsOf(best)) best = answer
  }
  return { best, simulations }
})

const sum = (tallies: readonly Tally[]): Tally =>
  tallies.reduce(
    (all, one) => ({
      theory: all.theory + one.theory,
      beaten: all.beaten + one.beaten,
      measured: all.measured + one.measured
    }),
    { theory: 0, beaten: 0, measured: 0 }
  )

const inOrder = (rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((a, b) => {
    if (a.best === undefined || b.best === undefined)
      return Number(a.best === undefined) - Number(b.best === undefined) || a.atLeast - b.atLeast
    return isBetter(a.best, b.best) ? -1 : isBetter(b.best, a.best) ? 1 : 0
  })

const withFront = (rows: readonly Row[]): readonly Row[] => {
  const served = rows.filter(({ metrics }) => metrics !== undefined)
  const front = paretoFront(served, [
    ({ metrics }) => metrics!.throughput.perGpu,
    ({ metrics }) => metrics!.throughput.perUser
  ])
  return rows.map((row) => ({ ...row, onFront: front.includes(row) }))
}

/**
 * Makes a plan. `note` is told of every simulation of the search. Needs a `PointRunner`; as many simulations run at once as
 * it has threads, and the answer does not depend on how many that are.
 */
export const makePlan = Effect.fnUntraced(function* (plan: Plan, note: (trial: string) => void = () => {}) {
  const { options, counts } = sorted(plan)
  const groups = grouped(options)
  const rows: Row[] = []
  const tallies: Tally[] = []
  let simulations = 0
  let far = 0
  let best: Found<PlanOption> | undefined
  for (const wave of [groups.slice(0, FIRST), groups.slice(FIRST)]) {
    const most = FAR * (best?.cost ?? Number.POSITIVE_INFINITY)
    const skipped = wave.filter(({ atLeast }) => atLeast > most)
    far += skipped.reduce((all, { options: members }) => all + members.length, 0)
    rows.push(...skipped.map(unsearched))
    const found = yield* Effect.forEach(
      wave.filter((group) => !skipped.includes(group)),
      (group) => searchGroup(plan, group, note),
      { concurrency: AT_ONCE }
    )
    for (const one of found) {
      rows.push(one.row)
      tallies.push(one.tally)
      simulations += one.simulations
      if (one.row.best !== undefined && (best === undefined || isBetter(one.row.best, best)))
        best = one.row.best
    }
  }
  const ordered = withFront(inOrder(rows))
  const { best: answer, simulations: verifying } = yield* verified(plan, ordered)
  const impossible = answer === undefined ? yield* findImpossible(plan, ordered) : []
  return {
    plan,
    answer,
    rows: ordered,
    counts: { ...counts, search: sum(tallies), far, simulations: simulations + verifying },
    impossible
  } satisfies MadePlan
})
