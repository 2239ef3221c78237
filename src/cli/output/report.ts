/** What a simulation says: a verdict, the methods side by side, and where every number comes from. */
import type { Basis, Hardware, NamedMethod, Objective, Origin, Scenario } from "../../scenario/resolved.ts"
import { SOFTWARE } from "../../planning/caveats.ts"
import type { Infeasible } from "../../sim/setup.ts"
import { LIMITS, type Limit, type RunMetrics } from "../../trace/metrics.ts"
import type { Column } from "./grid.ts"
import { bytes, percent, seconds, significant, times } from "./number.ts"

export type MethodResult = { readonly method: NamedMethod } & (
  | {
      readonly metrics: RunMetrics
      readonly infeasible?: undefined
      /** What makes the figures weaker evidence than others. */
      readonly caveats: readonly string[]
    }
  | { readonly metrics?: undefined; readonly infeasible: Infeasible; readonly caveats?: undefined }
)

export interface Report {
  readonly scenario: Scenario
  /** The machine that ran it, in words; absent: it was simulated. */
  readonly measuredOn?: string
  readonly results: readonly MethodResult[]
}

/** How the results came to be known. */
export const basisOf = ({ measuredOn }: Report): Basis => (measuredOn === undefined ? "modelled" : "measured")

/** Tokens/s over the baseline's; NaN if either did not run. */
export const speedup = ({ scenario, results }: Report, result: MethodResult): number => {
  const baseline = results.find(({ method }) => method.name === scenario.baseline)?.metrics
  return result.metrics === undefined || baseline === undefined
    ? Number.NaN
    : result.metrics.throughput.tokensPerSecond / baseline.throughput.tokensPerSecond
}

/** Whether a method's output equals full-KV decoding, by construction: it decodes on the full KV, or commits what that verified. */
export const isLossless = ({ method }: NamedMethod): boolean => method.kind !== "lossy"

export const LIMIT_WORDS: Readonly<Record<Limit, string>> = {
  hbm: "HBM bandwidth",
  compute: "compute",
  link: "the link",
  interconnect: "the interconnect",
  host: "host memory",
  scheduling: "scheduling and launches",
  idle: "a lack of requests"
}

export const mainLimit = ({ limits }: RunMetrics): Limit =>
  LIMITS.reduce((largest, limit) => (limits[limit] > limits[largest] ? limit : largest), LIMITS[0])

/** Divergence of a lossy method over a whole output, in words. */
const divergence = ({ method }: NamedMethod, metrics: RunMetrics): string | undefined => {
  if (method.kind !== "lossy" || method.compressor.klPerStep === undefined || metrics.requests.finished === 0)
    return undefined
  const nats = (method.compressor.klPerStep.nats * metrics.outputTokens) / metrics.requests.finished
  return `${significant(nats)} nats a request`
}

const cell =
  (show: (metrics: RunMetrics) => string) =>
  (result: MethodResult): string =>
    result.metrics === undefined ? "–" : show(result.metrics)
const number =
  (pick: (metrics: RunMetrics) => number) =>
  (result: MethodResult): number | undefined =>
    result.metrics === undefined ? undefined : pick(result.metrics)

export const reportColumns = (report: Report): readonly Column<MethodResult>[] => {
  const ratio = (result: MethodResult): number => speedup(report, result)
  const detail = (key: string, pick: (metrics: RunMetrics) => number): Column<MethodResult> => ({
    title: key,
    key,
    text: () => "",
    value: number(pick),
    detail: true
  })
  const quantiles = (["ttft", "tpot", "itl", "e2el"] as const).flatMap((name) =>
    (["mean", "p50", "p90", "p95", "p99", "max"] as const).map((q) =>
      detail(`${name}_${q}_s`, (m) => m[name][q])
    )
  )
  const shown: readonly Column<MethodResult>[] = [
    {
      title: "method",
      key: "method",
      left: true,
      text: ({ method }) => method.name,
      value: ({ method }) => method.name
    },
    {
      title: "tok/s",
      key: "tokens_per_s",
      text: cell((m) => significant(m.throughput.tokensPerSecond)),
      value: number((m) => m.throughput.tokensPerSecond)
    },
    {
      title: `vs ${report.scenario.baseline}`,
      key: "speedup",
      text: (result) => times(ratio(result)),
      value: (result) => (Number.isNaN(ratio(result)) ? undefined : ratio(result))
    },
    {
      title: "tok/s/GPU",
      key: "tokens_per_s_per_gpu",
      dispensable: 6,
      text: cell((m) => significant(m.throughput.perGpu)),
      value: number((m) => m.throughput.perGpu)
    },
    {
      title: "tok/s/user",
      key: "tokens_per_s_per_user",
      dispensable: 1,
      text: cell((m) => significant(m.throughput.perUser)),
      value: number((m) => m.throughput.perUser)
    },
    {
      title: "TTFT p50",
      key: "ttft_p50_s",
      text: cell((m) => seconds(m.ttft.p50)),
      value: number((m) => m.ttft.p50)
    },
    {
      title: "p99",
      key: "ttft_p99_s",
      dispensable: 5,
      text: cell((m) => seconds(m.ttft.p99)),
      value: number((m) => m.ttft.p99)
    },
    {
      title: "TPOT p50",
      key: "tpot_p50_s",
      dispensable: 2,
      text: cell((m) => seconds(m.tpot.p50)),
      value: number((m) => m.tpot.p50)
    },
    {
      title: "batch",
      key: "batch_peak",
      dispensable: 4,
      text: cell((m) => String(m.peak.batch)),
      value: number((m) => m.peak.batch)
    },
    {
      title: "accepted",
      key: "accepted_mean",
      dispensable: 3,
      text: cell((m) =>
        m.rounds.count === 0
          ? ""
          : `${significant(m.rounds.meanAccepted)} of ${significant(m.rounds.meanWindow)}`
      ),
      value: number((m) => m.rounds.meanAccepted)
    },
    {
      title: "limited by",
      key: "limited_by",
      left: true,
      text: (result) =>
        result.metrics === undefined
          ? "does not fit"
          : `${mainLimit(result.metrics)} ${percent(result.metrics.limits[mainLimit(result.metrics)])}`,
      value: (result) => (result.metrics === undefined ? "infeasible" : mainLimit(result.metrics))
    },
    {
      title: "output",
      key: "lossless",
      left: true,
      text: ({ method, metrics }) =>
        isLossless(method)
          ? "identical"
          : `LOSSY ${(metrics === undefined ? undefined : divergence(method, metrics)) ?? ""}`.trim(),
      value: ({ method }) => isLossless(method)
    },
    { title: "basis", key: "basis", text: () => "", value: () => basisOf(report), detail: true },
    {
      title: "caveats",
      key: "caveats",
      text: () => "",
      value: ({ caveats = [] }) => caveats.join("; "),
      detail: true
    }
  ]
  return [
    ...shown,
    detail("window_mean", (m) => m.rounds.meanWindow),
    detail("rounds", (m) => m.rounds.count),
    detail("proposals", (m) => m.proposals.proposed),
    detail("proposals_agreed", (m) => m.proposals.agreed),
    detail("requests_finished", (m) => m.requests.finished),
    detail("preemptions", (m) => m.events.preemptions),
    ...quantiles.filter(({ key }) => !shown.some((column) => column.key === key)),
    ...(["reload", "save", "fetch", "stream", "hbm"] as const).map((kind) =>
      detail(`${kind}_bytes`, (m) => m.bytes[kind])
    ),
    detail("transfer_hidden_s", (m) => m.transfers.hidden),
    detail("transfer_exposed_s", (m) => m.transfers.exposed),
    ...(["gpu", "hbm", "linkIn", "linkOut"] as const).map((name) =>
      detail(`utilisation_${name}`, (m) => m.utilisation[name])
    ),
    ...LIMITS.map((limit) => detail(`limit_${limit}`, (m) => m.limits[limit]))
  ]
}

type Ran = Extract<MethodResult, { readonly metrics: RunMetrics }>

const rate = ({ metrics }: Ran): number => metrics.throughput.tokensPerSecond

/** Methods that ran, the fastest first. */
const fastest = ({ results }: Report): readonly Ran[] =>
  results
    .filter((result): result is Ran => result.metrics !== undefined)
    .toSorted((a, b) => rate(b) - rate(a))

/** The method the verdict and the objectives are about: the fastest VeriCache one, else the fastest whose output is identical. */
export const subject = (report: Report): Ran | undefined => {
  const ran = fastest(report)
  return (
    ran.find(({ method }) => method.method.kind === "vericache") ??
    ran.find(({ method }) => isLossless(method)) ??
    ran[0]
  )
}

/** How the subject compares with the baseline, whatever of the two there is. */
const comparison = (report: Report, best: Ran): string => {
  const { scenario, results } = report
  const serves = `${best.method.name} serves ${significant(rate(best))} tok/s`
  if (best.metrics.requests.finished === 0) return `No request finishes under ${best.method.name}.`
  const baseline = results.find(({ method }) => method.name === scenario.baseline)
  if (baseline === undefined || baseline === best) return `${serves}.`
  if (baseline.metrics === undefined) return `${serves} where ${scenario.baseline} does not fit.`
  if (!(baseline.metrics.throughput.tokensPerSecond > 0))
    return `${serves} where ${scenario.baseline} serves none.`
  const output = isLossless(best.method) ? "with identical output" : "but not with the same output"
  return `${best.method.name} serves ${times(speedup(report, best))} the ${scenario.baseline} throughput (${significant(rate(best))} against ${significant(baseline.metrics.throughput.tokensPerSecond)} tok/s), ${output}.`
}

/** Another method that does better than the subject and changes no output. */
const better = (report: Report, best: Ran): string => {
  const first = fastest(report).find(({ method }) => isLossless(method))
  return first === undefined || first === best || rate(first) <= rate(best)
    ? ""
    : ` ${first.method.name} serves more with identical output: ${significant(rate(first))} tok/s.`
}

/** What each level of a method with a classical drafter took of what was proposed to it; undefined for the others. */
export const levelsOf = ({ method }: NamedMethod, { proposals, rounds }: RunMetrics): string | undefined => {
  if (!("drafter" in method) || method.drafter === undefined) return undefined
  const taken = (part: number, whole: number): string =>
    `${part} of ${whole}${whole > 0 ? ` (${percent(part / whole)})` : ""}`
  const first = `${taken(proposals.agreed, proposals.proposed)} tokens that ${method.drafter.name} proposed`
  return method.kind === "drafter"
    ? `full KV took ${first}`
    : `compressed KV took ${first}, full KV ${taken(rounds.accepted, rounds.drafted)} drafted`
}

/** The answer in a few sentences. */
export const verdict = (report: Report): string => {
  const best = subject(report)
  if (best === undefined) return "No method fits."
  const { metrics } = best
  const limit = mainLimit(metrics)
  const missing = report.results.filter(
    ({ method, infeasible }) => infeasible !== undefined && method.name !== report.scenario.baseline
  )
  const unfit =
    missing.length === 0
      ? ""
      : ` ${missing.map(({ method }) => method.name).join(", ")} ${missing.length === 1 ? "does" : "do"} not fit.`
  const moved = metrics.transfers.hidden + metrics.transfers.exposed
  const hiding =
    moved > 0
      ? ` ${percent(metrics.transfers.hidden / moved)} of ${seconds(moved)} of transfers ${report.measuredOn === undefined ? "is hidden behind passes" : "passed while passes ran in the same queue"}.`
      : ""
  const reloaded = metrics.bytes.reload > 0 ? `; ${bytes(metrics.bytes.reload)} were reloaded` : ""
  const rounds =
    metrics.rounds.count > 0
      ? ` A round drafts ${significant(metrics.rounds.meanWindow)} tokens, of which ${significant(metrics.rounds.meanAccepted)} are accepted${reloaded}.`
      : ""
  return `${comparison(report, best)}${better(report, best)}${unfit} Limited by ${LIMIT_WORDS[limit]}, ${percent(metrics.limits[limit])} of the time.${hiding}${rounds}`
}

/** Goes wherever hardware is named whose times are a CPU's. */
export const softwareMark = ({ adapter }: Hardware): string =>
  adapter?.kind === "software" ? ` (${SOFTWARE})` : ""

/** A line for each caveat: whose figures it is about. */
export const caveatLines = ({ results }: Report): readonly string[] =>
  [
    ...Map.groupBy(
      results.flatMap((one) => (one.caveats ?? []).map((caveat) => ({ caveat, name: one.method.name }))),
      ({ caveat }) => caveat
    )
  ].map(
    ([caveat, all]) =>
      `${all.length === results.length ? "all" : all.map(({ name }) => name).join(", ")}: ${caveat}`
  )

/** The inputs behind the figures, each with its basis and source. */
export const provenance = ({ scenario }: Report): readonly (Origin & { readonly what: string })[] => {
  const { model, hardware, methods, workload } = scenario
  const origins = new Map<string, Origin & { readonly what: string }>()
  const add = (what: string, { basis, source }: Origin): void => {
    origins.set(what, { what, basis, source })
  }
  add(`hardware ${hardware.name}${softwareMark(hardware)}`, hardware.origin)
  if (hardware.tables !== undefined) add(`kernel times of ${hardware.name}`, hardware.tables.origin)
  add(`model ${model.name}`, model.origin)
  if (workload.kind === "trace") add("workload", workload.origin)
  for (const { method } of methods) {
    if ("compressor" in method)
      add(
        `acceptance of ${method.compressor.name} at keep ${method.compressor.keep}`,
        method.compressor.acceptance.origin
      )
    if ("drafter" in method && method.drafter !== undefined)
      add(`cost and acceptance of ${method.drafter.name}`, method.drafter.acceptance.origin)
  }
  return [...origins.values()]
}

const QUANTILES = { 50: "p50", 90: "p90", 95: "p95", 99: "p99", 100: "max" } as const

/** An objective and how a method does on it. */
export interface Judged {
  readonly method: string
  readonly objective: Objective
  /** Seconds. */
  readonly value: number
  readonly met: boolean
}

/** Every objective under every method that ran. A method that served nobody meets none. */
export const judged = (report: Report): readonly Judged[] =>
  report.scenario.objectives.flatMap((objective) =>
    report.results.flatMap(({ method, metrics }) => {
      if (metrics === undefined) return []
      const value = metrics[objective.metric][QUANTILES[objective.percentile]]
      return [
        {
          method: method.name,
          objective,
          value,
          met: metrics.requests.finished > 0 && value <= objective.atMost
        }
      ]
    })
  )

const objectiveWords = ({ metric, percentile, atMost }: Objective): string =>
  `${metric.toUpperCase()} ${QUANTILES[percentile]} ≤ ${seconds(atMost)}`

/** A line for each objective: who meets it, who does not. */
export const objectiveLines = (report: Report): readonly string[] =>
  report.scenario.objectives.map((objective) => {
    const own = judged(report).filter((one) => one.objective === objective)
    return `${objectiveWords(objective)}: ${own.map(({ method, value, met }) => `${method} ${seconds(value)} ${met ? "met" : "MISSED"}`).join(", ")}`
  })

/** What the method of the verdict misses, in words. */
export const missedObjectives = (report: Report): readonly string[] => {
  const best = subject(report)?.method.name
  return judged(report)
    .filter(({ method, met }) => method === best && !met)
    .map(
      ({ method, objective, value }) =>
        `objective missed: ${objectiveWords(objective)}; ${method} takes ${seconds(value)}`
    )
}
