/** Reads the JSON lines that `jsonl.ts` writes back into a store, or says at which line and column they go wrong. */
import { FORMAT, OPENED, VERSION } from "./jsonl.ts"
import { type Layout, layoutOf, readPlainRow } from "./plain-rows.ts"
import {
  EVENT_ARGS,
  EVENT_KINDS,
  type EventArgs,
  type EventKind,
  SHARE_ARGS,
  TRACK_KINDS,
  UNITS
} from "./recorder.ts"
import { eventRow, TraceStore } from "./store.ts"
import { Line, TraceFormatError } from "./trace-line.ts"

/** Restores a trace with the same digest. Chunks may end anywhere. Throws `TraceFormatError`. */
export const readTrace = (text: string | Iterable<string>): TraceStore => {
  const { trace, fault } = readTraceSoFar(text)
  if (trace === undefined || fault !== undefined) throw fault
  return trace
}

/** What a file holds up to its first fault: undefined if not even its header can be read. Without a fault it is whole. */
export interface TraceSoFar<Fault> {
  readonly trace: TraceStore | undefined
  readonly fault: Fault | undefined
}

export const readTraceSoFar = (text: string | Iterable<string>): TraceSoFar<TraceFormatError> => {
  const reader = new Reader()
  try {
    for (const bytes of bytesOf(typeof text === "string" ? [text] : text)) reader.chunk(bytes)
    reader.close()
    return { trace: reader.trace, fault: undefined }
  } catch (fault) {
    if (!(fault instanceof TraceFormatError)) throw fault
    return { trace: reader.trace, fault }
  }
}

/**
 * The same of a file that is still coming, in UTF-8: chunks are read as they come. A source that breaks off is a fault, too. `told`: after
 * every chunk, what has been read; it goes on growing.
 */
export const readTraceAsItComes = async (
  file: AsyncIterable<Uint8Array>,
  told?: (soFar: TraceStore) => void
): Promise<TraceSoFar<Error>> => {
  const reader = new Reader()
  try {
    for await (const chunk of file) {
      reader.chunk(chunk)
      if (reader.trace !== undefined) told?.(reader.trace)
    }
    reader.close()
    return { trace: reader.trace, fault: undefined }
  } catch (fault) {
    return { trace: reader.trace, fault: fault instanceof Error ? fault : new Error(String(fault)) }
  }
}

/** In UTF-8; a character that two chunks share goes with the second. */
function* bytesOf(chunks: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  let half = ""
  for (const chunk of chunks) {
    const text = half + chunk
    const last = text.charCodeAt(text.length - 1)
    half = last >= 0xd800 && last < 0xdc00 ? text.slice(-1) : ""
    yield encoder.encode(half === "" ? text : text.slice(0, -1))
  }
  if (half !== "") yield encoder.encode(half)
}

const NEWLINE = 10

class Reader {
  trace: TraceStore | undefined
  /** Lines and records read so far. */
  #lines = 0
  #records = 0
  #ended = false
  /** Of the rows that follow. */
  #layout: Layout | undefined
  /** Rows that are still to come under their columns. */
  #rows = 0
  /** What follows the last whole line. */
  #rest: Uint8Array = new Uint8Array(0)
  readonly #decoder = new TextDecoder()

  chunk(chunk: Uint8Array): void {
    // Only the line that was cut is joined: joining whole chunks would copy them.
    let from = 0
    if (this.#rest.length > 0) {
      from = chunk.indexOf(NEWLINE) + 1
      this.#read(joined(this.#rest, from === 0 ? chunk : chunk.subarray(0, from)), 0)
      if (from === 0) return
    }
    this.#read(chunk, from)
  }

  /** Reads whole lines from a place on, and keeps what is left. */
  #read(bytes: Uint8Array, from: number): void {
    let at = from
    for (;;) {
      const next =
        this.trace === undefined || this.#layout === undefined || this.#ended
          ? -1
          : readPlainRow(bytes, at, this.#layout, this.trace)
      if (next >= 0) {
        this.#lines++
        this.#records++
        this.#rows--
        at = next
        continue
      }
      const end = bytes.indexOf(NEWLINE, at)
      if (end < 0) break
      this.#line(bytes.subarray(at, end))
      at = end + 1
    }
    this.#rest = bytes.slice(at)
  }

  close(): void {
    if (this.#rest.length > 0) this.#line(this.#rest)
    if (this.#ended) return
    const expected =
      this.trace === undefined ? "the header of a trace" : 'more records, or the closing {"end":…} line'
    throw new TraceFormatError(this.#lines + 1, 1, expected, "the end of the file")
  }

  #line(content: Uint8Array): void {
    const line = new Line(this.#decoder.decode(content), ++this.#lines, this.#layout?.columns)
    if (this.#ended) throw line.fault(0, "the end of the file")
    if (this.trace === undefined) {
      this.trace = readHeader(line)
    } else if (line.kind === "end") {
      line.check("end", this.#rows === 0, this.#unmet)
      checkEnd(line, this.trace, this.#records)
      this.#ended = true
    } else if (line.kind === "columns") {
      line.check("columns", this.#rows === 0, this.#unmet)
      this.#layout = layoutOf(readColumns(line))
      this.#rows = line.below("rows", MAX_COUNT, "a count of rows")
      this.trace.reserve(GROUPS[this.#layout.columns[0]!]!, Math.min(this.#rows, MOST_RESERVED))
    } else {
      readRecord(line, this.trace)
      this.#records++
      if (line.isRow) this.#rows--
    }
  }

  get #unmet(): string {
    return `${Math.abs(this.#rows)} ${this.#rows > 0 ? "more" : "fewer"} rows before this line`
  }
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

const readHeader = (line: Line): TraceStore => {
  line.only("format", "version", "meta", "dropped")
  line.oneOf("format", [FORMAT])
  line.check("version", OPENED.includes(line.get("version")), `version ${VERSION} of the format`)
  const { meta } = line
  return new TraceStore(meta, { dropped: line.count("dropped") ?? 0 })
}

/** Rows that room is made for at once, whatever a file says. */
const MOST_RESERVED = 1 << 22
/** What rows are, by the first of their columns. */
const GROUPS: Readonly<Record<string, "slices" | "instants" | "counters" | "flows">> = {
  slice: "slices",
  instant: "instants",
  counter: "counters",
  flow: "flows"
}
/** Columns that rows may have, by the first of them. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  slice: ["track", "start", "takes", ...EVENT_ARGS],
  instant: ["track", "at", ...EVENT_ARGS],
  counter: ["at", "value"],
  flow: ["to"]
}

const readColumns = (line: Line): readonly string[] => {
  line.only("columns", "rows")
  const columns = line.strings("columns")
  const [first = "", ...others] = columns
  const known = COLUMNS[first] ?? []
  const sound =
    known.length > 0 && others.every((name, i) => known.includes(name) && others.indexOf(name) === i)
  line.check("columns", sound, "slice, instant, counter or flow and columns of those, each once,")
  return columns
}

const readRecord = (line: Line, trace: TraceStore): void => {
  switch (line.kind) {
    case "track": {
      line.only("track", "kind", "parent", "unit")
      const parent =
        line.get("parent") === undefined
          ? undefined
          : line.below("parent", trace.tracks.length, "an earlier track")
      const unit = line.get("unit") === undefined ? undefined : line.oneOf("unit", UNITS)
      const spec = { name: line.string("track"), kind: line.oneOf("kind", TRACK_KINDS) }
      trace.track({
        ...spec,
        ...(parent === undefined ? {} : { parent }),
        ...(unit === undefined ? {} : { unit })
      })
      return
    }
    case "slice": {
      line.only("slice", "track", "start", "end", "takes", ...EVENT_ARGS)
      const kind = line.oneOf("slice", EVENT_KINDS)
      const track = trackOf(line, "track", trace)
      const start = line.time("start")
      const takes = line.get("takes") === undefined ? undefined : line.time("takes")
      const end = takes === undefined ? line.time("end") : start + takes
      line.check("end", end >= start, `a time from ${start} on`)
      line.check("takes", Number.isSafeInteger(end), "a time that ends in whole nanoseconds")
      trace.slice(track, kind, start, end, argsOf(line))
      return
    }
    case "instant": {
      line.only("instant", "track", "at", ...EVENT_ARGS)
      const kind: EventKind = line.oneOf("instant", EVENT_KINDS)
      trace.instant(trackOf(line, "track", trace), kind, line.time("at"), argsOf(line))
      return
    }
    case "counter":
      line.only("counter", "at", "value")
      trace.counter(trackOf(line, "counter", trace), line.time("at"), line.finite("value"))
      return
    case "flow":
      line.only("flow", "to")
      trace.flow(eventOf(line, "flow", trace), eventOf(line, "to", trace))
      return
    default:
      throw line.fault(
        1,
        'a line that begins with "track", "columns" or "end", or a row of the columns before'
      )
  }
}

/** The closing line tells a whole file from one that was cut or changed. */
const checkEnd = (line: Line, trace: TraceStore, records: number): void => {
  line.only("end", "digest")
  line.check("end", line.get("end") === records, `${records}, the number of records before`)
  const digest = trace.digest()
  line.check("digest", line.get("digest") === digest, `"${digest}", the digest of the records before`)
}

/** Numbers that need not be whole. */
const MEASURES: ReadonlySet<keyof EventArgs> = new Set(["bytes", "kvTokens"])
const SHARES: ReadonlySet<keyof EventArgs> = new Set(SHARE_ARGS)

const argsOf = (line: Line): EventArgs | undefined => {
  const args: { -readonly [K in keyof EventArgs]: number } = {}
  let any = false
  for (const name of EVENT_ARGS) {
    if (line.get(name) === undefined) continue
    args[name] = argOf(line, name)
    any = true
  }
  return any ? args : undefined
}

const argOf = (line: Line, name: keyof EventArgs): number => {
  if (SHARES.has(name)) return line.share(name)
  return MEASURES.has(name) ? line.finite(name) : line.below(name, MAX_COUNT, "a count below 2^32 − 1")
}

/** Counts fill 32 bits, request ids one less. */
const MAX_COUNT = 2 ** 32 - 1

const trackOf = (line: Line, name: string, trace: TraceStore): number =>
  line.below(name, trace.tracks.length, "a track of the lines before")

const eventOf = (line: Line, name: string, trace: TraceStore): number => {
  const id = line.below(name, 2 ** 32, "an event of the lines before")
  const { group, row } = eventRow(id)
  line.check(name, row < trace[group].length, "an event of the lines before")
  return id
}
