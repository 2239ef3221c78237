/**
 * Per-request logs of a vLLM engine, one JSON object a line: `input_toks`, `output_toks`, `arrival_time` (wall clock), and on
 * the engine's own clock `queued_ts`, `scheduled_ts`, `first_token_ts`, `last_token_ts`, seconds (casys-kaist/LLMServingSim,
 * bench). The two clocks are joined where a request was queued soonest after it arrived.
 */
import type { Fault } from "../../scenario/fault.ts"
import { latenciesOf, type MeasuredRequest, type MeasuredRun } from "./measured-run.ts"

const COUNTS = ["input_toks", "output_toks"] as const
const TIMES = ["arrival_time", "queued_ts", "first_token_ts", "last_token_ts"] as const
type Line = Readonly<Record<(typeof COUNTS)[number] | (typeof TIMES)[number], number>>

/** Whether a text looks like such a log: its first line has the fields. */
export const isEngineLog = (text: string): boolean => {
  const first = text.split("\n", 1)[0]!
  return COUNTS.concat(TIMES as never).every((field) => first.includes(`"${field}"`))
}

/** Reads a log; every bad line is a fault where it stands. */
export const readEngineLog = (
  file: string,
  text: string
): { readonly run: MeasuredRun | undefined; readonly faults: readonly Fault[] } => {
  const faults: Fault[] = []
  const lines: Line[] = []
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return
    const fault = (field: string, message: string): void => {
      if (faults.length < 20) faults.push({ file, line: i + 1, column: 1, field, message, excerpt: line })
    }
    let value: Readonly<Record<string, unknown>>
    try {
      value = JSON.parse(line) as Readonly<Record<string, unknown>>
    } catch {
      fault("", "expected a JSON object")
      return
    }
    const before = faults.length
    for (const field of COUNTS)
      if (!Number.isSafeInteger(value[field]) || Number(value[field]) < 1)
        fault(field, "expected a whole number ≥ 1")
    for (const field of TIMES)
      if (typeof value[field] !== "number" || !Number.isFinite(value[field])) fault(field, "expected seconds")
    if (faults.length > before) return
    const sound = value as Line
    if (sound.first_token_ts < sound.queued_ts || sound.last_token_ts < sound.first_token_ts)
      fault("first_token_ts", "expected queued_ts ≤ first_token_ts ≤ last_token_ts")
    else lines.push(sound)
  })
  if (faults.length === 0 && lines.length === 0)
    faults.push({ file, line: 1, column: 1, field: "", message: "expected at least one request, found none" })
  if (faults.length > 0) return { run: undefined, faults }
  const sorted = lines.toSorted((a, b) => a.arrival_time - b.arrival_time)
  const first = sorted[0]!.arrival_time
  const apart = sorted.reduce(
    (least, one) => Math.min(least, one.queued_ts - one.arrival_time),
    Number.POSITIVE_INFINITY
  )
  const requests = sorted.map((one): MeasuredRequest => ({
    arrival: one.arrival_time - first,
    input: one.input_toks,
    output: one.output_toks,
    ttft: one.first_token_ts - one.arrival_time - apart,
    e2el: one.last_token_ts - one.arrival_time - apart
  }))
  const span = requests.reduce((most, one) => Math.max(most, one.arrival + one.e2el!), 0)
  return {
    run: {
      name: file,
      requests,
      latencies: latenciesOf(requests),
      tokensPerSecond: requests.reduce((sum, { output }) => sum + output, 0) / span,
      notes: [
        "clocks joined where a request was queued soonest after it arrived; latencies are too short by that delay"
      ]
    },
    faults
  }
}
