/**
 * The trace of a run, in memory: typed-array columns, one group each for slices, instants, counter samples and flows.
 * Flat memory on demand: with a `limit` the first records are kept and the rest counted.
 */
import { Digest } from "./digest.ts"
import {
  EVENT_KINDS,
  type EventArgs,
  type EventKind,
  type Recorder,
  SHARE_ARGS,
  type TrackSpec
} from "./recorder.ts"
import { isZero, Table, type View } from "./table.ts"

/** What the hardware of a replica could move at most, bytes/s, all its GPUs together. */
export interface Peaks {
  readonly hbm: number
  readonly hostToDevice: number
  /** Absent where it is not known. */
  readonly deviceToHost?: number
  readonly basis: "measured" | "modelled" | "assumed"
}

/** What a trace is a trace of. */
export interface TraceMeta {
  readonly name: string
  /** Name of the scenario that ran. */
  readonly scenario: string
  /** Name of the serving method that ran. */
  readonly method: string
  readonly seed: number
  /** Whether times are the simulator's or a machine's. */
  readonly clock: "virtual" | "wall"
  /** Whether what happened was computed by a model or measured on a device. */
  readonly basis: "modelled" | "measured"
  /** Nanoseconds to add to a time of the trace to get the time of its clock; 0 in virtual time. */
  readonly clockOffset: number
  /** For shares of the roofline; absent where nobody said. */
  readonly peaks?: Peaks
  /**
   * Of a measured run: whose clock timed its passes. The host's, from ordering a pass to having its result; or the device's own
   * besides, on a track of its own (kind "device-clock").
   */
  readonly passTimes?: PassTimes
}

export const PASS_TIMES = ["host", "host and device"] as const
export type PassTimes = (typeof PASS_TIMES)[number]

const ARGS = {
  /** Request id + 1, 0 for none. */
  request: Uint32Array,
  tokens: Uint32Array,
  bytes: Float64Array,
  accepted: Uint32Array,
  round: Uint32Array,
  steps: Uint32Array,
  members: Uint32Array,
  kvTokens: Float64Array,
  /** Shares in ten-thousandths. */
  limitHbm: Uint16Array,
  limitCompute: Uint16Array,
  limitInterconnect: Uint16Array,
  limitScheduling: Uint16Array
} as const

/** 69 bytes: `kind` indexes EVENT_KINDS, times are integer ns. */
const SLICES = {
  start: Float64Array,
  end: Float64Array,
  track: Uint32Array,
  kind: Uint8Array,
  ...ARGS
} as const
/** 61 bytes. */
const INSTANTS = { at: Float64Array, track: Uint32Array, kind: Uint8Array, ...ARGS } as const
/** 20 bytes: the counter of `track` has `value` from `at` on. */
const COUNTERS = { at: Float64Array, value: Float64Array, track: Uint32Array } as const
/** 8 bytes: event ids, see `eventRow`. */
const FLOWS = { from: Uint32Array, to: Uint32Array } as const

export type Slices = View<typeof SLICES>
export type Instants = View<typeof INSTANTS>
export type Counters = View<typeof COUNTERS>
export type Flows = View<typeof FLOWS>

const SHARE_PARTS = 10_000
const SHARES: ReadonlySet<string> = new Set(SHARE_ARGS)

/** The number that a stored one stands for: ids of requests are stored one higher, shares in ten-thousandths. */
export const argValue = (name: keyof EventArgs, stored: number): number => {
  if (name === "request") return stored - 1
  return SHARES.has(name) ? stored / SHARE_PARTS : stored
}

/** Given instead of an id once the limit is reached. */
const NOT_KEPT = -1

const KIND_INDEX = new Map(EVENT_KINDS.map((kind, index) => [kind, index]))

/** Which row an event id names: even ids are slices, odd ones instants. */
export const eventRow = (id: number): { readonly group: "slices" | "instants"; readonly row: number } => ({
  group: id % 2 === 0 ? "slices" : "instants",
  row: Math.floor(id / 2)
})

export class TraceStore implements Recorder {
  readonly meta: TraceMeta
  /** Records kept at most, all groups together. */
  readonly limit: number
  readonly #tracks: TrackSpec[] = []
  readonly #slices = new Table(SLICES)
  readonly #instants = new Table(INSTANTS)
  readonly #counters = new Table(COUNTERS)
  readonly #flows = new Table(FLOWS)
  #records = 0
  #dropped = 0

  /** `limit`: keep the first so many records and count the rest in `dropped`. `dropped`: what was lost before, when restoring. */
  constructor(meta: TraceMeta, options: { readonly limit?: number; readonly dropped?: number } = {}) {
    this.meta = meta
    this.limit = options.limit ?? Number.POSITIVE_INFINITY
    this.#dropped = options.dropped ?? 0
  }

  /** Index = track id. */
  get tracks(): readonly TrackSpec[] {
    return this.#tracks
  }
  get slices(): Slices {
    return this.#slices.view
  }
  get instants(): Instants {
    return this.#instants.view
  }
  get counters(): Counters {
    return this.#counters.view
  }
  get flows(): Flows {
    return this.#flows.view
  }
  /** Records kept. */
  get length(): number {
    return this.#records
  }
  /** Records that came after the limit was reached and are lost. */
  get dropped(): number {
    return this.#dropped
  }
  /** Bytes of memory the records occupy, room to grow included. */
  get byteLength(): number {
    return [this.#slices, this.#instants, this.#counters, this.#flows].reduce(
      (sum, { byteLength }) => sum + byteLength,
      0
    )
  }

  /** Throws if the parent is not a track. Once the limit is reached no track is kept either: nothing could be on it. */
  track(spec: TrackSpec): number {
    if (this.#records >= this.limit) return NOT_KEPT
    if (spec.parent !== undefined) this.#known(spec.parent)
    this.#tracks.push(spec)
    return this.#tracks.length - 1
  }

  slice(track: number, kind: EventKind, start: number, end: number, args?: EventArgs): number {
    if (!this.#room()) return NOT_KEPT
    this.#known(track)
    if (!(end >= start))
      throw new Error(`a ${kind} slice cannot end at ${end} ns, before its start at ${start} ns`)
    const row = this.#slices.add()
    const { columns } = this.#slices
    columns.start[row] = time(start)
    columns.end[row] = time(end)
    columns.track[row] = track
    columns.kind[row] = KIND_INDEX.get(kind)!
    if (args !== undefined) fill(columns, row, args)
    return row * 2
  }

  instant(track: number, kind: EventKind, at: number, args?: EventArgs): number {
    if (!this.#room()) return NOT_KEPT
    this.#known(track)
    const row = this.#instants.add()
    const { columns } = this.#instants
    columns.at[row] = time(at)
    columns.track[row] = track
    columns.kind[row] = KIND_INDEX.get(kind)!
    if (args !== undefined) fill(columns, row, args)
    return row * 2 + 1
  }

  counter(track: number, at: number, value: number): void {
    if (!this.#room()) return
    this.#known(track)
    if (!Number.isFinite(value)) throw new Error(`counter "${this.#tracks[track]!.name}" cannot be ${value}`)
    const row = this.#counters.add()
    const { columns } = this.#counters
    columns.at[row] = time(at)
    columns.value[row] = value + 0
    columns.track[row] = track
  }

  flow(from: number, to: number): void {
    if (from === NOT_KEPT || to === NOT_KEPT) {
      this.#dropped++
      return
    }
    if (!this.#room()) return
    this.#event(from)
    this.#event(to)
    const row = this.#flows.add()
    const { columns } = this.#flows
    columns.from[row] = from
    columns.to[row] = to
  }

  /**
   * Fingerprint of everything that was recorded, in order: tracks, all columns, and how many records were lost. The
   * metadata is no part of it: two runs in which the same happens have the same digest, whatever they are called. Columns of
   * shares count where there are any, so that traces from before there were have the digest they had.
   */
  digest(): string {
    const digest = new Digest()
    for (const { name, kind, parent, unit } of this.#tracks) {
      digest
        .text(name)
        .text(kind)
        .number(parent ?? -1)
        .text(unit ?? "")
    }
    for (const table of [this.#slices, this.#instants, this.#counters, this.#flows]) {
      digest.number(table.length)
      for (const [name, column] of table.entries)
        if (!SHARES.has(name) || !isZero(column)) digest.bytes(column)
    }
    return digest.number(this.#dropped).hex()
  }

  /** Makes room for records of a group that are to come; what the limit would refuse needs none. */
  reserve(group: "slices" | "instants" | "counters" | "flows", rows: number): void {
    const table = {
      slices: this.#slices,
      instants: this.#instants,
      counters: this.#counters,
      flows: this.#flows
    }
    table[group].reserve(table[group].length + Math.min(rows, this.limit))
  }

  #room(): boolean {
    if (this.#records < this.limit) {
      this.#records++
      return true
    }
    this.#dropped++
    return false
  }

  #known(track: number): void {
    if (!(track >= 0 && track < this.#tracks.length)) throw new Error(`there is no track ${track}`)
  }

  #event(id: number): void {
    const { group, row } = eventRow(id)
    const rows = group === "slices" ? this.#slices.length : this.#instants.length
    if (!(row >= 0 && row < rows)) throw new Error(`there is no event ${id}`)
  }
}

/** Times are whole nanoseconds since the start, never −0. Throws on anything else: it would not survive a file. */
const time = (ns: number): number => {
  if (!Number.isSafeInteger(ns) || ns < 0) throw new Error(`${ns} is no time in whole nanoseconds`)
  return ns + 0
}

interface ArgColumns {
  readonly request: Uint32Array
  readonly tokens: Uint32Array
  readonly bytes: Float64Array
  readonly accepted: Uint32Array
  readonly round: Uint32Array
  readonly steps: Uint32Array
  readonly members: Uint32Array
  readonly kvTokens: Float64Array
  readonly limitHbm: Uint16Array
  readonly limitCompute: Uint16Array
  readonly limitInterconnect: Uint16Array
  readonly limitScheduling: Uint16Array
}

const fill = (columns: ArgColumns, row: number, args: EventArgs): void => {
  const { request, tokens, bytes, accepted, round, steps, members, kvTokens } = args
  const { limitHbm, limitCompute, limitInterconnect, limitScheduling } = args
  if (request !== undefined) putCount(columns.request, row, request + 1)
  if (tokens !== undefined) putCount(columns.tokens, row, tokens)
  if (accepted !== undefined) putCount(columns.accepted, row, accepted)
  if (round !== undefined) putCount(columns.round, row, round)
  if (steps !== undefined) putCount(columns.steps, row, steps)
  if (members !== undefined) putCount(columns.members, row, members)
  if (bytes !== undefined) putFinite(columns.bytes, row, bytes)
  if (kvTokens !== undefined) putFinite(columns.kvTokens, row, kvTokens)
  if (limitHbm !== undefined) putShare(columns.limitHbm, row, limitHbm)
  if (limitCompute !== undefined) putShare(columns.limitCompute, row, limitCompute)
  if (limitInterconnect !== undefined) putShare(columns.limitInterconnect, row, limitInterconnect)
  if (limitScheduling !== undefined) putShare(columns.limitScheduling, row, limitScheduling)
}

/** Throws rather than keep another number than it was given. */
const putCount = (column: Uint32Array, row: number, count: number): void => {
  column[row] = count
  if (column[row] !== count) throw new Error(`${count} is no count below 2^32`)
}

const putFinite = (column: Float64Array, row: number, value: number): void => {
  if (!Number.isFinite(value)) throw new Error(`${value} is no number to keep`)
  column[row] = value + 0
}

const putShare = (column: Uint16Array, row: number, share: number): void => {
  if (!(share >= 0 && share <= 1)) throw new Error(`${share} is no share`)
  column[row] = Math.round(share * SHARE_PARTS)
}

/** What a trace holds, without what records it: a store, or the same columns after a journey from a worker. */
export type TraceColumns = Pick<
  TraceStore,
  "meta" | "tracks" | "slices" | "instants" | "counters" | "flows" | "dropped"
>
