/** Reads files of traces: ours in JSON lines, others' in Chrome's format or Perfetto's. */
import type { ForeignTrace } from "../../trace/foreign.ts"
import { readChrome } from "../../trace/read-chrome.ts"
import { readPerfetto } from "../../trace/read-perfetto.ts"
import { readTraceSoFar } from "../../trace/read-trace.ts"
import type { TraceStore } from "../../trace/store.ts"
import type { TraceView } from "../shell/traces.ts"

/** What could be read, and where a broken file breaks off. */
export interface Reading {
  readonly trace: TraceView | undefined
  readonly problem: string | undefined
}

/** What of a file can be read. Never fails: what is wrong is said. */
export const readFile = async (file: File): Promise<Reading> => {
  try {
    const bytes = await unpacked(file)
    const name = file.name.replace(/\.gz$/i, "")
    if (/\.jsonl$/i.test(name)) return ours(name, textOf(bytes))
    if (/\.json$/i.test(name)) {
      const found = readChrome(name, textOf(bytes))
      return "problem" in found ? { trace: undefined, problem: found.problem } : foreign(found, undefined)
    }
    if (/\.(pftrace|perfetto-trace|pb|perfetto)$/i.test(name)) {
      const { found, problem } = readPerfetto(name, bytes)
      return found === undefined ? { trace: undefined, problem } : foreign(found, problem)
    }
    return {
      trace: undefined,
      problem: `${file.name} is no trace this page knows by its name: expected .jsonl (vericache simulate FILE --trace run.jsonl), .json (Chrome's trace events) or .pftrace (Perfetto), each also as .gz.`
    }
  } catch (error) {
    return { trace: undefined, problem: error instanceof Error ? error.message : String(error) }
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The bytes of a file, without gzip where it has that. */
const unpacked = async (file: File): Promise<Uint8Array> => {
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

const ours = (name: string, text: string): Reading => {
  const { trace, fault } = readTraceSoFar(text)
  const problem = fault === undefined ? undefined : `${name}:${fault.message}`
  return { trace: trace === undefined ? undefined : viewOf(trace), problem }
}

/** What is left out is said as well as what is broken. */
const foreign = ({ trace, names, left }: ForeignTrace, broken: string | undefined): Reading => {
  const without = left.length === 0 ? undefined : `Not shown: ${left.join(", ")}`
  const problem = [broken, without].filter((one) => one !== undefined).join(". ")
  return { trace: { ...viewOf(trace), names }, problem: problem === "" ? undefined : problem }
}

const viewOf = ({ meta, tracks, slices, instants, counters, flows, dropped }: TraceStore): TraceView => ({
  meta,
  tracks,
  slices,
  instants,
  counters,
  flows,
  dropped
})
