/** Reads the JSON lines that `jsonl.ts` writes back into a store, or says at which line and column they go wrong. */
import { describeAt, jsonFault } from "./json-fault.ts"
import { FORMAT, VERSION } from "./jsonl.ts"
import { readPlainLine } from "./plain-lines.ts"
import { EVENT_ARGS, EVENT_KINDS, type EventArgs, type EventKind, TRACK_KINDS, UNITS } from "./recorder.ts"
import { eventRow, PASS_TIMES, type Peaks, type TraceMeta, TraceStore } from "./store.ts"

/** The file is not a whole trace. `line` and `column` count from 1. */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError"
  readonly line: number
  readonly column: number
  readonly expected: string
  readonly found: string

  constructor(line: number, column: number, expected: string, found: string) {
    super(`${line}:${column}: expected ${expected}, found ${found}`)
    this.line = line
    this.column = column
    this.expected = expected
    this.found = found
  }
}

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
    for (const chunk of typeof text === "string" ? [text] : text) reader.chunk(chunk)
    reader.close()
    return { trace: reader.trace, fault: undefined }
  } catch (fault) {
    if (!(fault instanceof TraceFormatError)) throw fault
    return { trace: reader.trace, fault }
  }
}

/** The same of a file that is still coming: chunks are read as they come. A source that breaks off is a fault, too. */
export const readTraceAsItComes = async (text: AsyncIterable<string>): Promise<TraceSoFar<Error>> => {
  const reader = new Reader()
  try {
    for await (const chunk of text) reader.chunk(chunk)
    reader.close()
    return { trace: reader.trace, fault: undefined }
  } catch (fault) {
    return { trace: reader.trace, fault: fault instanceof Error ? fault : new Error(String(fault)) }
  }
}

class Reader {
  trace: TraceStore | undefined
  /** Lines and records read so far. */
  #lines = 0
  #records = 0
  #ended = false
  /** What follows the last whole line. */
  #rest = ""

  chunk(chunk: string): void {
    // Only the line that was cut is joined: joining whole chunks would copy them.
    let from = 0
    if (this.#rest !== "") {
      from = chunk.indexOf("\n") + 1
      this.#read(this.#rest + (from === 0 ? chunk : chunk.slice(0, from)), 0)
      if (from === 0) return
    }
    this.#read(chunk, from)
  }

  /** Reads whole lines from a place on, and keeps what is left. */
  #read(text: string, from: number): void {
    let at = from
    for (;;) {
      const next = this.trace === undefined || this.#ended ? -1 : readPlainLine(text, at, this.trace)
      if (next >= 0) {
        this.#lines++
        this.#records++
        at = next
        continue
      }
      const end = text.indexOf("\n", at)
      if (end < 0) break
      this.#line(text.slice(at, end))
      at = end + 1
    }
    this.#rest = text.slice(at)
  }

  close(): void {
    if (this.#rest !== "") this.#line(this.#rest)
    if (this.#ended) return
    const expected =
      this.trace === undefined ? "the header of a trace" : 'more records, or the closing {"end":…} line'
    throw new TraceFormatError(this.#lines + 1, 1, expected, "the end of the file")
  }

  #line(content: string): void {
    const line = new Line(content, ++this.#lines)
    if (this.#ended) throw line.fault(0, "the end of the file")
    if (this.trace === undefined) {
      this.trace = readHeader(line)
    } else if (line.kind === "end") {
      checkEnd(line, this.trace, this.#records)
      this.#ended = true
    } else {
      readRecord(line, this.trace)
      this.#records++
    }
  }
}

const readHeader = (line: Line): TraceStore => {
  line.only("format", "version", "meta", "dropped")
  line.oneOf("format", [FORMAT])
  line.check("version", line.get("version") === VERSION, `version ${VERSION} of the format`)
  const { meta } = line
  return new TraceStore(meta, { dropped: line.count("dropped") ?? 0 })
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
      line.only("slice", "track", "start", "end", ...EVENT_ARGS)
      const kind = line.oneOf("slice", EVENT_KINDS)
      const track = trackOf(line, "track", trace)
      const start = line.time("start")
      const end = line.time("end")
      line.check("end", end >= start, `a time from ${start} on`)
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
      throw line.fault(1, 'a line that begins with "track", "slice", "instant", "counter", "flow" or "end"')
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

const argsOf = (line: Line): EventArgs | undefined => {
  const args: { -readonly [K in keyof EventArgs]: number } = {}
  let any = false
  for (const name of EVENT_ARGS) {
    if (line.get(name) === undefined) continue
    args[name] = MEASURES.has(name)
      ? line.finite(name)
      : line.below(name, MAX_COUNT, "a count below 2^32 − 1")
    any = true
  }
  return any ? args : undefined
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

/** A line of the file as the JSON object it should be, and the places to point at when it is not. */
class Line {
  readonly #text: string
  readonly #number: number
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(text: string, number: number) {
    this.#text = text
    this.#number = number
    const value = this.#parse()
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.fault(0, "a JSON object")
    this.#fields = value as Readonly<Record<string, unknown>>
  }

  /** The first name on the line, which says what it is. */
  get kind(): string | undefined {
    for (const name in this.#fields) return name
    return undefined
  }

  get(name: string): unknown {
    return this.#fields[name]
  }

  get meta(): TraceMeta {
    const meta = this.get("meta")
    this.check("meta", typeof meta === "object" && meta !== null, "the metadata of a trace")
    const line = new Line(JSON.stringify(meta), this.#number)
    try {
      line.only("name", "scenario", "method", "seed", "clock", "basis", "clockOffset", "peaks", "passTimes")
      const peaks = line.#peaks()
      return {
        name: line.string("name"),
        scenario: line.string("scenario"),
        method: line.string("method"),
        seed: line.finite("seed"),
        clock: line.oneOf("clock", ["virtual", "wall"]),
        basis: line.oneOf("basis", ["modelled", "measured"]),
        clockOffset: line.finite("clockOffset"),
        ...(peaks === undefined ? {} : { peaks }),
        ...(line.get("passTimes") === undefined ? {} : { passTimes: line.oneOf("passTimes", PASS_TIMES) })
      }
    } catch (cause) {
      if (!(cause instanceof TraceFormatError)) throw cause
      throw this.fault(this.#position("meta"), `in the metadata ${cause.expected}`, cause.found)
    }
  }

  #peaks(): Peaks | undefined {
    const peaks = this.get("peaks")
    if (peaks === undefined) return undefined
    this.check("peaks", typeof peaks === "object" && peaks !== null, "what the hardware could move at most")
    const line = new Line(JSON.stringify(peaks), this.#number)
    line.only("hbm", "hostToDevice", "deviceToHost", "basis")
    return {
      hbm: line.finite("hbm"),
      hostToDevice: line.finite("hostToDevice"),
      ...(line.get("deviceToHost") === undefined ? {} : { deviceToHost: line.finite("deviceToHost") }),
      basis: line.oneOf("basis", ["measured", "modelled", "assumed"])
    }
  }

  string(name: string): string {
    const value = this.get(name)
    this.check(name, typeof value === "string", "a string")
    return value as string
  }

  finite(name: string): number {
    const value = this.get(name)
    this.check(name, typeof value === "number" && Number.isFinite(value), "a finite number")
    return value as number
  }

  /** Nanoseconds. */
  time(name: string): number {
    const value = this.get(name)
    this.check(name, Number.isSafeInteger(value) && (value as number) >= 0, "a time in whole nanoseconds")
    return value as number
  }

  /** A whole number from 0, if it is there. */
  count(name: string): number | undefined {
    return this.get(name) === undefined ? undefined : this.below(name, Number.MAX_SAFE_INTEGER, "a count")
  }

  below(name: string, limit: number, expected: string): number {
    const value = this.get(name)
    this.check(name, Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit, expected)
    return value as number
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.get(name)
    if (!allowed.includes(value as T))
      this.check(name, false, allowed.map((each) => `"${each}"`).join(" or "))
    return value as T
  }

  /** No names but these. */
  only(...names: readonly string[]): void {
    for (const name in this.#fields) {
      if (!names.includes(name))
        throw this.fault(this.#position(name, 0), `one of the names ${names.join(", ")}`)
    }
  }

  /** Throws, pointing at the value of `name`, unless `holds`. */
  check(name: string, holds: boolean, expected: string): void {
    if (holds) return
    if (this.get(name) === undefined) throw this.fault(this.#text.length, `"${name}": ${expected}`)
    throw this.fault(this.#position(name), `${expected} as "${name}"`)
  }

  /** The error at a character index of the line. */
  fault(index: number, expected: string, found = describeAt(this.#text, index)): TraceFormatError {
    return new TraceFormatError(this.#number, index + 1, expected, found)
  }

  #parse(): unknown {
    try {
      return JSON.parse(this.#text)
    } catch (cause) {
      const fault = jsonFault(this.#text)
      if (fault === undefined) throw cause
      throw new TraceFormatError(this.#number, fault.column, fault.expected, fault.found)
    }
  }

  /** Index of the value (or, with `skip` 0, of the name) of a field. Quotes in strings are escaped, so no string looks like one. */
  #position(name: string, skip = name.length + 3): number {
    const index = this.#text.indexOf(`"${name}":`)
    return index < 0 ? 0 : index + skip
  }
}
