/** How far a prediction is from what was measured: of passes by kind, of rounds, of requests, and end to end. */
import type { Method, Scenario } from "../scenario/resolved.ts"
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import type { Outcome } from "./outcome.ts"
import { passFacts, passPrice } from "./pass-price.ts"
import { type RecordedPasses, recordedPasses } from "./passes.ts"

/** Predicted over measured, of several of a kind. */
export interface Residual {
  readonly what: string
  readonly count: number
  /** Median of predicted over measured, and between which values it lies with 95 % confidence. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** Relative errors without their sign. */
  readonly medianError: number
  readonly p90Error: number
}

/**
 * Summary of ratios. The interval of the median is that of the order statistics: no distribution is assumed (Conover, Practical
 * Nonparametric Statistics, 3.2); with fewer than six values it is all of them.
 */
export const residual = (what: string, ratios: readonly number[]): Residual | undefined => {
  if (ratios.length === 0) return undefined
  const sorted = ratios.toSorted((a, b) => a - b)
  const n = sorted.length
  const reach = (1.96 * Math.sqrt(n)) / 2
  const errors = ratios.map((ratio) => Math.abs(ratio - 1)).toSorted((a, b) => a - b)
  return {
    what,
    count: n,
    ratio: n % 2 === 1 ? sorted[n >> 1]! : (sorted[(n >> 1) - 1]! + sorted[n >> 1]!) / 2,
    low: sorted[Math.max(0, Math.floor(n / 2 - reach))]!,
    high: sorted[Math.min(n - 1, Math.ceil(n / 2 + reach))]!,
    medianError: errors[Math.floor(0.5 * (n - 1))]!,
    p90Error: errors[Math.floor(0.9 * (n - 1))]!
  }
}

const kindOf = ({ load }: RecordedPasses): string =>
  (["prefill", "decode", "draft", "verify"] as const).filter((kind) => load[kind].requests > 0).join(" + ")

/** Times of passes by the scenario's hardware against those a machine recorded; one residual a kind, and of all. */
export const passResiduals = (
  scenario: Scenario,
  method: Method,
  measured: TraceStore
): readonly Residual[] => {
  if (method.kind === "offloaded") return []
  const price = passPrice(scenario, method, scenario.hardware)
  const all: number[] = []
  const byKind = new Map<string, number[]>()
  for (const pass of recordedPasses(measured, passFacts(scenario, method))) {
    const ratio = price(pass) / pass.seconds
    all.push(ratio)
    byKind.set(kindOf(pass), [...(byKind.get(kindOf(pass)) ?? []), ratio])
  }
  return [
    residual("all passes", all),
    ...[...byKind]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, ratios]) => residual(`passes: ${kind}`, ratios))
  ].filter((one) => one !== undefined)
}

/** Nanoseconds from the end of a request's round before (or its first draft) to the end of each of its rounds. */
const roundTimes = ({ slices, tracks }: TraceStore): ReadonlyMap<string, number> => {
  const ends = new Map<string, number>()
  const starts = new Map<string, number>()
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== "request" || slices.round[row] === 0) continue
    const key = `${slices.request[row]} ${slices.round[row]}`
    const kind = EVENT_KINDS[slices.kind[row]!]
    if (kind === "verify") ends.set(key, slices.end[row]!)
    else if (kind === "draft") starts.set(key, Math.min(starts.get(key) ?? Infinity, slices.start[row]!))
  }
  return new Map(
    [...ends].flatMap(([key, end]) => {
      const start = starts.get(key)
      return start === undefined || end <= start ? [] : [[key, end - start] as const]
    })
  )
}

/** Nanoseconds from a request's arrival to its end. */
const requestTimes = ({ instants }: TraceStore): ReadonlyMap<string, number> => {
  const arrived = new Map<number, number>()
  const times = new Map<string, number>()
  for (let row = 0; row < instants.length; row++) {
    const request = instants.request[row]!
    const kind = EVENT_KINDS[instants.kind[row]!]
    if (kind === "arrive") arrived.set(request, instants.at[row]!)
    else if (kind === "finish") times.set(`${request}`, instants.at[row]! - (arrived.get(request) ?? 0))
  }
  return times
}

const paired = (
  predicted: ReadonlyMap<string, number>,
  measured: ReadonlyMap<string, number>
): readonly number[] =>
  [...measured].flatMap(([key, real]) => {
    const ours = predicted.get(key)
    return ours === undefined || !(real > 0) ? [] : [ours / real]
  })

/** Rounds and requests of two runs of one scenario, each beside its own. */
export const eventResiduals = (predicted: TraceStore, measured: TraceStore): readonly Residual[] =>
  [
    residual("rounds", paired(roundTimes(predicted), roundTimes(measured))),
    residual("requests, end to end", paired(requestTimes(predicted), requestTimes(measured)))
  ].filter((one) => one !== undefined)

export interface Contrast {
  readonly what: string
  readonly unit: "tokens/s" | "seconds" | "tokens"
  readonly predicted: number
  readonly measured: number
}

/** What a run comes to, predicted beside measured. */
export const contrasts = (predicted: Outcome, measured: Outcome): readonly Contrast[] => [
  {
    what: "throughput",
    unit: "tokens/s",
    predicted: predicted.tokensPerSecond,
    measured: measured.tokensPerSecond
  },
  ...(["ttft", "tpot", "e2el"] as const).flatMap((name) =>
    (["mean", "p90"] as const).map((q) => ({
      what: `${name.toUpperCase()} ${q}`,
      unit: "seconds" as const,
      predicted: predicted[name][q],
      measured: measured[name][q]
    }))
  ),
  ...(measured.rounds === 0
    ? []
    : [
        {
          what: "accepted a round",
          unit: "tokens" as const,
          predicted: predicted.meanAccepted,
          measured: measured.meanAccepted
        }
      ])
]
