/**
 * What a run's time went to, for any stretch of it: the pass each GPU group ran, the link where the group stood idle while
 * something was moved, or nothing. A pass that did several things at once counts as the first of them in the order below.
 * The trace alone does not say what bounds a pass; the metrics of a run do (`limits`).
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
interface Stretches {
  readonly at: Float64Array
  readonly kind: Uint8Array
  readonly before: readonly Float64Array[]
}

export class Occupations {
  readonly #replicas: readonly Stretches[]

  constructor({ tracks, slices }: Source) {
    const rootOf = (id: number): number => {
      const parent = tracks[id]?.parent
      return parent === undefined ? id : rootOf(parent)
    }
    const edges = new Map<number, [at: number, kind: number, change: number][]>()
    for (let row = 0; row < slices.length; row++) {
      const track = slices.track[row]!
      const where = tracks[track]!.kind
      const pass = PASSES[slices.kind[row]!]!
      const kind = where === "gpu" ? pass : where === "link-h2d" || where === "link-d2h" ? TRANSFER : -1
      if (kind < 0) continue
      const root = rootOf(track)
      const own = edges.get(root) ?? []
      own.push([slices.start[row]!, kind, 1], [slices.end[row]!, kind, -1])
      edges.set(root, own)
    }
    this.#replicas = [...edges.values()].map(stretches)
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

const stretches = (edges: readonly (readonly [number, number, number])[]): Stretches => {
  const sorted = edges.toSorted((a, b) => a[0] - b[0])
  const at = new Float64Array(sorted.length)
  const kind = new Uint8Array(sorted.length)
  const before = OCCUPATIONS.map(() => new Float64Array(sorted.length))
  const open = OCCUPATIONS.map(() => 0)
  for (const [i, [time, which, change]] of sorted.entries()) {
    if (i > 0) {
      for (const column of before) column[i] = column[i - 1]!
      before[kind[i - 1]!]![i]! += time - at[i - 1]!
    }
    open[which]! += change
    at[i] = time
    const first = open.findIndex((count) => count > 0)
    kind[i] = first < 0 ? IDLE : first
  }
  return { at, kind, before }
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
