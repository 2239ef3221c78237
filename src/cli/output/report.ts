/** What a simulation says: a verdict, the methods side by side, and where every number comes from. */
import type { NamedMethod, Origin, Scenario } from "../../scenario/resolved.ts"
import type { Infeasible } from "../../sim/setup.ts"
import { LIMITS, type Limit, type RunMetrics } from "../../trace/metrics.ts"
import type { Column } from "./grid.ts"
import { bytes, percent, seconds, significant, times } from "./number.ts"

export type MethodResult = { readonly method: NamedMethod } & (
  | { readonly metrics: RunMetrics; readonly infeasible?: undefined }
  | { readonly metrics?: undefined; readonly infeasible: Infeasible }
)

export interface Report {
  readonly scenario: Scenario
  readonly results: readonly MethodResult[]
}

/** Tokens/s over the baseline's; NaN if either did not run. */
export const speedup = ({ scenario, results }: Report, result: MethodResult): number => {
  const baseline = results.find(({ method }) => method.name === scenario.baseline)?.metrics
  return result.metrics === undefined || baseline === undefined
    ? Number.NaN
    : result.metrics.throughput.tokensPerSecond / baseline.throughput.tokensPerSecond
}

/** Whether a method's output equals full-KV decoding, by construction. */
export const isLossless = ({ method }: NamedMethod): boolean => method.kind !== "lossy"

const LIMIT_WORDS: Readonly<Record<Limit, string>> = {
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
  return [
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
      text: cell((m) => significant(m.throughput.perGpu)),
      value: number((m) => m.throughput.perGpu)
    },
    {
      title: "tok/s/user",
      key: "tokens_per_s_per_user",
      text: cell((m) => significant(m.throughput.perUser)),
      value: number((m) => m.throughput.perUser)
    },
    {
      title: "TTFT p50",
      key: "ttft_p50_shown_s",
      text: cell((m) => seconds(m.ttft.p50)),
      value: number((m) => m.ttft.p50)
    },
    {
      title: "p99",
      key: "ttft_p99_shown_s",
      text: cell((m) => seconds(m.ttft.p99)),
      value: number((m) => m.ttft.p99)
    },
    {
      title: "TPOT p50",
      key: "tpot_p50_shown_s",
      text: cell((m) => seconds(m.tpot.p50)),
      value: number((m) => m.tpot.p50)
    },
    {
      title: "batch",
      key: "batch_peak",
      text: cell((m) => String(m.peak.batch)),
      value: number((m) => m.peak.batch)
    },
    {
      title: "accepted",
      key: "accepted_mean",
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
    { title: "basis", key: "basis", text: () => "", value: () => "modelled", detail: true },
    detail("window_mean", (m) => m.rounds.meanWindow),
    detail("rounds", (m) => m.rounds.count),
    detail("requests_finished", (m) => m.requests.finished),
    detail("preemptions", (m) => m.events.preemptions),
    ...quantiles,
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

/** The method the verdict is about: the fastest VeriCache one. */
const subject = (report: Report): MethodResult | undefined =>
  report.results
    .filter((result) => result.method.method.kind === "vericache" && result.metrics !== undefined)
    .toSorted((a, b) => speedup(report, b) - speedup(report, a))[0]

/** The answer in a few sentences. */
export const verdict = (report: Report): string => {
  const best = subject(report)
  const { scenario, results } = report
  const baseline = results.find(({ method }) => method.name === scenario.baseline)
  if (best?.metrics === undefined) {
    const fits = results
      .filter(({ metrics }) => metrics !== undefined)
      .toSorted((a, b) => b.metrics!.throughput.tokensPerSecond - a.metrics!.throughput.tokensPerSecond)[0]
    return fits?.metrics === undefined
      ? "No method fits."
      : `${fits.method.name} serves ${significant(fits.metrics.throughput.tokensPerSecond)} tok/s, limited by ${LIMIT_WORDS[mainLimit(fits.metrics)]}.`
  }
  const { metrics } = best
  const rate = significant(metrics.throughput.tokensPerSecond)
  const limit = mainLimit(metrics)
  const share = percent(metrics.limits[limit])
  const versus =
    baseline?.metrics === undefined
      ? `${best.method.name} serves ${rate} tok/s where ${scenario.baseline} does not fit`
      : `${best.method.name} serves ${times(speedup(report, best))} the ${scenario.baseline} throughput (${rate} against ${significant(baseline.metrics.throughput.tokensPerSecond)} tok/s), with identical output`
  const moved = metrics.transfers.hidden + metrics.transfers.exposed
  const hiding =
    moved > 0
      ? ` ${percent(metrics.transfers.hidden / moved)} of ${seconds(moved)} of transfers is hidden behind passes.`
      : ""
  const rounds =
    metrics.rounds.count > 0
      ? ` A round drafts ${significant(metrics.rounds.meanWindow)} tokens, of which ${significant(metrics.rounds.meanAccepted)} are accepted; ${bytes(metrics.bytes.reload)} were reloaded.`
      : ""
  return `${versus}. Limited by ${LIMIT_WORDS[limit]}, ${share} of the time.${hiding}${rounds}`
}

/** The inputs behind the figures, each with its basis and source. */
export const provenance = ({ scenario }: Report): readonly (Origin & { readonly what: string })[] => {
  const { model, hardware, methods, workload } = scenario
  const origins = new Map<string, Origin & { readonly what: string }>()
  const add = (what: string, { basis, source }: Origin): void => {
    origins.set(what, { what, basis, source })
  }
  add(`hardware ${hardware.name}`, hardware.origin)
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

/** Objectives that were missed, in words. */
export const missedObjectives = ({ scenario, results }: Report): readonly string[] =>
  results.flatMap(({ method, metrics }) =>
    scenario.objectives.flatMap(({ metric, percentile, atMost }) => {
      if (
        metrics === undefined ||
        method.name !== (subject({ scenario, results })?.method.name ?? scenario.baseline)
      )
        return []
      const known = { 50: "p50", 90: "p90", 95: "p95", 99: "p99", 100: "max" } as const
      const key = known[percentile as keyof typeof known]
      const value = key === undefined ? metrics[metric].mean : metrics[metric][key]
      return value <= atMost
        ? []
        : [
            `objective missed: ${method.name} ${metric} ${key ?? "mean"} is ${seconds(value)}, objective ${seconds(atMost)}`
          ]
    })
  )
