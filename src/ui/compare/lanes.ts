/** The lanes of both panes: the same rows in the same order on one axis, those of one replica and one request. */
import { EVENT_KINDS } from "../../trace/recorder.ts"
import type { OpenTrace } from "../shell/traces.ts"
import { type SliceRow, timelineModel } from "../timeline/model.ts"
import { longestPyramid } from "../timeline/pyramid.ts"
import type { Viewport } from "../timeline/viewport.ts"
import { type Alignment, type Axis, axisOf } from "./alignment.ts"
import type { Pairing, Run } from "./pairing.ts"

export type Side = "a" | "b"

/** A row of the panes in one run; its times are positions on the shared axis. */
export interface Lane {
  readonly label: string
  readonly row: SliceRow | undefined
}

export interface Lanes {
  readonly a: readonly Lane[]
  readonly b: readonly Lane[]
  readonly span: Viewport
  /** Runs that have nothing of the request to be aligned by. */
  readonly missing: readonly Side[]
}

export const lanesOf = (a: OpenTrace, b: OpenTrace, by: Alignment, request: number): Lanes => {
  const axes = { a: axisOf(a.trace, by, request), b: axisOf(b.trace, by, request) }
  const rows = { a: rowsOf(a.trace, axes.a, request), b: rowsOf(b.trace, axes.b, request) }
  const labels = [...new Set([...rows.a, ...rows.b].map(({ label }) => label))].toSorted(
    (x, y) => rank(x) - rank(y)
  )
  const lanes = (side: Side): readonly Lane[] =>
    labels.map((label) => ({ label, row: rows[side].find((row) => row.label === label) }))
  const spans = [axes.a, axes.b].flatMap((axis) => (axis === undefined ? [] : [axis.span]))
  return {
    a: lanes("a"),
    b: lanes("b"),
    span: {
      from: Math.min(...spans.map(({ from }) => from), spans.length === 0 ? 0 : Infinity),
      to: Math.max(1, ...spans.map(({ to }) => to))
    },
    missing: (["a", "b"] as const).filter((side) => axes[side] === undefined)
  }
}

const ORDER = ["prefill", "decode", "draft", "verify", "mixed", "link", "store", "network", "request"]
const rank = (label: string): number => {
  const at = ORDER.findIndex((start) => label.startsWith(start))
  return at < 0 ? ORDER.length : at
}

const SHOWN: ReadonlySet<string> = new Set(["gpu", "link-h2d", "link-d2h", "network", "store"])

const rowsOf = (run: OpenTrace["trace"], axis: Axis | undefined, request: number): readonly SliceRow[] => {
  if (axis === undefined) return []
  const { tracks, slices } = run
  const rootOf = (id: number): number => {
    const parent = tracks[id]!.parent
    return parent === undefined ? id : rootOf(parent)
  }
  const own = slices.request.findIndex(
    (one, row) => one === request + 1 && tracks[slices.track[row]!]!.kind === "request"
  )
  const root = own < 0 ? 0 : rootOf(slices.track[own]!)
  return timelineModel(run).rows.flatMap((row) => {
    if (row.type !== "slices") return []
    const track = slices.track[row.source[0]!]!
    const { kind } = tracks[track]!
    const wanted = kind === "request" ? slices.request[row.source[0]!] === request + 1 : SHOWN.has(kind)
    if (!wanted || rootOf(track) !== root) return []
    const start = row.start.map((ns) => Math.round(axis.position(ns)))
    const end = row.end.map((ns) => Math.round(axis.position(ns)))
    return [{ ...row, start, end, longest: longestPyramid({ start, end }) }]
  })
}

/** A slice beside its partner, ns. */
export interface Residual {
  readonly kind: string
  readonly request: number | undefined
  readonly round: number | undefined
  readonly a: number | undefined
  readonly b: number | undefined
}

export const residualOf = (
  runs: Readonly<Record<Side, Run>>,
  pairing: Pairing,
  side: Side,
  row: number
): Residual => {
  const partner = (side === "a" ? pairing.inB : pairing.inA)[row]!
  const length = ({ slices }: Run, at: number): number | undefined =>
    at < 0 ? undefined : slices.end[at]! - slices.start[at]!
  const { slices } = runs[side]
  const [own, other] = [length(runs[side], row), length(runs[side === "a" ? "b" : "a"], partner)]
  return {
    kind: EVENT_KINDS[slices.kind[row]!] ?? "event",
    request: slices.request[row] === 0 ? undefined : slices.request[row]! - 1,
    round: slices.round[row] === 0 ? undefined : slices.round[row],
    a: side === "a" ? own : other,
    b: side === "a" ? other : own
  }
}

/** The first request both runs have rounds of, else the first both have anything of, else 0. */
export const firstShared = (a: Run, b: Run): number => {
  const requests = ({ slices }: Run, rounds: boolean): ReadonlySet<number> =>
    new Set(Array.from(slices.request).filter((one, row) => one > 0 && (!rounds || slices.round[row]! > 0)))
  for (const rounds of [true, false]) {
    const inB = requests(b, rounds)
    const both = [...requests(a, rounds)].filter((one) => inB.has(one))
    if (both.length > 0) return both.reduce((least, one) => Math.min(least, one)) - 1
  }
  return 0
}
