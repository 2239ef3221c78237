/**
 * Two sides run by run: the same seeds meet the same arrivals, lengths and luck in acceptance, so that what differs is what was
 * changed. The interval is of the mean of the paired differences, which is narrow where runs of a pair go up and down together.
 */
import { FIGURES } from "../analysis/figure.ts"
import { CONFIDENCE, type Interval, meanInterval, meanOf } from "../analysis/student.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import type { Table } from "../files/table.ts"
import { fixedType } from "../sweep/row.ts"
import type { Threshold } from "./threshold.ts"
import { isBeyond } from "./threshold.ts"

/** Figures by name. */
export type Figures = ReadonlyMap<string, number>

/** Runs of one side: by what was run (a method, at a point of a sweep), then by seed. */
export type Runs = ReadonlyMap<string, ReadonlyMap<number, Figures>>

export const figuresOf = (metrics: RunMetrics): Figures =>
  new Map(FIGURES.map(({ name, of }) => [name, of(metrics)]))

const NUMBERS: ReadonlySet<string> = new Set(FIGURES.map(({ name }) => name))

/** What tells sweeps and versions apart, and not points. */
const NOT_A_PLACE: ReadonlySet<string> = new Set(["seed", "sweep", "points", "point"])

/** The runs in a sweep's results: what its axes and methods are is what was run. */
export const runsOf = ({ columns, rows }: Table): Runs => {
  const at = (name: string): number => columns.findIndex((column) => column.name === name)
  const places = columns.flatMap(({ name }, i) =>
    name === "method" || (fixedType(name) === undefined && !NOT_A_PLACE.has(name)) ? [{ name, i }] : []
  )
  const [seed, status] = [at("seed"), at("status")]
  const runs = new Map<string, Map<number, Figures>>()
  for (const row of rows) {
    if (status >= 0 && row[status] !== "simulated") continue
    const label = places
      .toSorted((a, b) => Number(b.name === "method") - Number(a.name === "method"))
      .map(({ name, i }) => (name === "method" ? String(row[i]) : `${name} ${String(row[i])}`))
      .join(", ")
    const figures = columns.flatMap(({ name }, i) => {
      const cell = row[i]
      return NUMBERS.has(name) && typeof cell === "number" ? [[name, cell] as const] : []
    })
    const own = runs.get(label) ?? new Map<number, Figures>()
    own.set(Number(seed < 0 ? 0 : row[seed]), new Map(figures))
    runs.set(label, own)
  }
  return runs
}

/** A figure of both sides. */
export interface Delta {
  readonly run: string
  readonly figure: string
  readonly a: number
  readonly b: number
  /** B − A, paired by seed. */
  readonly difference: Interval
  /** The same over A's mean; undefined where that is 0. */
  readonly change: Interval | undefined
  /** 0 is outside the interval. Undefined of a single pair: nothing is known of chance. */
  readonly significant: boolean | undefined
}

export interface Comparison {
  readonly deltas: readonly Delta[]
  /** Runs of one side only, and seeds that one side lacks. */
  readonly unpaired: readonly string[]
}

const deltaOf = (
  run: string,
  figure: string,
  pairs: readonly (readonly [a: number, b: number])[],
  confidence: number
): Delta => {
  const a = meanOf(pairs.map(([one]) => one))
  const b = meanOf(pairs.map(([, one]) => one))
  const difference = meanInterval(
    pairs.map(([x, y]) => y - x),
    confidence
  )
  const { mean, half, count } = difference
  const change =
    a === 0
      ? undefined
      : { mean: mean / Math.abs(a), half: half === undefined ? undefined : half / Math.abs(a), count }
  const significant = half === undefined ? undefined : Math.abs(mean) > half
  return { run, figure, a, b, difference, change, significant }
}

/** Every figure of every run that both sides have. */
export const compareRuns = (a: Runs, b: Runs, confidence: number = CONFIDENCE): Comparison => {
  const unpaired: string[] = []
  const deltas: Delta[] = []
  for (const run of new Set([...a.keys(), ...b.keys()])) {
    const [ofA, ofB] = [a.get(run), b.get(run)]
    if (ofA === undefined || ofB === undefined) {
      unpaired.push(`${run}: only in ${ofA === undefined ? "B" : "A"}`)
      continue
    }
    const seeds = [...ofA.keys()].filter((seed) => ofB.has(seed))
    const alone = [...ofA.keys(), ...ofB.keys()].filter((seed) => !ofA.has(seed) || !ofB.has(seed))
    if (alone.length > 0) unpaired.push(`${run}: seed ${alone.join(", ")} on one side only`)
    if (seeds.length === 0) continue
    for (const { name } of FIGURES) {
      const pairs = seeds.flatMap((seed) => {
        const [x, y] = [ofA.get(seed)!.get(name), ofB.get(seed)!.get(name)]
        return x === undefined || y === undefined ? [] : [[x, y] as const]
      })
      if (pairs.length > 0) deltas.push(deltaOf(run, name, pairs, confidence))
    }
  }
  return { deltas, unpaired }
}

/** What is beyond a threshold, in words; a change from nothing is infinite. */
export const failures = (
  { deltas }: Comparison,
  thresholds: readonly Threshold[]
): readonly { readonly threshold: Threshold; readonly delta: Delta; readonly value: number }[] =>
  thresholds.flatMap((threshold) =>
    deltas.flatMap((delta) => {
      if (delta.figure !== threshold.figure.name) return []
      const { change, difference, b } = delta
      const relative =
        change?.mean ?? (difference.mean === 0 ? 0 : Math.sign(difference.mean) * Number.POSITIVE_INFINITY)
      const value = threshold.isChange ? relative : b
      return isBeyond(threshold, value) ? [{ threshold, delta, value }] : []
    })
  )
