/**
 * Writes a trace as Chrome's JSON trace events, for viewers that know nothing else (chrome://tracing, Speedscope): complete
 * events, instants, counters and flow arrows. A root track is a process, every track below it a thread. Times are
 * microseconds with three decimals, so that nothing of the nanoseconds is lost.
 */
import { lanesOf, moments } from "./order.ts"
import { EVENT_ARGS, EVENT_KINDS } from "./recorder.ts"
import { argValue, eventRow, type Instants, type Slices, type TraceStore } from "./store.ts"

const CHUNK_CHARACTERS = 1 << 18

/** Where the viewer draws a track: `tid` 0 is the process itself. */
interface Place {
  readonly pid: number
  readonly tid: number
}

/** The trace as JSON text, in chunks of about 256 KiB. Joined, they are the file. */
export function* chromeTrace(trace: TraceStore): Generator<string> {
  const otherData = { ...trace.meta, dropped: trace.dropped }
  let chunk = `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[`
  let first = true
  for (const event of events(trace)) {
    chunk += `${first ? "" : ","}\n${JSON.stringify(event)}`
    first = false
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield chunk
    chunk = ""
  }
  yield `${chunk}\n]}\n`
}

function* events(trace: TraceStore): Generator<object> {
  const { slices, instants, counters, flows } = trace
  const lanes = lanesOf(trace)
  const places = placesOf(trace)
  yield* names(trace, places, lanes)
  for (const { moment, row, at } of moments(trace)) {
    const ts = microseconds(at)
    if (moment === "begin") {
      const dur = microseconds(slices.end[row]! - at)
      yield {
        ph: "X",
        name: EVENT_KINDS[slices.kind[row]!],
        ...onLane(trace, places, lanes, row),
        ts,
        dur,
        args: args(slices, row)
      }
    } else if (moment === "instant") {
      const place = places[instants.track[row]!]!
      yield {
        ph: "i",
        s: "t",
        name: EVENT_KINDS[instants.kind[row]!],
        ...place,
        ts,
        args: args(instants, row)
      }
    } else if (moment === "counter") {
      const track = counters.track[row]!
      const { name, unit } = trace.tracks[track]!
      yield {
        ph: "C",
        name,
        id: track,
        pid: places[track]!.pid,
        ts,
        args: { [unit ?? "value"]: counters.value[row] }
      }
    }
  }
  for (let row = 0; row < flows.length; row++) {
    for (const [ph, id] of [
      ["s", flows.from[row]!],
      ["f", flows.to[row]!]
    ] as const) {
      const event = eventRow(id)
      const place =
        event.group === "slices"
          ? onLane(trace, places, lanes, event.row)
          : places[instants.track[event.row]!]!
      const at = event.group === "slices" ? slices.start[event.row]! : instants.at[event.row]!
      yield { ph, bp: "e", cat: "flow", name: "flow", id: row + 1, ...place, ts: microseconds(at) }
    }
  }
}

/** Names and order of processes and threads; a thread's name is its path below the process. */
function* names(trace: TraceStore, places: readonly Place[], lanes: Uint16Array): Generator<object> {
  const { tracks, slices } = trace
  for (const [id, { name, parent, unit }] of tracks.entries()) {
    const place = places[id]!
    if (parent === undefined) {
      yield { ph: "M", name: "process_name", pid: place.pid, args: { name } }
      yield { ph: "M", name: "process_sort_index", pid: place.pid, args: { sort_index: id } }
    }
    if (unit === undefined) yield* thread(place, path(trace, id), id)
  }
  const named = new Set<number>()
  for (const [row, lane] of lanes.entries()) {
    const place = onLane(trace, places, lanes, row)
    const id = slices.track[row]!
    if (lane === 0 || named.has(place.tid)) continue
    named.add(place.tid)
    yield* thread(place, `${path(trace, id)} (${lane + 1})`, id)
  }
}

function* thread(place: Place, name: string, order: number): Generator<object> {
  yield { ph: "M", name: "thread_name", ...place, args: { name } }
  yield { ph: "M", name: "thread_sort_index", ...place, args: { sort_index: order } }
}

const placesOf = ({ tracks }: TraceStore): readonly Place[] => {
  const places: Place[] = []
  // A parent always comes before its children.
  for (const [id, { parent }] of tracks.entries()) {
    places.push(parent === undefined ? { pid: id + 1, tid: 0 } : { pid: places[parent]!.pid, tid: id })
  }
  return places
}

/** Slices that cross others of their track go to threads numbered after all tracks. */
const onLane = (trace: TraceStore, places: readonly Place[], lanes: Uint16Array, row: number): Place => {
  const track = trace.slices.track[row]!
  const { pid, tid } = places[track]!
  return { pid, tid: lanes[row] === 0 ? tid : lanes[row]! * trace.tracks.length + track }
}

const path = (trace: TraceStore, id: number): string => {
  const { name, parent } = trace.tracks[id]!
  if (parent === undefined || trace.tracks[parent]!.parent === undefined) return name
  return `${path(trace, parent)} › ${name}`
}

const args = (columns: Slices | Instants, row: number): Readonly<Record<string, number>> => {
  const present: Record<string, number> = {}
  for (const name of EVENT_ARGS) {
    const stored = columns[name][row]!
    if (stored !== 0) present[name] = argValue(name, stored)
  }
  return present
}

/** A decimal number JSON spells with three decimals at most; exact for runs of up to 104 days. */
const microseconds = (ns: number): number => ns / 1e3
