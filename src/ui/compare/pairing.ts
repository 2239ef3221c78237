/**
 * Which slice of one run is which of another: same place, kind, request and round. Transfers carry no round: the n-th of a
 * request is paired with the n-th. Passes of the GPU serve many requests at once, so they are paired in their order, and
 * only where both runs have equally many of a kind.
 */
import type { TrackSpec } from "../../trace/recorder.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import type { Slices, TraceMeta } from "../../trace/store.ts"

/** What a comparison needs of a trace; a `TraceView` is one. */
export interface Run {
  readonly meta: TraceMeta
  readonly tracks: readonly TrackSpec[]
  readonly slices: Slices
  readonly dropped: number
}

/** How many are in both runs, and in one only. */
export interface Matched {
  readonly paired: number
  readonly onlyA: number
  readonly onlyB: number
}

export interface Pairing {
  /** Row of B for each slice of A, −1 where there is none. */
  readonly inB: Int32Array
  /** Row of A for each slice of B, −1 where there is none. */
  readonly inA: Int32Array
  readonly slices: Matched
  /** Rounds of requests, as their verifications tell. */
  readonly rounds: Matched
}

export const pair = (a: Run, b: Run): Pairing => {
  const [keysA, keysB] = [keysOf(a), keysOf(b)]
  const unsure = unequalPasses(keysA.passes, keysB.passes)
  const rowsB = new Map(keysB.keys.map((key, row) => [key, row]))
  const inB = new Int32Array(a.slices.length).fill(-1)
  const inA = new Int32Array(b.slices.length).fill(-1)
  let paired = 0
  for (const [row, key] of keysA.keys.entries()) {
    const partner = rowsB.get(key)
    if (partner === undefined || unsure.has(keysA.group[row]!)) continue
    inB[row] = partner
    inA[partner] = row
    paired++
  }
  const [roundsA, roundsB] = [roundsOf(a), roundsOf(b)]
  const both = [...roundsA].filter((key) => roundsB.has(key)).length
  return {
    inB,
    inA,
    slices: { paired, onlyA: inB.length - paired, onlyB: inA.length - paired },
    rounds: { paired: both, onlyA: roundsA.size - both, onlyB: roundsB.size - both }
  }
}

interface Keys {
  readonly keys: readonly string[]
  readonly group: readonly string[]
  /** Slices of no request, by group. */
  readonly passes: ReadonlyMap<string, number>
}

const keysOf = ({ tracks, slices }: Run): Keys => {
  const replicas = tracks.flatMap(({ parent }, id) => (parent === undefined ? [id] : []))
  const roots = new Map(replicas.map((id, index) => [id, index]))
  const rootOf = (id: number): number => {
    const parent = tracks[id]!.parent
    return parent === undefined ? roots.get(id)! : rootOf(parent)
  }
  const keys = Array.from({ length: slices.length }, () => "")
  const group = [...keys]
  const seen = new Map<string, number>()
  const passes = new Map<string, number>()
  for (const row of inTime(slices)) {
    const track = slices.track[row]!
    const request = slices.request[row]!
    const place = `${tracks[track]!.kind} ${slices.kind[row]}`
    const own = request === 0 ? `${place} of ${rootOf(track)}` : `${place} ${request}.${slices.round[row]}`
    const ordinal = seen.get(own) ?? 0
    seen.set(own, ordinal + 1)
    if (request === 0) passes.set(own, ordinal + 1)
    keys[row] = `${own} #${ordinal}`
    group[row] = own
  }
  return { keys, group, passes }
}

const inTime = ({ start, end, length }: Slices): readonly number[] =>
  Array.from({ length }, (_, row) => row).toSorted(
    (x, y) => start[x]! - start[y]! || end[x]! - end[y]! || x - y
  )

const unequalPasses = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): ReadonlySet<string> =>
  new Set([...a].flatMap(([group, count]) => (b.get(group) === count ? [] : [group])))

/** `request.round` of every round that was verified; requests counted from 1 as in the columns. */
const roundsOf = ({ tracks, slices }: Run): ReadonlySet<string> => {
  const rounds = new Set<string>()
  for (let row = 0; row < slices.length; row++)
    if (
      slices.round[row]! > 0 &&
      EVENT_KINDS[slices.kind[row]!] === "verify" &&
      tracks[slices.track[row]!]!.kind === "request"
    )
      rounds.add(`${slices.request[row]}.${slices.round[row]}`)
  return rounds
}
