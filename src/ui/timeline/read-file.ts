/** Reads files of traces: ours in JSON lines, others' in Chrome's format or Perfetto's. */
import type { ForeignTrace } from "../../trace/foreign.ts"
import { readChrome } from "../../trace/read-chrome.ts"
import { readPerfetto } from "../../trace/read-perfetto.ts"
import { readTraceAsItComes } from "../../trace/read-trace.ts"
import type { TraceStore } from "../../trace/store.ts"
import { contentOf, type OpenedFile } from "../shell/opened-file.ts"
import type { TraceView } from "../shell/traces.ts"

/** What could be read, and where a broken file breaks off. */
export interface Reading {
  readonly trace: TraceView | undefined
  readonly problem: string | undefined
}

/** How much of a file has come, bytes; `of` how many, where that is known. */
export interface Come {
  readonly bytes: number
  readonly of: number | undefined
}

/** Who wants to hear of a file while it is read. */
export interface Hearer {
  /** How much has come, now and then. */
  readonly come: (come: Come) => void
  /** What of a trace of ours has been read; it goes on growing. */
  readonly soFar: (trace: TraceView) => void
}

/** What of a file can be read. Never fails: what is wrong is said. */
export const readFile = async (file: OpenedFile, hearer?: Hearer): Promise<Reading> => {
  try {
    const content = await contentOf(file)
    const stream = await unpacked(counted(piecesOf(content.body!), sizeOf(file, content), hearer?.come))
    const name = file.name.replace(/\.gz$/i, "")
    if (/\.jsonl$/i.test(name)) return await ours(name, stream, hearer)
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
    if (/\.json$/i.test(name)) {
      const found = readChrome(name, new TextDecoder().decode(bytes))
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

/** Pieces of a stream, as they come. */
async function* piecesOf<A>(stream: ReadableStream<A>): AsyncGenerator<A> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

const sizeOf = (file: OpenedFile, { headers }: Response): number | undefined => {
  if (file instanceof File) return file.size
  const length = Number(headers.get("content-length"))
  return length > 0 ? length : undefined
}

/** Bytes from one telling to the next. */
const TOLD_EVERY = 1 << 20

/** The pieces, and word of how much they come to. */
async function* counted<A extends Uint8Array>(
  pieces: AsyncIterable<A>,
  of: number | undefined,
  told: ((come: Come) => void) | undefined
): AsyncGenerator<A> {
  let bytes = 0
  let last = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes - last >= TOLD_EVERY) {
      told?.({ bytes, of })
      last = bytes
    }
    yield piece
  }
}

/** The bytes of a file as they come, without gzip where it has that. */
const unpacked = async (
  pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>
): Promise<ReadableStream<Uint8Array>> => {
  const first = await pieces.next()
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      if (first.done !== true) controller.enqueue(first.value)
    },
    pull: async (controller) => {
      const { done, value } = await pieces.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    }
  })
  const gzip = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b
  return gzip ? whole.pipeThrough(new DecompressionStream("gzip")) : whole
}

/** Lines are read while the next are on their way. */
const ours = async (
  name: string,
  stream: ReadableStream<Uint8Array>,
  hearer: Hearer | undefined
): Promise<Reading> => {
  const { trace, fault } = await readTraceAsItComes(piecesOf(stream), (soFar) => hearer?.soFar(viewOf(soFar)))
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
