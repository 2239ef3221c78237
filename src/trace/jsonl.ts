/**
 * The trace file of our own: one JSON value a line, nothing lost, readable by person and tool alike.
 *
 *     {"format":"vericache-trace","version":3,"meta":{…},"dropped":0}
 *     {"track":"GPU","kind":"gpu","parent":0}
 *     {"columns":["slice","track","start","takes","tokens","request"],"rows":2}
 *     ["draft",3,0,1000,20]
 *     ["verify",4,1000,1000,20,7]
 *     {"columns":["instant","track","at","request"],"rows":1}
 *     ["arrive",4,0,7]
 *     {"columns":["counter","at","value"],"rows":1}
 *     [5,0,1073741824]
 *     {"columns":["flow","to"],"rows":1}
 *     [0,2]
 *     {"end":6,"digest":"…"}
 *
 * Tracks first, then slices, instants, counters and flows, each in the order they were recorded: rows, whose columns and number the line before
 * the first names. Columns in which nothing stands are left out, those in which most rows have something come first, and what a row lacks at
 * its end is 0; a row without a request that goes on behind it says `null`. The last line has the number of tracks and rows and the digest
 * of the trace, so that a file cut short is never taken for whole. Flows name events as the store does: row × 2 for a slice, row × 2 + 1
 * for an instant. `limit…` of passes are what bounded them, shares of their time.
 *
 * Version 2, which is still read, had an object a line, {"slice":"verify","track":3,"start":1000,"end":2000,"request":7,"tokens":20}, and
 * nothing of what bounded passes.
 */
import { EVENT_ARGS, EVENT_KINDS, type EventArgs, type TrackSpec } from "./recorder.ts"
import { argValue, type Instants, type Slices, type TraceStore } from "./store.ts"

export const FORMAT = "vericache-trace"
export const VERSION = 3
/** Versions that are read. */
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
    if (slices.length > 0) {
      const { kind, track, start, end } = slices
      const used = usedArgs(slices)
      yield columnsLine(slices.length, "slice", "track", "start", "takes", ...used)
      for (let row = 0; row < slices.length; row++)
        yield `["${EVENT_KINDS[kind[row]!]}",${track[row]},${start[row]},${end[row]! - start[row]!}${args(slices, used, row)}]`
    }
    if (instants.length > 0) {
      const { kind, track, at } = instants
      const used = usedArgs(instants)
      yield columnsLine(instants.length, "instant", "track", "at", ...used)
      for (let row = 0; row < instants.length; row++)
        yield `["${EVENT_KINDS[kind[row]!]}",${track[row]},${at[row]}${args(instants, used, row)}]`
    }
    if (counters.length > 0) yield columnsLine(counters.length, "counter", "at", "value")
    for (let row = 0; row < counters.length; row++)
      yield `[${counters.track[row]},${counters.at[row]},${counters.value[row]}]`
    if (flows.length > 0) yield columnsLine(flows.length, "flow", "to")
    for (let row = 0; row < flows.length; row++) yield `[${flows.from[row]},${flows.to[row]}]`
  }
}

const trackLine = ({ name, ...rest }: TrackSpec): string => JSON.stringify({ track: name, ...rest })

const columnsLine = (rows: number, ...columns: readonly string[]): string => JSON.stringify({ columns, rows })

/** The columns in which anything stands, those first in which most does. */
const usedArgs = (columns: Slices | Instants): readonly (keyof EventArgs)[] =>
  EVENT_ARGS.map((name) => ({ name, used: usedRows(columns[name]) }))
    .filter(({ used }) => used > 0)
    .toSorted((a, b) => b.used - a.used)
    .map(({ name }) => name)

const usedRows = (column: Slices[keyof EventArgs]): number => {
  let used = 0
  for (let row = 0; row < column.length; row++) if (column[row] !== 0) used++
  return used
}

const args = (columns: Slices | Instants, used: readonly (keyof EventArgs)[], row: number): string => {
  let text = ""
  let unsaid = ""
  for (const name of used) {
    const stored = columns[name][row]!
    if (stored === 0) unsaid += name === "request" ? ",null" : ",0"
    else {
      text += `${unsaid},${argValue(name, stored)}`
      unsaid = ""
    }
  }
  return text
}
