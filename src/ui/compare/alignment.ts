/**
 * Where an instant of a run lies on the axis both runs share. By time: ns from the start of each. By request: ns from where that
 * request first appears. By round: each round of that request is one unit wide in both runs, whatever it took.
 */
import { EVENT_KINDS } from "../../trace/recorder.ts"
import type { Viewport } from "../timeline/viewport.ts"
import { type Run } from "./pairing.ts"
import { spanOf } from "./phases.ts"

export const ALIGNMENTS = ["time", "round", "request"] as const
export type Alignment = (typeof ALIGNMENTS)[number]

/** Positions to a round: whole numbers are fine enough. */
export const ROUND = 1_000_000

export interface Axis {
  /** Never decreasing. */
  readonly position: (ns: number) => number
  readonly span: Viewport
}

/** Undefined where the run has nothing of the request to align by. `request` counts from 0. */
export const axisOf = (run: Run, by: Alignment, request: number): Axis | undefined => {
  const { from, to } = by === "time" ? spanOf(run) : requestSpan(run, request)
  if (!(to > from)) return undefined
  if (by !== "round") return { position: (ns) => Math.max(0, ns - from), span: { from: 0, to: to - from } }
  const knots = roundKnots(run, request)
  const [first, last] = [knots[0], knots.at(-1)]
  if (first === undefined || last === undefined || knots.length < 2) return undefined
  return { position: (ns) => onKnots(knots, ns), span: { from: first.at, to: last.at } }
}

const requestSpan = ({ slices }: Run, request: number): Viewport => {
  let [from, to] = [Infinity, 0]
  for (let row = 0; row < slices.length; row++)
    if (slices.request[row] === request + 1) {
      from = Math.min(from, slices.start[row]!)
      to = Math.max(to, slices.end[row]!)
    }
  return { from, to }
}

interface Knot {
  readonly ns: number
  readonly at: number
}

/** Begin of the first round, then the end of each. */
const roundKnots = ({ tracks, slices }: Run, request: number): readonly Knot[] => {
  const ends: Knot[] = []
  let begin: Knot | undefined
  for (let row = 0; row < slices.length; row++) {
    const round = slices.round[row]!
    const own = slices.request[row] === request + 1 && tracks[slices.track[row]!]!.kind === "request"
    if (!own || round === 0) continue
    if (EVENT_KINDS[slices.kind[row]!] === "verify")
      ends.push({ ns: slices.end[row]!, at: (round + 1) * ROUND })
    if (begin === undefined || slices.start[row]! < begin.ns)
      begin = { ns: slices.start[row]!, at: round * ROUND }
  }
  const sorted = [...(begin === undefined ? [] : [begin]), ...ends].toSorted((x, y) => x.ns - y.ns)
  const rising: Knot[] = []
  for (const knot of sorted) {
    const last = rising.at(-1)
    if (last === undefined || (knot.ns > last.ns && knot.at > last.at)) rising.push(knot)
  }
  return rising
}

/** Linear between knots; before the first and after the last as in the stretch next to it, never below 0. */
const onKnots = (knots: readonly Knot[], ns: number): number => {
  let low = 1
  let high = knots.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (knots[middle]!.ns < ns) low = middle + 1
    else high = middle
  }
  const [left, right] = [knots[low - 1]!, knots[low]!]
  return Math.max(0, left.at + ((ns - left.ns) / (right.ns - left.ns)) * (right.at - left.at))
}
