/**
 * Writes a trace as Perfetto's protobuf, to be opened at ui.perfetto.dev: nested tracks in our order, slices and instants
 * with their numbers as arguments, counters with units, and an arrow for every flow.
 *
 * Field numbers come from Perfetto's `protos/perfetto/trace/`: trace.proto, trace_packet.proto, trace_packet_defaults.proto,
 * interned_data/interned_data.proto, track_event/track_event.proto, track_event/track_descriptor.proto,
 * track_event/counter_descriptor.proto, track_event/debug_annotation.proto. The builtin clock is from
 * `protos/perfetto/common/builtin_clock.proto`.
 */
import { lanesOf, moments } from "./order.ts"
import { ProtobufWriter } from "./protobuf.ts"
import { EVENT_ARGS, EVENT_KINDS, type TrackSpec } from "./recorder.ts"
import { argValue, type Instants, type Slices, type TraceColumns } from "./store.ts"

const TRACE = { packet: 1 }
const PACKET = {
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  defaults: 59,
  trackDescriptor: 60,
  firstOnSequence: 87
}
const SEQUENCE_FLAGS = { incrementalStateCleared: 1, needsIncrementalState: 2 }
const DEFAULTS = { timestampClockId: 58 }
const INTERNED = { eventNames: 2, debugAnnotationNames: 3 }
const NAME = { iid: 1, name: 2 }
const DESCRIPTOR = { uuid: 1, name: 2, parentUuid: 5, counter: 8, childOrdering: 11, siblingOrderRank: 12 }
const EXPLICIT_ORDERING = 3
const COUNTER = { unit: 3, unitName: 6 }
const UNIT_SIZE_BYTES = 3
const EVENT = {
  debugAnnotations: 4,
  type: 9,
  nameIid: 10,
  trackUuid: 11,
  name: 23,
  doubleCounterValue: 44,
  flowIds: 47
}
const EVENT_TYPE = { sliceBegin: 1, sliceEnd: 2, instant: 3, counter: 4 }
const ANNOTATION = { nameIid: 1, uint: 3, double: 5, string: 6, name: 10 }

/**
 * The clock of the viewer's time axis (BUILTIN_CLOCK_BOOTTIME). Our times start at 0 on it: absolute time is in the
 * "run" event, where it cannot be mistaken for the time of a machine's boot.
 */
const CLOCK = 6
/** Everything is written as one sequence, which numbers start from 1. */
const SEQUENCE = 1
const CHUNK_BYTES = 1 << 20
/** Lanes beyond a track's own get identifiers out of the way of the tracks'. */
const LANE_STRIDE = 2 ** 32
/** The track that all others are under; it carries the run's name. */
const ROOT = 1

/** The trace as protobuf bytes, in chunks of about a mebibyte. Joined, they are the file. */
export function* perfettoTrace(trace: TraceColumns): Generator<Uint8Array> {
  const writer = new PacketWriter(trace)
  writer.preamble()
  for (const { moment, row, at } of moments(trace)) {
    if (moment === "begin") writer.begin(row, at)
    else if (moment === "end") writer.end(row, at)
    else if (moment === "instant") writer.instant(row, at)
    else writer.counter(row, at)
    if (writer.length >= CHUNK_BYTES) yield writer.take()
  }
  yield writer.take()
}

class PacketWriter {
  readonly #trace: TraceColumns
  readonly #out = new ProtobufWriter()
  readonly #slices: Slices
  readonly #instants: Instants
  readonly #lanes: Uint16Array
  /** By event id, the flows that touch it. */
  readonly #flows = new Map<number, number[]>()

  constructor(trace: TraceColumns) {
    this.#trace = trace
    this.#slices = trace.slices
    this.#instants = trace.instants
    this.#lanes = lanesOf(trace)
    const { from, to, length } = trace.flows
    // The direction of a flow is that of time; the number of a flow is its row + 1.
    for (let row = 0; row < length; row++) {
      for (const event of [from[row]!, to[row]!]) {
        const flows = this.#flows.get(event)
        if (flows === undefined) this.#flows.set(event, [row + 1])
        else flows.push(row + 1)
      }
    }
  }

  get length(): number {
    return this.#out.length
  }

  take(): Uint8Array {
    return this.#out.take()
  }

  /** Names, clock and tracks, which everything later refers to. */
  preamble(): void {
    const out = this.#out
    const { tracks } = this.#trace
    out.message(TRACE.packet, () => {
      out.uint(PACKET.sequenceId, SEQUENCE)
      out.uint(PACKET.sequenceFlags, SEQUENCE_FLAGS.incrementalStateCleared)
      out.uint(PACKET.firstOnSequence, 1)
      out.message(PACKET.defaults, () => out.uint(DEFAULTS.timestampClockId, CLOCK))
      out.message(PACKET.internedData, () => {
        this.#names(INTERNED.eventNames, EVENT_KINDS)
        this.#names(INTERNED.debugAnnotationNames, EVENT_ARGS)
      })
    })
    const parents = new Set(tracks.map(({ parent }) => parent))
    this.#descriptor(ROOT, () => {
      out.string(DESCRIPTOR.name, this.#trace.meta.name)
      out.uint(DESCRIPTOR.childOrdering, EXPLICIT_ORDERING)
    })
    this.#run()
    tracks.forEach((spec, id) => this.#track(spec, uuid(id, 0), id, parents.has(id)))
    const extra = new Set<number>()
    this.#lanes.forEach((lane, row) => {
      const id = this.#slices.track[row]!
      if (lane === 0 || extra.has(uuid(id, lane))) return
      extra.add(uuid(id, lane))
      this.#track(tracks[id]!, uuid(id, lane), id, false)
    })
  }

  begin(row: number, at: number): void {
    const { track, kind } = this.#slices
    this.#event(EVENT_TYPE.sliceBegin, uuid(track[row]!, this.#lanes[row]!), at, () => {
      this.#out.uint(EVENT.nameIid, kind[row]! + 1)
      this.#args(this.#slices, row)
      this.#flowIds(row * 2)
    })
  }

  end(row: number, at: number): void {
    this.#event(EVENT_TYPE.sliceEnd, uuid(this.#slices.track[row]!, this.#lanes[row]!), at)
  }

  instant(row: number, at: number): void {
    const { track, kind } = this.#instants
    this.#event(EVENT_TYPE.instant, uuid(track[row]!, 0), at, () => {
      this.#out.uint(EVENT.nameIid, kind[row]! + 1)
      this.#args(this.#instants, row)
      this.#flowIds(row * 2 + 1)
    })
  }

  counter(row: number, at: number): void {
    const { track, value } = this.#trace.counters
    this.#event(EVENT_TYPE.counter, uuid(track[row]!, 0), at, () => {
      this.#out.double(EVENT.doubleCounterValue, value[row]!)
    })
  }

  #names(field: number, names: readonly string[]): void {
    names.forEach((name, index) => {
      this.#out.message(field, () => {
        this.#out.uint(NAME.iid, index + 1)
        this.#out.string(NAME.name, name)
      })
    })
  }

  #track(spec: TrackSpec, id: number, rank: number, hasChildren: boolean): void {
    const out = this.#out
    this.#descriptor(id, () => {
      out.string(DESCRIPTOR.name, spec.name)
      out.uint(DESCRIPTOR.parentUuid, spec.parent === undefined ? ROOT : uuid(spec.parent, 0))
      out.uint(DESCRIPTOR.siblingOrderRank, rank)
      if (hasChildren) out.uint(DESCRIPTOR.childOrdering, EXPLICIT_ORDERING)
      const { unit } = spec
      if (unit === undefined) return
      // Bytes are the one unit the viewer scales by itself (KiB, MiB, …).
      out.message(DESCRIPTOR.counter, () =>
        unit === "bytes" ? out.uint(COUNTER.unit, UNIT_SIZE_BYTES) : out.string(COUNTER.unitName, unit)
      )
    })
  }

  #descriptor(id: number, write: () => void): void {
    const out = this.#out
    out.message(TRACE.packet, () => {
      out.uint(PACKET.sequenceId, SEQUENCE)
      out.message(PACKET.trackDescriptor, () => {
        out.uint(DESCRIPTOR.uuid, id)
        write()
      })
    })
  }

  /** What this is a trace of, as the arguments of one event at the start. */
  #run(): void {
    const { dropped } = this.#trace
    const { peaks: _, ...meta } = this.#trace.meta
    this.#event(EVENT_TYPE.instant, ROOT, 0, () => {
      const out = this.#out
      out.string(EVENT.name, "run")
      for (const [name, value] of Object.entries<string | number>({ ...meta, dropped })) {
        out.message(EVENT.debugAnnotations, () => {
          out.string(ANNOTATION.name, name)
          if (typeof value === "string") out.string(ANNOTATION.string, value)
          else out.double(ANNOTATION.double, value)
        })
      }
    })
  }

  #event(type: number, track: number, at: number, write?: () => void): void {
    const out = this.#out
    out.message(TRACE.packet, () => {
      out.uint(PACKET.timestamp, at)
      out.uint(PACKET.sequenceId, SEQUENCE)
      out.uint(PACKET.sequenceFlags, SEQUENCE_FLAGS.needsIncrementalState)
      out.message(PACKET.trackEvent, () => {
        out.uint(EVENT.type, type)
        out.uint(EVENT.trackUuid, track)
        write?.()
      })
    })
  }

  #args(columns: Slices | Instants, row: number): void {
    const out = this.#out
    EVENT_ARGS.forEach((name, index) => {
      const stored = columns[name][row]!
      if (stored === 0) return
      out.message(EVENT.debugAnnotations, () => {
        out.uint(ANNOTATION.nameIid, index + 1)
        const value = argValue(name, stored)
        if (!Number.isSafeInteger(value) || value < 0) out.double(ANNOTATION.double, value)
        else out.uint(ANNOTATION.uint, value)
      })
    })
  }

  #flowIds(event: number): void {
    for (const flow of this.#flows.get(event) ?? []) this.#out.fixed64(EVENT.flowIds, flow)
  }
}

const uuid = (track: number, lane: number): number => lane * LANE_STRIDE + track + ROOT + 1
