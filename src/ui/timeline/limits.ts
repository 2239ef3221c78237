/**
 * What limits a run, as far as its trace says. Where passes were priced by a model, it says what bounded each. Else it is known roughly: a
 * pass takes at least as long as HBM needs for its bytes at the peak rate, and what is left is compute, launches and HBM below its peak.
 * Besides passes it is a link that nothing hides, or no work.
 */
import type { Occupations } from "../../trace/occupation.ts"
import { type Bounded, boundedTime, PASS_LIMITS, type PassLimit } from "../../trace/pass-limits.ts"
import type { TraceView } from "../shell/traces.ts"
import type { CounterRow, TimelineModel } from "./model.ts"
import { sumUntil } from "./statistics.ts"

export const LIMITS = [
  "HBM bandwidth",
  "compute",
  "interconnect",
  "scheduling and launches",
  "HBM at its peak rate",
  "compute, launches and the rest",
  "passes that do not say",
  "link",
  "no work"
] as const
export type Limit = (typeof LIMITS)[number]
type Shares = Readonly<Record<Limit, number>>

/** Properties of the page's style: the colours of What-if. */
export const LIMIT_COLOURS: Readonly<Record<Limit, string>> = {
  "HBM bandwidth": "--hbm",
  compute: "--compute",
  interconnect: "--interconnect",
  "scheduling and launches": "--scheduling",
  "HBM at its peak rate": "--hbm",
  "compute, launches and the rest": "--compute",
  "passes that do not say": "--muted",
  link: "--link",
  "no work": "--idle"
}

/** What the page calls what bounds a pass. */
export const PASS_LIMIT_NAMES: Readonly<Record<PassLimit, Limit>> = {
  hbm: "HBM bandwidth",
  compute: "compute",
  interconnect: "interconnect",
  scheduling: "scheduling and launches",
  link: "link"
}

const NONE = Object.fromEntries(LIMITS.map((limit) => [limit, 0])) as Shares

export class Limits {
  /** Whether the trace says what bounded passes, or it follows from bytes and the peak rate of HBM. */
  readonly basis: "recorded" | "derived"
  readonly #occupations: Occupations
  readonly #bounded: readonly Bounded[]
  readonly #counters: readonly CounterRow[]
  readonly #peak: number

  /** Undefined for traces that say neither what bounded passes, nor how much HBM moved, or could. */
  static of(
    { meta }: TraceView,
    { rows }: TimelineModel,
    occupations: Occupations,
    bounded: readonly Bounded[]
  ): Limits | undefined {
    const counters = rows.filter(
      (row) => row.type === "counter" && row.what === "hbm-bandwidth"
    ) as readonly CounterRow[]
    const peak = meta.peaks?.hbm ?? 0
    if (bounded.length === 0 && (counters.length === 0 || peak <= 0)) return undefined
    return new Limits(occupations, bounded, counters, peak)
  }

  private constructor(
    occupations: Occupations,
    bounded: readonly Bounded[],
    counters: readonly CounterRow[],
    peak: number
  ) {
    this.basis = bounded.length > 0 ? "recorded" : "derived"
    this.#occupations = occupations
    this.#bounded = bounded
    this.#counters = counters
    this.#peak = peak
  }

  /** Shares of the time of all replicas from `from` to `to`, ns; they sum to 1. */
  shares(from: number, to: number): Shares {
    const { "exposed transfer": link, idle } = this.#occupations.shares(from, to)
    const passes = Math.max(0, 1 - link - idle)
    const beside = { ...NONE, link, "no work": idle }
    return this.basis === "recorded"
      ? this.#recorded(from, to, passes, beside)
      : this.#derived(from, to, passes, beside)
  }

  #recorded(from: number, to: number, passes: number, beside: Shares): Shares {
    const spent = boundedTime(this.#bounded, from, to)
    const total = PASS_LIMITS.reduce((sum, limit) => sum + spent[limit], 0)
    const whole = (to - from) * this.#occupations.replicas
    // Passes of other tools may be of kinds that count as nothing.
    const known = whole > 0 ? Math.min(passes, total / whole) : 0
    const shares: Record<Limit, number> = { ...beside, "passes that do not say": passes - known }
    if (total > 0)
      for (const limit of PASS_LIMITS) shares[PASS_LIMIT_NAMES[limit]] += (known * spent[limit]) / total
    return shares
  }

  #derived(from: number, to: number, passes: number, beside: Shares): Shares {
    const moved = this.#counters.reduce(
      (sum, counter) => sum + sumUntil(counter, to) - sumUntil(counter, from),
      0
    )
    const time = (to - from) * this.#counters.length * this.#peak
    // Counters of other tools may hold anything, sums beyond all numbers included.
    const hbm = time > 0 && moved > 0 ? Math.min(passes, moved / time) : 0
    return { ...beside, "HBM at its peak rate": hbm, "compute, launches and the rest": passes - hbm }
  }
}
