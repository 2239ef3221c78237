/**
 * Reads Perfetto's protobuf as far as it is track events: slices and counters of tracks, threads and processes, with interned
 * names. What ftrace and other sources wrote is counted and left out. Field numbers: see perfetto.ts and, for what others
 * write, process_descriptor.proto and thread_descriptor.proto of `protos/perfetto/trace/track_event/`.
 */
import { type ForeignTrace, ForeignBuilder } from "./foreign.ts"
import { ProtobufError, ProtobufReader } from "./protobuf-reader.ts"

const PACKET = {
  timestamp: 8,
  sequence: 10,
  event: 11,
  interned: 12,
  flags: 13,
  compressed: 50,
  defaults: 59,
  descriptor: 60
}
const CLEARED = 1
const DEFAULTS = { event: 11, track: 11 }
const INTERNED = { names: 2, iid: 1, name: 2 }
const DESCRIPTOR = { uuid: 1, name: 2, process: 3, thread: 4, parent: 5, counter: 8, staticName: 10 }
const PROCESS = { pid: 1, name: 6 }
const THREAD = { pid: 1, tid: 2, name: 5 }
const EVENT = { type: 9, nameIid: 10, track: 11, name: 23, counter: 30, doubleCounter: 44 }
const TYPE = { begin: 1, end: 2, counter: 4 }

interface Track {
  name: string
  parent: number | undefined
  pid: number | undefined
  isProcess: boolean
  counter: boolean
}

/** What a sequence has said that its later packets refer to. */
interface Sequence {
  readonly names: Map<number, string>
  track: number
}

/** The trace in a file; `problem` says why it is none, or, beside a trace, where it breaks off. */
export const readPerfetto = (
  name: string,
  bytes: Uint8Array
): { readonly found: ForeignTrace | undefined; readonly problem: string | undefined } => {
  const reader = new PerfettoReader()
  let problem: string | undefined
  try {
    const file = new ProtobufReader(bytes)
    while (file.next()) if (file.field === 1) reader.packet(file.message)
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    problem = `${name}: ${error.message}`
  }
  const found = reader.build(name)
  if (found === undefined)
    return { found, problem: problem ?? `${name} has no slices and no counters of Perfetto's track events` }
  return { found, problem }
}

class PerfettoReader {
  readonly #tracks = new Map<number, Track>()
  readonly #sequences = new Map<number, Sequence>()
  readonly #open = new Map<number, { readonly name: string; readonly start: number }[]>()
  readonly #slices: { track: number; name: string; start: number; end: number }[] = []
  readonly #samples: { track: number; at: number; value: number }[] = []
  readonly #left: string[] = []

  packet(packet: ProtobufReader): void {
    let at = 0
    let sequence = 0
    let event: ProtobufReader | undefined
    let interned: ProtobufReader | undefined
    let defaults: ProtobufReader | undefined
    let cleared = false
    let known = false
    while (packet.next())
      switch (packet.field) {
        case PACKET.timestamp:
          at = packet.value
          break
        case PACKET.sequence:
          sequence = packet.value
          break
        case PACKET.event:
          event = packet.message
          known = true
          break
        case PACKET.interned:
          interned = packet.message
          known = true
          break
        case PACKET.flags:
          cleared = packet.value % 2 === CLEARED
          break
        case PACKET.defaults:
          defaults = packet.message
          known = true
          break
        case PACKET.descriptor:
          this.#descriptor(packet.message)
          known = true
          break
        case PACKET.compressed:
          this.#left.push("compressed packets")
          break
        default:
      }
    if (!known && at > 0) this.#left.push("packets of other sources")
    const state = cleared ? { names: new Map<number, string>(), track: 0 } : this.#sequence(sequence)
    this.#sequences.set(sequence, state)
    if (interned !== undefined) intern(interned, state.names)
    if (defaults !== undefined) state.track = defaultTrack(defaults) ?? state.track
    if (event !== undefined) this.#event(event, at, state)
  }

  build(name: string): ForeignTrace | undefined {
    const out = new ForeignBuilder()
    const made = new Map<number, number>()
    const processes = new Map<number, number>()
    for (const [uuid, { isProcess, pid }] of this.#tracks)
      if (isProcess && pid !== undefined) processes.set(pid, uuid)
    const place = (uuid: number, depth = 0): number => {
      const known = made.get(uuid)
      if (known !== undefined) return known
      const track = this.#tracks.get(uuid)
      const above =
        track?.parent ??
        (track !== undefined && !track.isProcess && track.pid !== undefined
          ? processes.get(track.pid)
          : undefined)
      const parent = above === undefined || above === uuid || depth > 32 ? undefined : place(above, depth + 1)
      const id = out.track(track?.name || `track ${uuid}`, parent, track?.counter ?? false)
      made.set(uuid, id)
      return id
    }
    // In the order the file names them, whatever happens on them first.
    const used = new Set([...this.#slices, ...this.#samples].map(({ track }) => track))
    for (const uuid of this.#tracks.keys()) if (used.has(uuid)) place(uuid)
    for (const { track, name: label, start, end } of this.#slices) out.slice(place(track), label, start, end)
    for (const { track, at, value } of this.#samples) out.sample(place(track), at, value)
    for (const what of this.#left) out.leave(what)
    for (const stack of this.#open.values()) for (const _ of stack) out.leave("slices that never end")
    return out.empty ? undefined : out.build(name)
  }

  #sequence(id: number): Sequence {
    return this.#sequences.get(id) ?? { names: new Map<number, string>(), track: 0 }
  }

  #descriptor(fields: ProtobufReader): void {
    let uuid = 0
    const track: Track = { name: "", parent: undefined, pid: undefined, isProcess: false, counter: false }
    while (fields.next())
      if (fields.field === DESCRIPTOR.uuid) uuid = fields.value
      else if (fields.field === DESCRIPTOR.name || fields.field === DESCRIPTOR.staticName)
        track.name = fields.text
      else if (fields.field === DESCRIPTOR.parent) track.parent = fields.value
      else if (fields.field === DESCRIPTOR.counter) track.counter = true
      else if (fields.field === DESCRIPTOR.process) {
        track.isProcess = true
        const inner = fields.message
        while (inner.next())
          if (inner.field === PROCESS.pid) track.pid = inner.value
          else if (inner.field === PROCESS.name) track.name ||= inner.text
      } else if (fields.field === DESCRIPTOR.thread) {
        const inner = fields.message
        while (inner.next())
          if (inner.field === THREAD.pid) track.pid = inner.value
          else if (inner.field === THREAD.tid) track.name ||= `thread ${inner.value}`
          else if (inner.field === THREAD.name) track.name = inner.text
      }
    this.#tracks.set(uuid, track)
  }

  #event(fields: ProtobufReader, at: number, { names, track: usual }: Sequence): void {
    let type = 0
    let name: string | undefined
    let track = usual
    let value: number | undefined
    while (fields.next())
      if (fields.field === EVENT.type) type = fields.value
      else if (fields.field === EVENT.nameIid) name = names.get(fields.value) ?? `name ${fields.value}`
      else if (fields.field === EVENT.name) name = fields.text
      else if (fields.field === EVENT.track) track = fields.value
      else if (fields.field === EVENT.counter || fields.field === EVENT.doubleCounter) value = fields.double
    if (type === TYPE.begin) {
      const stack = this.#open.get(track) ?? []
      stack.push({ name: name ?? "", start: at })
      this.#open.set(track, stack)
    } else if (type === TYPE.end) {
      const begun = this.#open.get(track)?.pop()
      if (begun === undefined) this.#left.push("ends of slices that never began")
      else this.#slices.push({ track, name: begun.name, start: begun.start, end: at })
    } else if (type === TYPE.counter && value !== undefined) this.#samples.push({ track, at, value })
    else this.#left.push("instants and other events")
  }
}

const intern = (fields: ProtobufReader, names: Map<number, string>): void => {
  while (fields.next()) {
    if (fields.field !== INTERNED.names) continue
    const entry = fields.message
    let iid = 0
    let name = ""
    while (entry.next())
      if (entry.field === INTERNED.iid) iid = entry.value
      else if (entry.field === INTERNED.name) name = entry.text
    names.set(iid, name)
  }
}

const defaultTrack = (fields: ProtobufReader): number | undefined => {
  while (fields.next()) {
    if (fields.field !== DEFAULTS.event) continue
    const inner = fields.message
    while (inner.next()) if (inner.field === DEFAULTS.track) return inner.value
  }
  return undefined
}
