/**
 * What bounded the passes of a run, for any stretch of it, where the physics that priced them said so: a pass's time counts for each limit
 * by the share its slice has of it. Measured passes say nothing of the kind.
 */
import { rootOf } from "./occupation.ts"
import type { TrackSpec } from "./recorder.ts"
import { argValue, type Slices } from "./store.ts"

/** What a pass may be bound by; "link": it waited for what streams in. */
export const PASS_LIMITS = ["hbm", "compute", "interconnect", "scheduling", "link"] as const
export type PassLimit = (typeof PASS_LIMITS)[number]
export type PassShares = Readonly<Record<PassLimit, number>>

interface Source {
  readonly tracks: readonly TrackSpec[]
  readonly slices: Slices
}

/** Shares of a slice's time, which sum to 1; undefined where the trace does not say. */
export const passShares = (slices: Slices, row: number): PassShares | undefined => {
  if (!isTold(slices, row)) return undefined
  const hbm = argValue("limitHbm", slices.limitHbm[row]!)
  const compute = argValue("limitCompute", slices.limitCompute[row]!)
  const interconnect = argValue("limitInterconnect", slices.limitInterconnect[row]!)
  const scheduling = argValue("limitScheduling", slices.limitScheduling[row]!)
  const link = Math.max(0, 1 - hbm - compute - interconnect - scheduling)
  return { hbm, compute, interconnect, scheduling, link }
}

const isTold = (
  { limitHbm, limitCompute, limitInterconnect, limitScheduling }: Slices,
  row: number
): boolean => limitHbm[row]! + limitCompute[row]! + limitInterconnect[row]! + limitScheduling[row]! > 0

/** The passes of one replica of which it is known, ascending and apart. `before[limit][i]`: ns that count for it before pass `i`. */
export interface Bounded {
  /** The replica's track. */
  readonly replica: number
  readonly start: Float64Array
  readonly end: Float64Array
  /** In the order of `PASS_LIMITS`, one entry more than there are passes. */
  readonly before: readonly Float64Array[]
}

/** Of every replica that says so, as columns that may travel between threads. */
export const boundedOf = ({ tracks, slices }: Source): readonly Bounded[] => {
  const rows = new Map<number, number[]>()
  const roots = tracks.map((_, id) => rootOf(tracks, id))
  for (let row = 0; row < slices.length; row++) {
    const track = slices.track[row]!
    if (tracks[track]!.kind !== "gpu" || !isTold(slices, row)) continue
    const own = rows.get(roots[track]!)
    if (own === undefined) rows.set(roots[track]!, [row])
    else own.push(row)
  }
  return [...rows].map(([replica, own]) => bounded(replica, slices, own))
}

/** A pass that did several things has a slice for each: their time counts once. */
const bounded = (replica: number, slices: Slices, rows: readonly number[]): Bounded => {
  const ordered = rows.toSorted((a, b) => slices.start[a]! - slices.start[b]! || a - b)
  const start: number[] = []
  const end: number[] = []
  const before = PASS_LIMITS.map(() => [0])
  let last = 0
  for (const row of ordered) {
    const [from, to] = [Math.max(last, slices.start[row]!), slices.end[row]!]
    if (to <= from) continue
    last = to
    start.push(from)
    end.push(to)
    const shares = passShares(slices, row)!
    for (const [i, limit] of PASS_LIMITS.entries())
      before[i]!.push(before[i]!.at(-1)! + shares[limit] * (to - from))
  }
  return {
    replica,
    start: Float64Array.from(start),
    end: Float64Array.from(end),
    before: before.map((column) => Float64Array.from(column))
  }
}

/** Nanoseconds from `from` to `to` that count for each limit, all replicas together. */
export const boundedTime = (replicas: readonly Bounded[], from: number, to: number): PassShares => {
  const spent = PASS_LIMITS.map(() => 0)
  for (const one of replicas) {
    const [first, last] = [placeOf(one, from), placeOf(one, to)]
    for (const [i, column] of one.before.entries()) spent[i]! += timeAt(column, last) - timeAt(column, first)
  }
  return Object.fromEntries(PASS_LIMITS.map((limit, i) => [limit, spent[i]!])) as Record<PassLimit, number>
}

/** The passes that are over at a time, and how much of the next. */
const placeOf = ({ start, end }: Bounded, time: number): number => {
  let [low, high] = [0, start.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (start[middle]! <= time) low = middle + 1
    else high = middle
  }
  if (low === 0) return 0
  const pass = low - 1
  return pass + Math.min(1, (time - start[pass]!) / (end[pass]! - start[pass]!))
}

/** Between two passes' sums, in even parts. */
const timeAt = (before: Float64Array, place: number): number => {
  const pass = Math.floor(place)
  const sum = before[pass]!
  return place === pass ? sum : sum + (before[pass + 1]! - sum) * (place - pass)
}
