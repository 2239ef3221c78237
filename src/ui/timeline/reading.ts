/** Reads files of traces off the page's thread. */
import { readTraceSoFar } from "../../trace/read-trace.ts"
import type { TraceView } from "../shell/traces.ts"

/** What the worker answers: what could be read, and where a broken file breaks off. */
export interface Reading {
  readonly trace: TraceView | undefined
  readonly problem: string | undefined
}

addEventListener("message", ({ data }: MessageEvent<File>) => void read(data).then(answer))

const answer = (reading: Reading): void => postMessage(reading)

const read = async (file: File): Promise<Reading> => {
  if (!/\.jsonl$/i.test(file.name))
    return {
      trace: undefined,
      problem: `${file.name} is no trace in JSON lines. Write one with "vericache simulate FILE --trace run.jsonl".`
    }
  try {
    const { trace, fault } = readTraceSoFar(await file.text())
    const problem = fault === undefined ? undefined : `${file.name}:${fault.message}`
    if (trace === undefined) return { trace, problem }
    const { meta, tracks, slices, instants, counters, flows, dropped } = trace
    return { trace: { meta, tracks, slices, instants, counters, flows, dropped }, problem }
  } catch (error) {
    return { trace: undefined, problem: error instanceof Error ? error.message : String(error) }
  }
}
