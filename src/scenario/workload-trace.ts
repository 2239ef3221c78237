/** Recorded workloads: Azure's CSV, Mooncake's JSONL, BurstGPT's CSV. Every bad line is reported where it stands. */
import type { RecordedRequest } from "./resolved.ts"
import type { Fault } from "./fault.ts"

/** Tokens of one prefix block in a Mooncake trace (its README). */
export const MOONCAKE_BLOCK = 512

export interface ParsedTrace {
  readonly requests: readonly RecordedRequest[]
  readonly faults: readonly Fault[]
}

/** More faults than this say the same thing again. */
const MAX_FAULTS = 20

const collect = (
  file: string,
  text: string,
  firstLine: number,
  parse: (
    line: string,
    fail: (column: number, field: string, message: string) => void
  ) => RecordedRequest | undefined
): ParsedTrace => {
  const faults: Fault[] = []
  const requests: RecordedRequest[] = []
  const lines = text.split("\n")
  const last = lines.at(-1) === "" ? lines.length - 1 : lines.length
  let start: number | undefined
  for (let i = firstLine; i < last; i++) {
    const line = lines[i]!.trimEnd()
    const fail = (column: number, field: string, message: string): void => {
      if (faults.length < MAX_FAULTS)
        faults.push({
          file,
          line: i + 1,
          column,
          field,
          message: `${message}${i === last - 1 && last === lines.length ? " (the last line has no line end: is the file truncated?)" : ""}`,
          excerpt: line
        })
    }
    const request = parse(line, fail)
    if (request === undefined) continue
    start ??= request.arrival
    const arrival = request.arrival - start
    if (arrival < (requests.at(-1)?.arrival ?? 0))
      fail(1, "timestamp", "expected arrivals in order, found one before its predecessor")
    else requests.push({ ...request, arrival })
  }
  if (faults.length === 0 && requests.length === 0)
    faults.push({ file, line: 1, column: 1, field: "", message: "expected at least one request, found none" })
  return { requests, faults }
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1

/**
 * Columns TIMESTAMP, ContextTokens, GeneratedTokens (Azure/AzurePublicDataset). Timestamps as `2023-11-16 18:15:46.6805900` in
 * 2023, and with an offset, `2024-05-10 00:00:00.009930+00:00`, in 2024.
 */
export const parseAzureCsv = (file: string, text: string): ParsedTrace => {
  const header = text.split("\n", 1)[0]!.trim()
  if (header !== "TIMESTAMP,ContextTokens,GeneratedTokens") {
    return {
      requests: [],
      faults: [
        {
          file,
          line: 1,
          column: 1,
          field: "",
          message: `expected the header TIMESTAMP,ContextTokens,GeneratedTokens, found ${JSON.stringify(header.slice(0, 60))}`
        }
      ]
    }
  }
  return collect(file, text, 1, (line, fail) => {
    const cells = line.split(",")
    if (cells.length !== 3) {
      fail(1, "", `expected 3 columns, found ${cells.length}`)
      return undefined
    }
    const [stamp, context, generated] = cells as [string, string, string]
    const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(stamp)
    const whole = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}${match[4] ?? "Z"}`)
    const arrival = whole / 1000 + Number(match?.[3] ?? 0)
    const input = Number(context)
    const output = Number(generated)
    if (Number.isNaN(arrival))
      fail(1, "TIMESTAMP", `expected a time such as 2023-11-16 18:15:46.68, found ${JSON.stringify(stamp)}`)
    if (!isCount(input))
      fail(stamp.length + 2, "ContextTokens", `expected a whole number ≥ 1, found ${JSON.stringify(context)}`)
    if (!isCount(output))
      fail(
        stamp.length + context.length + 3,
        "GeneratedTokens",
        `expected a whole number ≥ 1, found ${JSON.stringify(generated)}`
      )
    return Number.isNaN(arrival) || !isCount(input) || !isCount(output)
      ? undefined
      : { arrival, input, output }
  })
}

/** One object a line: timestamp (ms), input_length, output_length, hash_ids (kvcache-ai/Mooncake). */
export const parseMooncakeJsonl = (file: string, text: string): ParsedTrace =>
  collect(file, text, 0, (line, fail) => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      fail(line.length + 1, "", "expected a JSON object")
      return undefined
    }
    const {
      timestamp,
      input_length: input,
      output_length: output,
      hash_ids: blocks
    } = (value ?? {}) as Record<string, unknown>
    if (typeof timestamp !== "number" || !Number.isFinite(timestamp))
      fail(1, "timestamp", "expected milliseconds")
    if (!isCount(input)) fail(1, "input_length", "expected a whole number ≥ 1")
    if (!isCount(output)) fail(1, "output_length", "expected a whole number ≥ 1")
    const wellFormed =
      blocks === undefined || (Array.isArray(blocks) && blocks.every((block) => Number.isSafeInteger(block)))
    if (!wellFormed) fail(1, "hash_ids", "expected whole numbers")
    if (
      typeof timestamp !== "number" ||
      !Number.isFinite(timestamp) ||
      !isCount(input) ||
      !isCount(output) ||
      !wellFormed
    )
      return undefined
    return {
      arrival: timestamp / 1000,
      input,
      output,
      ...(blocks === undefined ? {} : { blocks: blocks as number[] })
    }
  })

/** Columns of BurstGPT's files that are read, the first of them; later releases add more behind. */
export const BURSTGPT_HEADER = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"

/**
 * BurstGPT's CSV (HPMLL/BurstGPT): Timestamp (s), Model, Request tokens, Response tokens; the rest is not read. Requests that
 * failed have no response tokens and are left out.
 */
export const parseBurstGptCsv = (file: string, text: string): ParsedTrace => {
  const header = text.split("\n", 1)[0]!.trim()
  if (!header.startsWith(BURSTGPT_HEADER)) {
    const message = `expected the header ${BURSTGPT_HEADER}, found ${JSON.stringify(header.slice(0, 60))}`
    return { requests: [], faults: [{ file, line: 1, column: 1, field: "", message }] }
  }
  const columns = header.split(",").length
  return collect(file, text, 1, (line, fail) => {
    const cells = line.split(",")
    if (cells.length !== columns) {
      fail(1, "", `expected ${columns} columns, found ${cells.length}`)
      return undefined
    }
    const [stamp, model, request, response] = cells as [string, string, string, string]
    const arrival = stamp === "" ? Number.NaN : Number(stamp)
    const input = Number(request)
    const output = Number(response)
    const third = stamp.length + model.length + 3
    if (!Number.isFinite(arrival)) fail(1, "Timestamp", `expected seconds, found ${JSON.stringify(stamp)}`)
    if (!isCount(input))
      fail(third, "Request tokens", `expected a whole number ≥ 1, found ${JSON.stringify(request)}`)
    if (response === "" || !Number.isSafeInteger(output) || output < 0)
      fail(
        third + request.length + 1,
        "Response tokens",
        `expected a whole number ≥ 0, found ${JSON.stringify(response)}`
      )
    return Number.isFinite(arrival) && isCount(input) && isCount(output)
      ? { arrival, input, output }
      : undefined
  })
}
