/**
 * The trace file of our own: one JSON object a line, nothing lost, readable by person and tool alike.
 *
 *     {"format":"vericache-trace","version":3,"meta":{…},"dropped":0}
 *     {"track":"GPU","kind":"gpu","parent":0}
 *     {"slice":"verify","track":3,"start":1000,"end":2000,"request":7,"tokens":20}
 *     {"instant":"arrive","track":4,"at":0,"request":7}
 *     {"counter":5,"at":0,"value":1073741824}
 *     {"flow":0,"to":2}
 *     {"end":12,"digest":"…"}
 *
 * Tracks first, then slices, instants, counters and flows, each in the order they were recorded; the last line has the
 * number of lines before it, less the first, and the digest of the trace, so that a file cut short is never taken for whole.
 * Flows name events as the store does: row × 2 for a slice, row × 2 + 1 for an instant. Absent numbers are 0.
 * Passes that a model priced say what bounded them (`limitHbm` and others): shares of their time, of which absent ones are 0, too.
 */
import { EVENT_ARGS, EVENT_KINDS, type TrackSpec } from "./recorder.ts"
import { argValue, type Instants, type Slices, type TraceStore } from "./store.ts"

export const FORMAT = "vericache-trace"
export const VERSION = 3
/** Versions that are read: 2 did not say what bounded passes. */
export const OPENED: readonly unknown[] = [2, VERSION]
const CHUNK_CHARACTERS = 1 << 18

/** The trace as JSON lines, in chunks of about 256 KiB of whole lines. Joined, they are the file. */
export function* writeTrace(trace: TraceStore): Generator<string> {
  const { meta, dropped, tracks, slices, instants, counters, flows } = trace
  let chunk = `${JSON.stringify({ format: FORMAT, version: VERSION, meta, dropped })}\n`
  for (const line of lines()) {
    chunk += `${line}\n`
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield chunk
    chunk = ""
  }
  const records = tracks.length + slices.length + instants.length + counters.length + flows.length
  yield `${chunk}${JSON.stringify({ end: records, digest: trace.digest() })}\n`

  function* lines(): Generator<string> {
    for (const track of tracks) yield trackLine(track)
    for (let row = 0; row < slices.length; row++) {
      const { kind, track, start, end } = slices
      const name = EVENT_KINDS[kind[row]!]!
      yield `{"slice":"${name}","track":${track[row]},"start":${start[row]},"end":${end[row]}${args(slices, row)}}`
    }
    for (let row = 0; row < instants.length; row++) {
      const { kind, track, at } = instants
      yield `{"instant":"${EVENT_KINDS[kind[row]!]}","track":${track[row]},"at":${at[row]}${args(instants, row)}}`
    }
    for (let row = 0; row < counters.length; row++) {
      yield `{"counter":${counters.track[row]},"at":${counters.at[row]},"value":${counters.value[row]}}`
    }
    for (let row = 0; row < flows.length; row++) yield `{"flow":${flows.from[row]},"to":${flows.to[row]}}`
  }
}

const trackLine = ({ name, ...rest }: TrackSpec): string => JSON.stringify({ track: name, ...rest })

const args = (columns: Slices | Instants, row: number): string => {
  let text = ""
  for (const name of EVENT_ARGS) {
    const stored = columns[name][row]!
    if (stored !== 0) text += `,"${name}":${argValue(name, stored)}`
  }
  return text
}
