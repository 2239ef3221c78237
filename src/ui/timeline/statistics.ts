/** What happened in a stretch of time: slices, counters and instants of the rows shown, counted and summed. Pure. */
import { quantileSorted } from "d3"
import { EVENT_KINDS, type TrackKind } from "../../trace/recorder.ts"
import { rootOf } from "../../trace/occupation.ts"
import { PASS_LIMITS, type PassLimit, passShares, type PassShares } from "../../trace/pass-limits.ts"
import type { Peaks } from "../../trace/store.ts"
import type { TraceView } from "../shell/traces.ts"
import { covered } from "./covered.ts"
import { type CounterRow, kindName, type Place, type Row } from "./model.ts"
import { firstFrom } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

/**
 * Slices of one kind on one sort of row that began in the stretch or reached into it; durations are whole, not cut at its edges.
 * ns, bytes.
 */
export interface KindStatistics {
  readonly name: string
  readonly where: string
  readonly count: number
  readonly total: number
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** Moved by transfers; of passes what they read and wrote in HBM. */
  readonly bytes: number
  /** Time in which at least one of them ran, added up over replicas. */
  readonly busy: number
  /** bytes / busy over the peak of what carries them; undefined where the trace names none. */
  readonly roofline: number | undefined
  /** What bounded those passes that say so, by their time; shares that sum to 1. */
  readonly limits: PassShares | undefined
}

const WHERE: Partial<Readonly<Record<TrackKind, string>>> = {
  gpu: "GPU",
  "link-h2d": "link to device",
  "link-d2h": "link to host",
  network: "store",
  request: "requests"
}

/** Slices that overlap the stretch, row by row, in order of time. A slice of no time counts where it stands. */
export const slicesIn = (rows: readonly Row[], { from, to }: Viewport): readonly Place[] =>
  rows.flatMap((row) => {
    if (row.type !== "slices") return []
    const found: Place[] = []
    for (let slice = firstFrom(row.end, from); slice < row.start.length && row.start[slice]! < to; slice++)
      found.push({ row, slice })
    return found
  })

interface Group {
  readonly name: string
  readonly where: string
  readonly what: TrackKind
  readonly durations: number[]
  /** By track: begin and end of each slice. */
  readonly spans: Map<number, [number, number][]>
  /** Time of the passes that say what bounded them, by limit. */
  readonly limited: Record<PassLimit, number>
  bytes: number
}

/** By kind and sort of row, the longest total first. `rows`: all of the model, for counters. */
export const statisticsOf = (
  trace: TraceView,
  places: readonly Place[],
  rows: readonly Row[]
): readonly KindStatistics[] => {
  const groups = new Map<string, Group>()
  for (const { row, slice } of places) {
    const name = kindName(trace, row, slice)
    const where = WHERE[row.what] ?? row.label
    const key = `${where} ${name}`
    const own: Group = groups.get(key) ?? {
      name,
      where,
      what: row.what,
      durations: [],
      spans: new Map(),
      limited: { hbm: 0, compute: 0, interconnect: 0, scheduling: 0, link: 0 },
      bytes: 0
    }
    groups.set(key, own)
    own.durations.push(row.end[slice]! - row.start[slice]!)
    own.bytes += trace.slices.bytes[row.source[slice]!]!
    const shares = passShares(trace.slices, row.source[slice]!)
    if (shares !== undefined)
      for (const limit of PASS_LIMITS)
        own.limited[limit] += shares[limit] * (row.end[slice]! - row.start[slice]!)
    const spans = own.spans.get(row.track) ?? []
    own.spans.set(row.track, spans)
    spans.push([row.start[slice]!, row.end[slice]!])
  }
  return [...groups.values()]
    .map((group): KindStatistics => {
      const sorted = group.durations.toSorted((a, b) => a - b)
      const total = sorted.reduce((sum, one) => sum + one, 0)
      const at = (share: number): number => quantileSorted(sorted, share)!
      const unions = [...group.spans].map(([track, spans]) => ({ track, parts: union(spans) }))
      const busy = unions.reduce((sum, { parts }) => sum + parts.reduce((own, [a, b]) => own + b - a, 0), 0)
      const hbm = group.what === "gpu" ? hbmBytes(trace, rows, unions) : undefined
      const bytes = hbm ?? group.bytes
      const peak = peakOf(trace.meta.peaks, group.what)
      return {
        name: group.name,
        where: group.where,
        count: sorted.length,
        total,
        mean: total / sorted.length,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        bytes,
        busy,
        roofline: peak === undefined || bytes <= 0 || busy <= 0 ? undefined : ((bytes / busy) * 1e9) / peak,
        limits: shared(group.limited)
      }
    })
    .toSorted((a, b) => b.total - a.total || a.name.localeCompare(b.name))
}

/** Undefined where there is no time to share. */
const shared = (time: PassShares): PassShares | undefined => {
  const total = PASS_LIMITS.reduce((sum, limit) => sum + time[limit], 0)
  if (total <= 0) return undefined
  return Object.fromEntries(PASS_LIMITS.map((limit) => [limit, time[limit] / total])) as Record<
    PassLimit,
    number
  >
}

/** bytes/s; undefined where the trace does not say. */
const peakOf = (peaks: Peaks | undefined, what: TrackKind): number | undefined => {
  if (what === "gpu") return peaks?.hbm
  if (what === "link-h2d") return peaks?.hostToDevice
  return what === "link-d2h" ? peaks?.deviceToHost : undefined
}

/** Stretches that overlap or touch made one, in order of time. */
const union = (spans: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] => {
  const parts: [number, number][] = []
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = parts.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else parts.push([from, to])
  }
  return parts
}

/** What the replicas' HBM counters say of the time of these passes; undefined without such counters. */
const hbmBytes = (
  trace: TraceView,
  rows: readonly Row[],
  unions: readonly { readonly track: number; readonly parts: readonly (readonly [number, number])[] }[]
): number | undefined => {
  const counters = rows.filter(
    (row) => row.type === "counter" && row.what === "hbm-bandwidth"
  ) as readonly CounterRow[]
  if (counters.length === 0) return undefined
  let sum = 0
  for (const { track, parts } of unions) {
    const counter = counters.find((row) => rootOf(trace.tracks, row.track) === rootOf(trace.tracks, track))
    if (counter === undefined) return undefined
    for (const [from, to] of parts) sum += sumUntil(counter, to) - sumUntil(counter, from)
  }
  // The counter is in bytes a second, and time in ns.
  return sum / 1e9
}

/** Value × ns of a counter up to a time. */
export const sumUntil = ({ at, value, before }: CounterRow, time: number): number => {
  const sample = firstFrom(at, time) - 1
  return sample < 0 ? 0 : before[sample]! + value[sample]! * (time - at[sample]!)
}

/** A counter in a stretch; undefined where it has no value yet. */
export interface CounterStatistics {
  readonly label: string
  readonly unit: string
  readonly least: number
  /** Over time. */
  readonly mean: number
  readonly most: number
}

export const countersIn = (rows: readonly Row[], { from, to }: Viewport): readonly CounterStatistics[] =>
  rows.flatMap((row) => {
    if (row.type !== "counter" || to <= from) return []
    const first = Math.max(0, firstFrom(row.at, from + 1e-9) - 1)
    const begin = Math.max(from, row.at[first] ?? to)
    if (begin >= to) return []
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let sample = first; sample < row.at.length && row.at[sample]! < to; sample++) {
      least = Math.min(least, row.value[sample]!)
      most = Math.max(most, row.value[sample]!)
    }
    const mean = (sumUntil(row, to) - sumUntil(row, begin)) / (to - begin)
    return [{ label: row.label, unit: row.unit, least, mean, most }]
  })

/** Instants in a stretch by kind, the most frequent first. */
export const instantsIn = (
  rows: readonly Row[],
  { from, to }: Viewport
): readonly { readonly name: string; readonly count: number }[] => {
  const counts = new Map<string, number>()
  for (const row of rows) {
    if (row.type === "counter" || row.instants === undefined) continue
    const { at, kind } = row.instants
    for (let i = firstFrom(at, from); i < at.length && at[i]! < to; i++) {
      const name = EVENT_KINDS[kind[i]!]!
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return [...counts].map(([name, count]) => ({ name, count })).toSorted((a, b) => b.count - a.count)
}

/** Transfers of the rows in a stretch, cut at its edges: busy time added up over links, and what of it no pass hid. ns. */
export const transfersIn = (
  rows: readonly Row[],
  { from, to }: Viewport
): { readonly busy: number; readonly exposed: number } => {
  let [busy, exposed] = [0, 0]
  for (const row of rows) {
    if (row.type !== "slices" || row.exposed === undefined) continue
    busy += covered(row, from, to)
    exposed += covered(row.exposed, from, to)
  }
  return { busy, exposed }
}
