/**
 * Results of vLLM's serving benchmark (`vllm bench serve --save-result --save-detailed`, `benchmark_serving.py` before). Read
 * are: completed, duration, output_throughput, request_rate, burstiness, max_concurrency, input_lens, output_lens, ttfts
 * and itls (s), errors, start_times (s, where the version writes them), and mean_, median_, p90_, p95_, p99_ of ttft, tpot, itl and
 * e2el (ms) where the details are missing. Other fields are left alone.
 */
import { Random } from "../../sim/kernel/random.ts"
import {
  type Latency,
  LATENCIES,
  latenciesOf,
  type LatencySummary,
  type MeasuredRequest,
  type MeasuredRun,
  summarise
} from "./measured-run.ts"
import { type Complaint, isRecord, numbers } from "./json.ts"

/** Whether a JSON value is such a result. */
export const isVllmBench = (value: unknown): boolean =>
  isRecord(value) &&
  "completed" in value &&
  "request_throughput" in value &&
  ("input_lens" in value || "mean_ttft_ms" in value)

/** Seconds a request took beyond its first token. */
const decoding = (gaps: readonly number[]): number => gaps.reduce((sum, gap) => sum + gap, 0)

const summaryOf = (value: Readonly<Record<string, unknown>>, latency: Latency): LatencySummary => {
  const of = (name: string): number | undefined => {
    const found = value[`${name}_${latency}_ms`]
    return typeof found === "number" && Number.isFinite(found) ? found / 1e3 : undefined
  }
  const all = {
    mean: of("mean"),
    p50: of("median") ?? of("p50"),
    p90: of("p90"),
    p95: of("p95"),
    p99: of("p99")
  }
  return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined))
}

/** Gaps between arrivals, seconds: as the benchmark draws them for a finite rate, none for an infinite one. */
const arrivalsOf = (
  count: number,
  rate: unknown,
  burstiness: unknown,
  notes: string[]
): readonly number[] => {
  const finite = typeof rate === "number" && Number.isFinite(rate) && rate > 0
  const shape = typeof burstiness === "number" && burstiness > 0 ? burstiness : 1
  if (!finite) {
    notes.push("no start_times: all requests arrive at once, as at an infinite request_rate")
    return Array.from({ length: count }, () => 0)
  }
  notes.push(
    `no start_times: arrivals drawn anew at ${rate} requests/s, burstiness ${shape}; not the ones of the run`
  )
  const random = new Random(1, "import", "arrivals")
  let at = 0
  return Array.from({ length: count }, (_, i) => {
    if (i > 0) at += random.gamma(shape) / (shape * rate)
    return at
  })
}

/** Reads a result; complaints name the field. */
export const readVllmBench = (
  name: string,
  value: Readonly<Record<string, unknown>>
): { readonly run: MeasuredRun | undefined; readonly complaints: readonly Complaint[] } => {
  const complaints: Complaint[] = []
  const notes: string[] = []
  const inputs = numbers(value, "input_lens", complaints)
  const outputs = numbers(value, "output_lens", complaints)
  const ttfts = numbers(value, "ttfts", complaints)
  const starts = numbers(value, "start_times", complaints)
  const n = inputs?.length ?? 0
  for (const [field, list] of Object.entries({ output_lens: outputs, ttfts, start_times: starts }))
    if (list !== undefined && list.length !== n)
      complaints.push({
        field,
        message: `expected ${n} values, one for each of input_lens, found ${list.length}`
      })
  if (inputs !== undefined && outputs === undefined && complaints.length === 0)
    complaints.push({ field: "output_lens", message: "is missing beside input_lens" })
  const gaps = value["itls"]
  if (gaps !== undefined && !(Array.isArray(gaps) && gaps.length === n && gaps.every(Array.isArray)))
    complaints.push({ field: "itls", message: `expected ${n} lists of seconds` })
  if (complaints.length > 0) return { run: undefined, complaints }

  const errors = Array.isArray(value["errors"]) ? (value["errors"] as readonly unknown[]) : []
  const arrivals = starts ?? arrivalsOf(n, value["request_rate"], value["burstiness"], n > 0 ? notes : [])
  if (typeof value["max_concurrency"] === "number")
    notes.push(
      `the client held requests back at ${value["max_concurrency"]} in flight: give concurrency, not arrivals, to compare`
    )
  const itls: number[] = []
  const all = (inputs ?? []).flatMap((input, i): MeasuredRequest[] => {
    const output = outputs![i]!
    const failed = (typeof errors[i] === "string" && errors[i] !== "") || output < 1 || input < 1
    if (failed) return []
    const steps = (gaps as readonly (readonly number[])[] | undefined)?.[i]
    if (steps !== undefined) itls.push(...steps)
    const ttft = ttfts?.[i]
    return [
      {
        arrival: arrivals[i]!,
        input,
        output,
        ...(ttft === undefined ? {} : { ttft }),
        ...(ttft === undefined || steps === undefined ? {} : { e2el: ttft + decoding(steps) })
      }
    ]
  })
  if (all.length < n) notes.push(`${n - all.length} of ${n} requests failed and are left out`)
  if (n === 0) notes.push("no input_lens: a summary only, run with --save-detailed for a workload")
  const first = all.reduce((least, { arrival }) => Math.min(least, arrival), Number.POSITIVE_INFINITY)
  const requests = all
    .map((one) => ({ ...one, arrival: one.arrival - first }))
    .toSorted((a, b) => a.arrival - b.arrival)
  const own = latenciesOf(requests)
  const itl = summarise(itls)
  const rate = value["output_throughput"]
  return {
    run: {
      name,
      requests,
      latencies: Object.fromEntries(
        LATENCIES.flatMap((latency): (readonly [Latency, LatencySummary])[] => {
          const found = latency === "itl" ? itl : own[latency]
          const summary = found ?? summaryOf(value, latency)
          return Object.keys(summary).length === 0 ? [] : [[latency, summary]]
        })
      ),
      ...(typeof rate === "number" ? { tokensPerSecond: rate } : {}),
      notes
    },
    complaints
  }
}
