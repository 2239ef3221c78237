/**
 * A trace as rows of the timeline, each a lane of slices that never overlap, a counter or a heading. Plain columns: it is made in a
 * worker and moved to the page.
 */
import { bookedReloads } from "../../trace/bookings.ts"
import { exposedParts, rootOf, type Stretches } from "../../trace/occupation.ts"
import { EVENT_KINDS, TRACK_KINDS, type TrackKind, type TrackSpec } from "../../trace/recorder.ts"
import { basisOf, type Basis, type TraceView } from "../shell/traces.ts"
import { apart, byTime, grouped } from "./apart.ts"
import { firstFrom, type Lane, type LongestPyramid, longestPyramid } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

interface RowOf {
  /** Names the row in addresses: the track's id, and the lane where it has several. */
  readonly key: string
  readonly label: string
  readonly depth: number
  readonly track: number
  readonly what: TrackKind
  readonly basis: Basis
}

/** Instants of a row, ascending. */
export interface Instants {
  readonly at: Float64Array
  /** Index into `EVENT_KINDS`. */
  readonly kind: Uint8Array
}

export interface SliceRow extends Lane, RowOf {
  readonly type: "slices"
  /** Index into `EVENT_KINDS`, a slice each. */
  readonly kind: Uint8Array
  /** Row of the trace, a slice each. */
  readonly source: Uint32Array
  readonly longest: LongestPyramid
  /** Of links: the parts during which the GPUs of the replica stood idle. */
  readonly exposed?: Lane
  readonly instants?: Instants
}

export interface CounterRow extends RowOf {
  readonly type: "counter"
  readonly unit: string
  /** ns, ascending; the value holds from there on. */
  readonly at: Float64Array
  readonly value: Float64Array
  /** Sum of value × ns before each sample. */
  readonly before: Float64Array
  readonly most: number
}

/** A heading has no slices of its own, only instants and rows below it. */
export interface HeadingRow extends RowOf {
  readonly type: "heading"
  readonly instants?: Instants
}

export type Row = SliceRow | CounterRow | HeadingRow

export interface TimelineModel {
  readonly rows: readonly Row[]
  /** Start of the run to its last event. */
  readonly run: Viewport
  readonly slices: number
}

/** `stretches`: what the replicas' time went to. */
export const timelineModel = (trace: TraceView, stretches: readonly Stretches[] = []): TimelineModel => {
  const count = trace.tracks.length
  const slicesOf = grouped(trace.slices.track, count)
  const samplesOf = grouped(trace.counters.track, count)
  const instantsOf = grouped(trace.instants.track, count)
  const booked = bookedReloads(trace)
  const schedulers = new Set(booked.map(({ replica }) => schedulerOf(trace.tracks, replica)))
  const rows = inOrder(trace.tracks).flatMap(({ id, depth }): readonly Row[] => {
    const { name: label, unit, kind: what } = trace.tracks[id]!
    const of = (lane: number): RowOf => ({
      key: lane === 0 ? `${id}` : `${id}.${lane}`,
      label: lane === 0 ? label : `${label} (${lane + 1})`,
      depth,
      track: id,
      what,
      basis: basisOf(trace, id)
    })
    if (samplesOf[id]!.length > 0) return [counterRow(trace, of(0), unit ?? "", samplesOf[id]!)]
    const instants = instantsIn(trace, instantsOf[id]!)
    const lanes = apart(trace.slices, slicesOf[id]!)
    const own: readonly Row[] =
      lanes.length === 0
        ? [{ type: "heading", ...of(0), ...(instants === undefined ? {} : { instants }) }]
        : lanes.map((lane, index) => {
            const row = sliceRow(trace, of(index), lane)
            const exposed = isLink(what) ? exposedIn(trace, stretches, row) : undefined
            return {
              ...row,
              ...(exposed === undefined ? {} : { exposed }),
              ...(index > 0 || instants === undefined ? {} : { instants })
            }
          })
    if (!schedulers.has(id)) return own
    const ring = booked.find(({ replica }) => replica === rootOf(trace.tracks, id))!
    const ringRow = { ...of(0), key: `${id}.ring`, label: "ring: reloads booked" }
    return [...own, withSums({ type: "counter", ...ringRow, unit: "bytes", at: ring.at, value: ring.value })]
  })
  const end = Math.max(1, most(trace.slices.end), most(trace.instants.at), most(trace.counters.at))
  return { rows: withoutEmpty(rows), run: { from: 0, to: end }, slices: trace.slices.length }
}

/** Without tracks on which nothing happened, and headings of only such. */
const withoutEmpty = (rows: readonly Row[]): readonly Row[] => {
  const kept: Row[] = []
  let below = -1
  for (const row of rows.toReversed()) {
    const empty = row.type === "heading" && row.instants === undefined && below <= row.depth
    if (empty) continue
    kept.push(row)
    below = row.depth
  }
  return kept.toReversed()
}

const isLink = (what: TrackKind): boolean => what === "link-h2d" || what === "link-d2h"

const exposedIn = (trace: TraceView, stretches: readonly Stretches[], row: SliceRow): Lane | undefined => {
  const root = rootOf(trace.tracks, row.track)
  const own = stretches.find(({ replica }) => replica === root)
  return own === undefined ? undefined : exposedParts(own, row)
}

/** The replica's track of scheduling decisions. */
const schedulerOf = (tracks: readonly TrackSpec[], replica: number): number =>
  tracks.findIndex(
    ({ kind, unit }, id) => kind === "scheduler" && unit === undefined && rootOf(tracks, id) === replica
  )

const most = (values: Float64Array): number => {
  let found = 0
  for (const value of values) if (value > found) found = value
  return found
}

/** Tracks depth first; siblings by what they are (GPU, HBM, links, host, store, scheduler, requests), else as recorded. */
const inOrder = (
  tracks: readonly TrackSpec[]
): readonly { readonly id: number; readonly depth: number }[] => {
  const children = new Map<number | undefined, number[]>()
  for (const [id, { parent }] of tracks.entries()) {
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [id])
    else siblings.push(id)
  }
  const rank = (id: number): number => TRACK_KINDS.indexOf(tracks[id]!.kind)
  for (const siblings of children.values()) siblings.sort((a, b) => rank(a) - rank(b) || a - b)
  const below = (parent: number | undefined, depth: number): { id: number; depth: number }[] =>
    (children.get(parent) ?? []).flatMap((id) => [{ id, depth }, ...below(id, depth + 1)])
  return below(undefined, 0)
}

const sliceRow = ({ slices }: TraceView, of: RowOf, rows: Uint32Array): SliceRow => {
  const start = new Float64Array(rows.length)
  const end = new Float64Array(rows.length)
  const kind = new Uint8Array(rows.length)
  const all = { start: slices.start, end: slices.end, kind: slices.kind }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    start[i] = all.start[row]!
    end[i] = all.end[row]!
    kind[i] = all.kind[row]!
  }
  return { type: "slices", ...of, start, end, kind, source: rows, longest: longestPyramid({ start, end }) }
}

const instantsIn = ({ instants }: TraceView, rows: Uint32Array): Instants | undefined => {
  if (rows.length === 0) return undefined
  const sorted = byTime(rows, instants.at)
  return {
    at: Float64Array.from(sorted, (row) => instants.at[row]!),
    kind: Uint8Array.from(sorted, (row) => instants.kind[row]!)
  }
}

const counterRow = ({ counters }: TraceView, of: RowOf, unit: string, rows: Uint32Array): CounterRow => {
  const sorted = byTime(rows, counters.at)
  const at = Float64Array.from(sorted, (row) => counters.at[row]!)
  const value = Float64Array.from(sorted, (row) => counters.value[row]!)
  return withSums({ type: "counter", ...of, unit, at, value })
}

const withSums = (row: Omit<CounterRow, "before" | "most">): CounterRow => {
  const before = new Float64Array(row.at.length)
  for (let i = 1; i < before.length; i++)
    before[i] = before[i - 1]! + row.value[i - 1]! * (row.at[i]! - row.at[i - 1]!)
  return { ...row, before, most: most(row.value) }
}

/** Name of what a slice stands for: its kind, or what another tool called it. */
export const kindName = ({ names }: TraceView, row: SliceRow, slice: number): string =>
  names?.table[names.index[row.source[slice]!]!] ?? EVENT_KINDS[row.kind[slice]!] ?? "event"

/** How what the rows show came to be known, in words. */
export const basisText = (rows: readonly Row[]): string =>
  [...new Set(rows.map(({ basis }) => basis))].toSorted().join(" and ")

/** A slice of the model. */
export interface Place {
  readonly row: SliceRow
  readonly slice: number
}

/** Where a row of the trace is in the model; undefined if there is no such row. */
export const placeOf = ({ rows }: TimelineModel, trace: TraceView, source: number): Place | undefined => {
  const { track, start } = trace.slices
  if (!(source >= 0 && source < track.length)) return undefined
  for (const row of rows) {
    if (row.type !== "slices" || row.track !== track[source]) continue
    // Several slices of a lane may start together, those of no time.
    for (let slice = firstFrom(row.start, start[source]!); row.start[slice] === start[source]; slice++)
      if (row.source[slice] === source) return { row, slice }
  }
  return undefined
}
