/** A trace as rows of the timeline: each a lane of slices that never overlap, or a counter. */
import { EVENT_KINDS, type TrackSpec } from "../../trace/recorder.ts"
import type { TraceView } from "../shell/traces.ts"
import { type Lane, type LongestPyramid, longestPyramid } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

export interface SliceRow extends Lane {
  readonly type: "slices"
  readonly label: string
  readonly depth: number
  /** Index into `EVENT_KINDS`, a slice each. */
  readonly kind: Uint8Array
  /** Row of the trace, a slice each. */
  readonly source: Uint32Array
  readonly longest: LongestPyramid
}

export interface CounterRow {
  readonly type: "counter"
  readonly label: string
  readonly depth: number
  readonly unit: string
  /** ns, ascending; the value holds from there on. */
  readonly at: Float64Array
  readonly value: Float64Array
  readonly most: number
}

/** A heading has nothing of its own, only rows below it. */
export interface HeadingRow {
  readonly type: "heading"
  readonly label: string
  readonly depth: number
}

export type Row = SliceRow | CounterRow | HeadingRow

export interface TimelineModel {
  readonly rows: readonly Row[]
  /** Start of the run to its last event. */
  readonly run: Viewport
  readonly slices: number
}

export const timelineModel = (trace: TraceView): TimelineModel => {
  const slicesOf = rowsByTrack(trace.slices.track, trace.tracks.length)
  const samplesOf = rowsByTrack(trace.counters.track, trace.tracks.length)
  const rows = inOrder(trace.tracks).flatMap(({ id, depth }): readonly Row[] => {
    const { name: label, unit } = trace.tracks[id]!
    const samples = samplesOf[id]!
    if (samples.length > 0) return [counterRow(trace, label, depth, unit ?? "", samples)]
    const lanes = apart(trace, slicesOf[id]!)
    if (lanes.length === 0) return [{ type: "heading", label, depth }]
    return lanes.map((lane, index) =>
      sliceRow(trace, index === 0 ? label : `${label} (${index + 1})`, depth, lane)
    )
  })
  const last = (times: Float64Array): number => times.reduce((most, time) => Math.max(most, time), 0)
  const end = Math.max(1, last(trace.slices.end), last(trace.instants.at), last(trace.counters.at))
  return { rows, run: { from: 0, to: end }, slices: trace.slices.length }
}

/** Tracks depth first, siblings in the order they were recorded. */
const inOrder = (
  tracks: readonly TrackSpec[]
): readonly { readonly id: number; readonly depth: number }[] => {
  const children = new Map<number | undefined, number[]>()
  for (const [id, { parent }] of tracks.entries()) {
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [id])
    else siblings.push(id)
  }
  const below = (parent: number | undefined, depth: number): { id: number; depth: number }[] =>
    (children.get(parent) ?? []).flatMap((id) => [{ id, depth }, ...below(id, depth + 1)])
  return below(undefined, 0)
}

const rowsByTrack = (track: Uint32Array, tracks: number): readonly number[][] => {
  const rows = Array.from({ length: tracks }, (): number[] => [])
  track.forEach((id, row) => rows[id]!.push(row))
  return rows
}

/** Rows of slices, each on the first lane that is free when it starts. */
const apart = ({ slices: { start, end } }: TraceView, rows: readonly number[]): readonly number[][] => {
  const lanes: number[][] = []
  for (const row of rows.toSorted((a, b) => start[a]! - start[b]! || end[b]! - end[a]! || a - b)) {
    const free = lanes.find((lane) => end[lane.at(-1)!]! <= start[row]!)
    if (free === undefined) lanes.push([row])
    else free.push(row)
  }
  return lanes
}

const sliceRow = ({ slices }: TraceView, label: string, depth: number, rows: readonly number[]): SliceRow => {
  const start = Float64Array.from(rows, (row) => slices.start[row]!)
  const end = Float64Array.from(rows, (row) => slices.end[row]!)
  const kind = Uint8Array.from(rows, (row) => slices.kind[row]!)
  const longest = longestPyramid({ start, end })
  return { type: "slices", label, depth, start, end, kind, source: Uint32Array.from(rows), longest }
}

const counterRow = (
  { counters }: TraceView,
  label: string,
  depth: number,
  unit: string,
  rows: readonly number[]
): CounterRow => {
  const sorted = rows.toSorted((a, b) => counters.at[a]! - counters.at[b]! || a - b)
  const at = Float64Array.from(sorted, (row) => counters.at[row]!)
  const value = Float64Array.from(sorted, (row) => counters.value[row]!)
  return { type: "counter", label, depth, unit, at, value, most: value.reduce((a, b) => Math.max(a, b), 0) }
}

/** Name of what a slice stands for: its kind, or what another tool called it. */
export const kindName = ({ names }: TraceView, row: SliceRow, slice: number): string =>
  names?.table[names.index[row.source[slice]!]!] ?? EVENT_KINDS[row.kind[slice]!] ?? "event"
