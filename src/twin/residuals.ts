/** How far a prediction is from what was measured: of passes by kind, of rounds, of requests, and end to end. */
import type { Method, Scenario } from "../scenario/resolved.ts"
import { EVENT_KINDS, type EventKind } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import type { Outcome } from "./outcome.ts"
import { passFacts, passPrice } from "./pass-price.ts"
import { type RecordedPasses, recordedPasses, workOf } from "./passes.ts"

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
 * Between which of some ascending values their median lies with 95 % confidence, by their order alone: no distribution is assumed (Conover,
 * Practical Nonparametric Statistics, 3.2); with fewer than six values it is all of them.
 */
export const middleWithin = (sorted: readonly number[]): { readonly low: number; readonly high: number } => {
  const n = sorted.length
  const reach = (1.96 * Math.sqrt(n)) / 2
  return {
    low: sorted[Math.max(0, Math.floor(n / 2 - reach))]!,
    high: sorted[Math.min(n - 1, Math.ceil(n / 2 + reach))]!
  }
}

/** Summary of ratios. */
export const residual = (what: string, ratios: readonly number[]): Residual | undefined => {
  if (ratios.length === 0) return undefined
  const sorted = ratios.toSorted((a, b) => a - b)
  const n = sorted.length
  const errors = ratios.map((ratio) => Math.abs(ratio - 1)).toSorted((a, b) => a - b)
  return {
    what,
    count: n,
    ratio: n % 2 === 1 ? sorted[n >> 1]! : (sorted[(n >> 1) - 1]! + sorted[n >> 1]!) / 2,
    ...middleWithin(sorted),
    medianError: errors[Math.floor(0.5 * (n - 1))]!,
    p90Error: errors[Math.floor(0.9 * (n - 1))]!
  }
}

const kindOf = ({ load }: RecordedPasses): string =>
  (["prefill", "decode", "draft", "verify"] as const).filter((kind) => load[kind].requests > 0).join(" + ")

/** A recorded pass beside its price; `key`: passes of one key had the same to compute. */
export interface PricedPass {
  readonly kind: string
  readonly key: string
  readonly predicted: number
  readonly measured: number
}

/** The passes a machine recorded, priced on the scenario's hardware. */
export const pricedPasses = (
  scenario: Scenario,
  method: Method,
  measured: TraceStore
): readonly PricedPass[] => {
  const price = passPrice(scenario, method, scenario.hardware)
  return recordedPasses(measured, passFacts(scenario, method)).map((pass) => ({
    kind: kindOf(pass),
    key: workOf(pass),
    predicted: price(pass),
    measured: pass.seconds
  }))
}

/** Ratios by kind as residuals: of all passes, then of each kind. */
export const byKind = (
  passes: readonly { readonly kind: string; readonly ratio: number }[]
): readonly Residual[] => {
  const kinds = [...new Set(passes.map(({ kind }) => kind))].toSorted((a, b) => (a < b ? -1 : 1))
  const of = (what: string, some: typeof passes) =>
    residual(
      what,
      some.map(({ ratio }) => ratio)
    )
  return [
    of("all passes", passes),
    ...kinds.map((kind) =>
      of(
        `passes: ${kind}`,
        passes.filter((one) => one.kind === kind)
      )
    )
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

/** Nanoseconds of each transfer over the link, by kind, request and number. */
const transferTimes = ({ slices, tracks }: TraceStore, kind: EventKind): ReadonlyMap<string, number> => {
  const times = new Map<string, number>()
  const counts = new Map<number, number>()
  for (let row = 0; row < slices.length; row++) {
    const on = tracks[slices.track[row]!]!.kind
    if ((on !== "link-h2d" && on !== "link-d2h") || EVENT_KINDS[slices.kind[row]!] !== kind) continue
    const request = slices.request[row]!
    const number = (counts.get(request) ?? 0) + 1
    counts.set(request, number)
    times.set(`${request} ${number}`, slices.end[row]! - slices.start[row]!)
  }
  return times
}

/** What a run's parts took, each under a name that it has in every run of the scenario. */
export const eventTimes = (trace: TraceStore): ReadonlyMap<string, ReadonlyMap<string, number>> =>
  new Map([
    ...(["reload", "save", "stream"] as const).map(
      (kind) => [`transfers: ${kind}`, transferTimes(trace, kind)] as const
    ),
    ["rounds", roundTimes(trace)],
    ["requests, end to end", requestTimes(trace)]
  ])

export const paired = (
  predicted: ReadonlyMap<string, number>,
  measured: ReadonlyMap<string, number>
): readonly number[] =>
  [...measured].flatMap(([key, real]) => {
    const ours = predicted.get(key)
    return ours === undefined || !(real > 0) || !(ours > 0) ? [] : [ours / real]
  })

/** Transfers, rounds and requests of a prediction and of runs of one scenario, each beside its own. */
export const eventResiduals = (
  predicted: TraceStore,
  measured: readonly TraceStore[]
): readonly Residual[] => {
  const runs = measured.map(eventTimes)
  return [...eventTimes(predicted)].flatMap(
    ([what, ours]) =>
      residual(
        what,
        runs.flatMap((times) => paired(ours, times.get(what)!))
      ) ?? []
  )
}

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
