/** The answer in a sentence. */
import { LIMITS, type Limit } from "../../trace/metrics.ts"
import type { MethodOutcome, ScenarioSummary } from "../workers/protocol.ts"
import type { Advice } from "./advice-list.ts"

export const LIMIT_WORDS: Readonly<Record<Limit, string>> = {
  hbm: "HBM bandwidth",
  compute: "compute",
  link: "the link",
  interconnect: "the interconnect",
  host: "host memory",
  scheduling: "scheduling and launches",
  idle: "a lack of requests"
}

/** What most of the time went to. */
export const mainLimit = (limits: Readonly<Record<Limit, number>>): Limit =>
  LIMITS.reduce((largest, limit) => (limits[limit] > limits[largest] ? limit : largest), LIMITS[0])

/** tok/s of a run; undefined if it has not ended, or failed. */
export const rateOf = (outcome: MethodOutcome | undefined): number | undefined =>
  outcome?.kind === "simulated" ? outcome.metrics.throughput.tokensPerSecond : undefined

/** Ways to serve more that a sentence has room for. */
const NAMED = 2

/** The headline with what would help: changes that were simulated, best first. */
export const advisedVerdict = (
  headline: string,
  best: readonly Advice[],
  against: { readonly throughput: number } | undefined
): string => {
  if (best.length === 0) return `${headline} Nothing that was tried serves more.`
  const ways = best
    .slice(0, NAMED)
    .map(
      ({ label, throughput }) =>
        `${label} for ${against === undefined ? `${throughput.toPrecision(3)} tok/s` : `${(throughput / against.throughput).toFixed(2)}×`}`
    )
  return `${headline.replace(/\.$/, "")}; ${ways.join(", or ")}.`
}

/** The method the verdict is about: VeriCache, or else the first. */
const spokenOf = (methods: ScenarioSummary["methods"]): number =>
  Math.max(
    0,
    methods.findIndex(({ kind }) => kind === "vericache")
  )

/** Headline, and how much of the scenario it rests on. */
export const verdictOf = (
  { methods, baseline, requests, name }: ScenarioSummary,
  outcomes: readonly (MethodOutcome | undefined)[]
): { readonly headline: string; readonly detail: string } => {
  const base = outcomes[methods.findIndex((method) => method.name === baseline)]
  const place = spokenOf(methods)
  const ours = outcomes[place]
  if (ours === undefined) return { headline: "Simulating…", detail: name }
  if (ours.kind === "failed")
    return { headline: `${methods[place]!.name} does not run here.`, detail: ours.reason }
  const { metrics } = ours
  const limit = mainLimit(metrics.limits)
  const share = Math.round(metrics.limits[limit] * 100)
  const against =
    base?.kind === "simulated" && base !== ours && base.requests === ours.requests
      ? `${(metrics.throughput.tokensPerSecond / base.metrics.throughput.tokensPerSecond).toFixed(2)}× the ${baseline} throughput`
      : `${metrics.throughput.tokensPerSecond.toPrecision(3)} tok/s`
  return {
    headline: `${methods[place]!.name} serves ${against} here; limited by ${LIMIT_WORDS[limit]}, ${share} % of the time.`,
    detail:
      ours.requests < requests
        ? `${name}. A quick look: ${ours.requests} of ${requests} requests; the whole run follows. Modelled.`
        : `${name}. All ${requests} requests. Modelled.`
  }
}
