/**
 * What a run's time went to, for any stretch of it: the pass each GPU group ran, the link where the group stood idle while
 * something was moved, or nothing. A pass that did several things at once counts as the first of them in the order below.
 * What bounded a pass is another question (`pass-limits.ts`).
 */
import { EVENT_KINDS, type TrackSpec } from "./recorder.ts"
import type { Slices } from "./store.ts"

export const OCCUPATIONS = ["verify", "prefill", "decode", "draft", "exposed transfer", "idle"] as const
export type Occupation = (typeof OCCUPATIONS)[number]

const TRANSFER = OCCUPATIONS.indexOf("exposed transfer")
const IDLE = OCCUPATIONS.indexOf("idle")
const PASSES: readonly number[] = EVENT_KINDS.map((kind) =>
  OCCUPATIONS.slice(0, TRANSFER).findIndex((name) => name === kind)
)

interface Source {
  readonly tracks: readonly TrackSpec[]
  readonly slices: Slices
}

/** One replica's time as stretches: `at[i]` to `at[i + 1]` goes to `kind[i]`; `before[kind][i]` ns of it came earlier. */
export interface Stretches {
  /** The replica's track. */
  readonly replica: number
  readonly at: Float64Array
  /** Index into `OCCUPATIONS`. */
  readonly kind: Uint8Array
  readonly before: readonly Float64Array[]
}

/** The track a track is under at last. */
export const rootOf = (tracks: readonly TrackSpec[], id: number): number => {
  const parent = tracks[id]?.parent
  return parent === undefined ? id : rootOf(tracks, parent)
}

/** When slices of one kind begin and end in one replica: those of a track, which mostly are in order, lie side by side. */
interface Edges {
  readonly start: Float64Array
  readonly end: Float64Array
  /** Where each track's begin, and the end of all. */
  readonly bounds: readonly number[]
}

/** What every replica's time went to, as columns that may travel between threads. */
export const stretchesOf = ({ tracks, slices }: Source): readonly Stretches[] => {
  // A lane for every track and kind.
  const passes = Int32Array.from(tracks, ({ kind }, id) => (kind === "gpu" ? id * IDLE : -1))
  const transfers = Int32Array.from(tracks, ({ kind }, id) =>
    kind === "link-h2d" || kind === "link-d2h" ? id * IDLE + TRANSFER : -1
  )
  const laneOf = (row: number): number => {
    const track = slices.track[row]!
    const first = passes[track]!
    if (first < 0) return transfers[track]!
    const kind = PASSES[slices.kind[row]!]!
    return kind < 0 ? -1 : first + kind
  }
  const counts = new Uint32Array(tracks.length * IDLE)
  for (let row = 0; row < slices.length; row++) {
    const lane = laneOf(row)
    if (lane >= 0) counts[lane]!++
  }
  const replicas = new Map<number, (number[] | undefined)[]>()
  for (const [lane, count] of counts.entries()) {
    if (count === 0) continue
    const root = rootOf(tracks, Math.floor(lane / IDLE))
    const lanes = replicas.get(root) ?? []
    replicas.set(root, lanes)
    ;(lanes[lane % IDLE] ??= []).push(lane)
  }
  const edges: (Edges | undefined)[] = []
  const next = new Uint32Array(counts.length)
  const found = [...replicas].map(([replica, kinds]) => {
    const own = kinds.map((lanes = []) => {
      const bounds = [0]
      for (const lane of lanes) {
        const begin = bounds.at(-1)!
        next[lane] = begin
        bounds.push(begin + counts[lane]!)
      }
      const length = bounds.at(-1)!
      const column = { start: new Float64Array(length), end: new Float64Array(length), bounds }
      for (const lane of lanes) edges[lane] = column
      return column
    })
    return { replica, own }
  })
  for (let row = 0; row < slices.length; row++) {
    const lane = laneOf(row)
    if (lane < 0) continue
    const { start, end } = edges[lane]!
    const place = next[lane]!++
    start[place] = slices.start[row]!
    end[place] = slices.end[row]!
  }
  return found.map(({ replica, own }) => stretches(replica, own))
}

export class Occupations {
  readonly #replicas: readonly Stretches[]

  /** `replicas`: the stretches of the trace where they are known already. */
  constructor(source: Source, replicas: readonly Stretches[] = stretchesOf(source)) {
    this.#replicas = replicas
  }

  /** Replicas on which anything happened. */
  get replicas(): number {
    return this.#replicas.length
  }

  /** Shares of the time of all replicas from `from` to `to`, ns; they sum to 1. All idle for an empty stretch. */
  shares(from: number, to: number): Readonly<Record<Occupation, number>> {
    const spent = OCCUPATIONS.map((_, kind) =>
      this.#replicas.reduce((sum, one) => sum + until(one, kind, to) - until(one, kind, from), 0)
    )
    const total = Math.max(0, to - from) * this.#replicas.length
    const busy = spent.slice(0, IDLE).reduce((sum, ns) => sum + ns, 0)
    const share = (kind: number): number =>
      total <= 0 ? Number(kind === IDLE) : (kind === IDLE ? total - busy : spent[kind]!) / total
    return Object.fromEntries(OCCUPATIONS.map((name, kind) => [name, share(kind)])) as Record<
      Occupation,
      number
    >
  }
}

/** Sweeps over begins and ends in order of time; a stretch begins where what comes first of the open kinds changes. `own`: by kind. */
const stretches = (replica: number, own: readonly (Edges | undefined)[]): Stretches => {
  const kinds = own.flatMap((edges, k) => (edges === undefined || edges.start.length === 0 ? [] : [k]))
  const begins = kinds.map((k) => inOrder(own[k]!.start, own[k]!.bounds))
  const stops = kinds.map((k) => inOrder(own[k]!.end, own[k]!.bounds))
  const begun = new Uint32Array(kinds.length)
  const stopped = new Uint32Array(kinds.length)
  const edges = begins.reduce((sum, { length }) => sum + 2 * length, 0)
  const times = new Float64Array(edges)
  const what = new Uint8Array(edges)
  let count = 0
  let last = -1
  for (;;) {
    // Begins run out before ends do.
    let time = Number.POSITIVE_INFINITY
    for (let i = 0; i < kinds.length; i++) {
      const [begin, stop] = [begins[i]!, stops[i]!]
      if (begun[i]! < begin.length && begin[begun[i]!]! < time) time = begin[begun[i]!]!
      if (stopped[i]! < stop.length && stop[stopped[i]!]! < time) time = stop[stopped[i]!]!
    }
    if (time === Number.POSITIVE_INFINITY) break
    let now = IDLE
    for (let i = kinds.length - 1; i >= 0; i--) {
      const [begin, stop] = [begins[i]!, stops[i]!]
      while (begin[begun[i]!] === time) begun[i]!++
      while (stop[stopped[i]!] === time) stopped[i]!++
      if (begun[i]! > stopped[i]!) now = kinds[i]!
    }
    if (now === last) continue
    times[count] = time
    what[count++] = now
    last = now
  }
  const [at, kind] = [times.subarray(0, count), what.subarray(0, count)]
  return { replica, at, kind, before: spentBefore(at, kind) }
}

/** By kind: ns that went to it before each stretch. */
const spentBefore = (at: Float64Array, kind: Uint8Array): readonly Float64Array[] => {
  const none = new Float64Array(at.length)
  const before = OCCUPATIONS.map((_, k) => (kind.includes(k) ? new Float64Array(at.length) : none))
  for (const [k, column] of before.entries()) {
    if (column === none) continue
    for (let i = 1; i < at.length; i++)
      column[i] = kind[i - 1] === k ? column[i - 1]! + (at[i]! - at[i - 1]!) : column[i - 1]!
  }
  return before
}

/** The same values in order. Between two bounds most are: looking is cheaper than sorting, and so is merging. */
const inOrder = (values: Float64Array, bounds: readonly number[]): Float64Array => {
  for (let i = 0; i + 1 < bounds.length; i++) {
    const run = values.subarray(bounds[i], bounds[i + 1])
    if (!ascends(run)) run.sort()
  }
  let runs = bounds
  let from = values
  let to = runs.length > 2 ? new Float64Array(values.length) : values
  while (runs.length > 2) {
    const longer = [0]
    for (let i = 0; i + 1 < runs.length; i += 2) {
      const last = runs[i + 2] ?? runs[i + 1]!
      merge(from, to, runs[i]!, runs[i + 1]!, last)
      longer.push(last)
    }
    ;[from, to] = [to, from]
    runs = longer
  }
  return from
}

const ascends = (values: Float64Array): boolean => {
  for (let i = 1; i < values.length; i++) if (values[i - 1]! > values[i]!) return false
  return true
}

/** Values from `a` to `b` and from `b` to `c`, each in order, made one. */
const merge = (from: Float64Array, to: Float64Array, a: number, b: number, c: number): void => {
  let [i, j] = [a, b]
  for (let k = a; k < c; k++) to[k] = i < b && (j >= c || from[i]! <= from[j]!) ? from[i++]! : from[j++]!
}

/** The parts of slices of a link in which its replica's GPUs stood idle: transfers that passes did not hide. Slices do not overlap. */
export const exposedParts = (
  { at, kind }: Stretches,
  slices: { readonly start: Float64Array; readonly end: Float64Array }
): { readonly start: Float64Array; readonly end: Float64Array } => {
  const start: number[] = []
  const end: number[] = []
  let i = 0
  for (let slice = 0; slice < slices.start.length; slice++) {
    const [from, to] = [slices.start[slice]!, slices.end[slice]!]
    while (i + 1 < at.length && at[i + 1]! <= from) i++
    for (let j = i; j + 1 < at.length && at[j]! < to; j++) {
      if (kind[j] !== TRANSFER) continue
      start.push(Math.max(from, at[j]!))
      end.push(Math.min(to, at[j + 1]!))
    }
  }
  return { start: Float64Array.from(start), end: Float64Array.from(end) }
}

/** Nanoseconds of a kind from the first edge to `time`. */
const until = ({ at, kind, before }: Stretches, which: number, time: number): number => {
  let low = 0
  let high = at.length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (at[middle]! <= time) low = middle + 1
    else high = middle
  }
  if (low === 0) return 0
  const i = low - 1
  return before[which]![i]! + (kind[i] === which ? time - at[i]! : 0)
}
