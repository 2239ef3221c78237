/**
 * Results of GuideLLM (benchmarks.json). Read are, of one benchmark, `requests.successful`: of each request prompt_tokens and
 * output_tokens, and its times, which versions spell differently: `start_time`, `first_token_time`, `last_token_time` (to
 * 0.3), or `info.timings` with request_start, first_token_iteration or first_iteration, last_token_iteration or last_iteration
 * (later). Seconds on the wall clock. Failed and incomplete requests are counted and left out.
 */
import { type Complaint, isNumber, isRecord } from "./json.ts"
import { latenciesOf, type MeasuredRequest, type MeasuredRun } from "./measured-run.ts"

/** Whether a JSON value is such a result. */
export const isGuideLlm = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(value["benchmarks"]) && value["benchmarks"].every(isRecord)

type Fields = Readonly<Record<string, unknown>>

const first = (fields: Fields, ...names: readonly string[]): number | undefined =>
  names.map((name) => fields[name]).find(isNumber)

const requestOf = (one: Fields): MeasuredRequest | undefined => {
  const info = isRecord(one["info"]) ? one["info"] : {}
  const timings = isRecord(info["timings"]) ? info["timings"] : {}
  const metrics = (side: string): Fields => (isRecord(one[side]) ? one[side] : {})
  const input = first(one, "prompt_tokens") ?? first(metrics("input_metrics"), "total_tokens", "text_tokens")
  const output =
    first(one, "output_tokens") ?? first(metrics("output_metrics"), "total_tokens", "text_tokens")
  const start =
    first(one, "start_time") ?? first(timings, "request_start") ?? first(one, "request_start_time")
  if (input === undefined || output === undefined || start === undefined) return undefined
  if (!Number.isInteger(input) || !Number.isInteger(output) || input < 1 || output < 1) return undefined
  const token = first(one, "first_token_time") ?? first(timings, "first_token_iteration", "first_iteration")
  const last = first(one, "last_token_time") ?? first(timings, "last_token_iteration", "last_iteration")
  return {
    arrival: start,
    input,
    output,
    ...(token === undefined ? {} : { ttft: token - start }),
    ...(last === undefined ? {} : { e2el: last - start })
  }
}

/** Reads the benchmark of that number, from 0; complaints name the field. */
export const readGuideLlm = (
  name: string,
  value: Fields,
  which: number
): { readonly run: MeasuredRun | undefined; readonly complaints: readonly Complaint[] } => {
  const benchmarks = value["benchmarks"] as readonly Fields[]
  const chosen = benchmarks[which]
  const at = `benchmarks[${which}]`
  if (chosen === undefined)
    return {
      run: undefined,
      complaints: [{ field: at, message: `is missing: the file has ${benchmarks.length}, counted from 0` }]
    }
  const groups = isRecord(chosen["requests"]) ? chosen["requests"] : {}
  const done = groups["successful"]
  if (!Array.isArray(done) || done.length === 0)
    return {
      run: undefined,
      complaints: [{ field: `${at}.requests.successful`, message: "expected at least one request" }]
    }
  const complaints: Complaint[] = []
  const read = done.flatMap((one, i): MeasuredRequest[] => {
    const request = isRecord(one) ? requestOf(one) : undefined
    if (request !== undefined) return [request]
    if (complaints.length < 20)
      complaints.push({
        field: `${at}.requests.successful[${i}]`,
        message: "expected prompt_tokens and output_tokens ≥ 1 and the time it was sent"
      })
    return []
  })
  if (complaints.length > 0) return { run: undefined, complaints }
  const start = read.reduce((least, { arrival }) => Math.min(least, arrival), Number.POSITIVE_INFINITY)
  const requests = read
    .map((one) => ({ ...one, arrival: one.arrival - start }))
    .toSorted((a, b) => a.arrival - b.arrival)
  const notes = (["errored", "incomplete"] as const).flatMap((group) => {
    const some = groups[group]
    return Array.isArray(some) && some.length > 0 ? [`${some.length} ${group} requests are left out`] : []
  })
  const end = requests.reduce((most, one) => Math.max(most, one.arrival + (one.e2el ?? 0)), 0)
  return {
    run: {
      name: benchmarks.length > 1 ? `${name} ${at}` : name,
      requests,
      latencies: latenciesOf(requests),
      ...(end > 0 ? { tokensPerSecond: requests.reduce((sum, { output }) => sum + output, 0) / end } : {}),
      notes:
        benchmarks.length > 1
          ? [...notes, `the file has ${benchmarks.length} benchmarks; --benchmark chooses`]
          : notes
    },
    complaints
  }
}
