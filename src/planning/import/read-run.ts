/** Runs and workloads of other tools, by what the file says it is. */
import type { Fault } from "../../scenario/fault.ts"
import type { RecordedRequest } from "../../scenario/resolved.ts"
import {
  BURSTGPT_HEADER,
  type ParsedTrace,
  parseAzureCsv,
  parseBurstGptCsv,
  parseMooncakeJsonl
} from "../../scenario/workload-trace.ts"
import { isEngineLog, readEngineLog } from "./engine-log.ts"
import { isGuideLlm, readGuideLlm } from "./guidellm.ts"
import { type Place, placeOf } from "./json-place.ts"
import { type Complaint, isRecord } from "./json.ts"
import { isLengths, readLengths } from "./lengths.ts"
import type { MeasuredRun } from "./measured-run.ts"
import { isVllmBench, readVllmBench } from "./vllm-bench.ts"

export interface ReadRun {
  /** What the file was taken for, in words. */
  readonly kind: string
  readonly run: MeasuredRun | undefined
  readonly faults: readonly Fault[]
}

export interface ReadOptions {
  /** Requests per second, where a file has lengths and no arrivals. */
  readonly rate?: number
  /** Which benchmark of several, from 0. */
  readonly benchmark?: number
}

const FORMATS =
  "vLLM benchmark JSON, GuideLLM JSON, vLLM engine log, Azure CSV, BurstGPT CSV, Mooncake JSON lines, lengths, ShareGPT JSON"

const fromTrace = (
  kind: string,
  file: string,
  parse: (file: string, text: string) => ParsedTrace,
  text: string
): ReadRun => {
  const { requests, faults } = parse(file, text)
  const run =
    faults.length > 0 ? undefined : { name: file, requests, latencies: {}, notes: [] as readonly string[] }
  return { kind, run, faults }
}

/** Place of the record `[i]` of JSON lines. */
const placeInLines = (text: string, field: string): Place => {
  const lines = text.split("\n").flatMap((line, i) => (line.trim() === "" ? [] : [i + 1]))
  return { line: lines[Number(/^\[(\d+)\]/.exec(field)?.[1] ?? 0)] ?? 1, column: 1 }
}

/** Complaints about JSON as faults of the file, where the field stands in its text. */
const fromJson = (
  kind: string,
  file: string,
  text: string,
  { run, complaints }: { readonly run: MeasuredRun | undefined; readonly complaints: readonly Complaint[] }
): ReadRun => ({
  kind,
  run,
  faults: complaints.map(({ field, message }) => {
    const place = (jsonOf(text) === undefined ? placeInLines : placeOf)(text, field)
    return { file, ...place, field, message, excerpt: text.split("\n", place.line)[place.line - 1]! }
  })
})

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One value a line; undefined if a line is none. */
const linesOf = (text: string): readonly unknown[] | undefined => {
  const values = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(jsonOf)
  return values.length > 0 && !values.includes(undefined) ? values : undefined
}

/** Reads a file of any format known; a fault says which are, if it is none of them. */
export const readRun = (file: string, text: string, { rate, benchmark = 0 }: ReadOptions = {}): ReadRun => {
  const header = text.split("\n", 1)[0]!.trim()
  if (header.startsWith("TIMESTAMP,")) return fromTrace("Azure CSV", file, parseAzureCsv, text)
  if (header.startsWith(BURSTGPT_HEADER)) return fromTrace("BurstGPT CSV", file, parseBurstGptCsv, text)
  if (isEngineLog(text)) return { kind: "vLLM engine log", ...readEngineLog(file, text) }
  if (header.includes('"timestamp"') && header.includes('"input_length"'))
    return fromTrace("Mooncake JSON lines", file, parseMooncakeJsonl, text)
  const whole = jsonOf(text)
  if (isRecord(whole) && isVllmBench(whole))
    return fromJson("vLLM benchmark JSON", file, text, readVllmBench(file, whole))
  if (isRecord(whole) && isGuideLlm(whole))
    return fromJson("GuideLLM JSON", file, text, readGuideLlm(file, whole, benchmark))
  const records = Array.isArray(whole) ? (whole as readonly unknown[]) : linesOf(text)
  if (records !== undefined && isLengths(records))
    return fromJson("lengths", file, text, readLengths(file, records, rate))
  return {
    kind: "unknown",
    run: undefined,
    faults: [
      {
        file,
        line: 1,
        column: 1,
        field: "",
        message: "expected a workload or a measured run, found something else",
        suggestion:
          isRecord(whole) && "model_type" in whole
            ? "a Hugging Face config.json is a model: give it as --model, or in a scenario as model: { config: … }"
            : `known are ${FORMATS}`,
        excerpt: header.slice(0, 110)
      }
    ]
  }
}

/** Requests as JSON lines in Mooncake's layout: timestamp (ms), input_length, output_length. */
export const asJsonLines = (requests: readonly RecordedRequest[]): string =>
  requests
    .map(({ arrival, input, output, blocks }) =>
      JSON.stringify({
        timestamp: Number((arrival * 1e3).toFixed(6)),
        input_length: input,
        output_length: output,
        ...(blocks === undefined ? {} : { hash_ids: blocks })
      })
    )
    .join("\n")
    .concat("\n")
