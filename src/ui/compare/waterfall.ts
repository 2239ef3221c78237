/**
 * What explains that one run takes longer than another: the time of each is split by occupation (`trace/occupation.ts`: a
 * moment goes to the pass that runs, to verify before prefill before decode before draft; else to the link; else to nobody), and
 * the parts are set off against each other in that order. Whole nanoseconds, idle time taking the rest, so that the steps
 * sum to the difference exactly.
 */
import { type Occupation, OCCUPATIONS, Occupations } from "../../trace/occupation.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import type { Run } from "./pairing.ts"
import { spanOf } from "./phases.ts"

export type Per = "round" | "request" | "run"

export interface Step {
  readonly what: Occupation
  /** ns */
  readonly a: number
  readonly b: number
  /** b − a */
  readonly change: number
}

export interface Waterfall {
  /** What the totals are shares of: whole runs, or the time a run took over the rounds or requests in it. */
  readonly per: Per
  /** Totals, ns. */
  readonly a: number
  readonly b: number
  readonly steps: readonly Step[]
}

export const waterfall = (runA: Run, runB: Run): Waterfall => {
  const per = unitOf(runA, runB)
  const [a, b] = [partsOf(runA, per), partsOf(runB, per)]
  return {
    per,
    a: a.total,
    b: b.total,
    steps: OCCUPATIONS.map((what) => ({
      what,
      a: a.parts[what],
      b: b.parts[what],
      change: b.parts[what] - a.parts[what]
    }))
  }
}

/** Rounds where both have them; whole runs of equally many requests; else requests. */
const unitOf = (a: Run, b: Run): Per => {
  if (countOf(a, "round") > 0 && countOf(b, "round") > 0) return "round"
  const [ofA, ofB] = [countOf(a, "request"), countOf(b, "request")]
  return ofA === ofB || ofA === 0 || ofB === 0 ? "run" : "request"
}

const countOf = ({ tracks, slices }: Run, per: Per): number => {
  if (per === "run") return 1
  const seen = new Set<string>()
  for (let row = 0; row < slices.length; row++) {
    if (slices.request[row] === 0) continue
    if (per === "request") seen.add(String(slices.request[row]))
    else if (
      slices.round[row]! > 0 &&
      EVENT_KINDS[slices.kind[row]!] === "verify" &&
      tracks[slices.track[row]!]!.kind === "request"
    )
      seen.add(`${slices.request[row]}.${slices.round[row]}`)
  }
  return seen.size
}

const partsOf = (
  run: Run,
  per: Per
): { readonly total: number; readonly parts: Readonly<Record<Occupation, number>> } => {
  const { from, to } = spanOf(run)
  const total = Math.round((to - from) / countOf(run, per))
  const shares = new Occupations(run).shares(from, to)
  const parts = Object.fromEntries(OCCUPATIONS.map((what) => [what, Math.round(shares[what] * total)]))
  const busy = OCCUPATIONS.reduce((sum, what) => sum + (what === "idle" ? 0 : parts[what]!), 0)
  return { total, parts: { ...parts, idle: total - busy } as Record<Occupation, number> }
}
