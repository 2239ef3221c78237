/** A run that was measured on a real server: what its requests were and how long they took. */
import type { RecordedRequest } from "../../scenario/resolved.ts"

/** The latencies compared, as vLLM's serving benchmark names them. */
export const LATENCIES = ["ttft", "tpot", "itl", "e2el"] as const
export type Latency = (typeof LATENCIES)[number]

/** One latency over the requests of a run, seconds. A statistic that was not reported is absent. */
export interface LatencySummary {
  readonly mean?: number
  readonly p50?: number
  readonly p90?: number
  readonly p95?: number
  readonly p99?: number
}
export const STATISTICS = ["mean", "p50", "p90", "p95", "p99"] as const
export type Statistic = (typeof STATISTICS)[number]

/** A request of a measured run; seconds. Latencies that were not recorded are absent. */
export interface MeasuredRequest extends RecordedRequest {
  /** Arrival to first token. */
  readonly ttft?: number
  /** Arrival to last token. */
  readonly e2el?: number
}

export interface MeasuredRun {
  /** What it is called in results: the tool and the file. */
  readonly name: string
  /** In order of arrival, the first at 0. */
  readonly requests: readonly MeasuredRequest[]
  readonly latencies: Readonly<Partial<Record<Latency, LatencySummary>>>
  /** Output tokens per second of the run, where it is known. */
  readonly tokensPerSecond?: number
  /** What the file left open, in words. */
  readonly notes: readonly string[]
}

/** Quantile of ascending values, interpolated linearly between ranks as NumPy does by default. */
export const quantile = (ascending: readonly number[], share: number): number => {
  const place = share * (ascending.length - 1)
  const low = Math.floor(place)
  const high = Math.min(ascending.length - 1, low + 1)
  return ascending[low]! + (ascending[high]! - ascending[low]!) * (place - low)
}

/** Mean and percentiles; undefined of nothing. */
export const summarise = (values: readonly number[]): Required<LatencySummary> | undefined => {
  if (values.length === 0) return undefined
  const ascending = values.toSorted((a, b) => a - b)
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    p50: quantile(ascending, 0.5),
    p90: quantile(ascending, 0.9),
    p95: quantile(ascending, 0.95),
    p99: quantile(ascending, 0.99)
  }
}

/** TTFT, TPOT = (E2EL − TTFT) / (tokens − 1) of requests with two tokens or more, and E2EL over requests. */
export const latenciesOf = (
  requests: readonly MeasuredRequest[]
): Readonly<Partial<Record<Latency, LatencySummary>>> => {
  const ttft = summarise(requests.flatMap((one) => (one.ttft === undefined ? [] : [one.ttft])))
  const e2el = summarise(requests.flatMap((one) => (one.e2el === undefined ? [] : [one.e2el])))
  const tpot = summarise(
    requests.flatMap((one) =>
      one.ttft === undefined || one.e2el === undefined || one.output < 2
        ? []
        : [(one.e2el - one.ttft) / (one.output - 1)]
    )
  )
  return {
    ...(ttft === undefined ? {} : { ttft }),
    ...(tpot === undefined ? {} : { tpot }),
    ...(e2el === undefined ? {} : { e2el })
  }
}
