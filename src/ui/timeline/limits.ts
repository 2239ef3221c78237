/**
 * What limits a run, as far as its trace says: a pass takes at least as long as HBM needs for its bytes at the peak rate, what is left
 * of passes is compute, launches and HBM below its peak; besides passes it is a link that nothing hides, or no work.
 */
import type { Occupations } from "../../trace/occupation.ts"
import type { TraceView } from "../shell/traces.ts"
import type { CounterRow, TimelineModel } from "./model.ts"
import { sumUntil } from "./statistics.ts"

export const LIMITS = ["HBM at its peak rate", "compute, launches and the rest", "link", "no work"] as const
export type Limit = (typeof LIMITS)[number]

/** Properties of the page's style: the colours of What-if. */
export const LIMIT_COLOURS: Readonly<Record<Limit, string>> = {
  "HBM at its peak rate": "--hbm",
  "compute, launches and the rest": "--compute",
  link: "--link",
  "no work": "--idle"
}

export class Limits {
  readonly #occupations: Occupations
  readonly #counters: readonly CounterRow[]
  readonly #peak: number

  /** Undefined for traces that do not say how much HBM moved, or could. */
  static of({ meta }: TraceView, { rows }: TimelineModel, occupations: Occupations): Limits | undefined {
    const counters = rows.filter(
      (row) => row.type === "counter" && row.what === "hbm-bandwidth"
    ) as readonly CounterRow[]
    const peak = meta.peaks?.hbm ?? 0
    return counters.length === 0 || peak <= 0 ? undefined : new Limits(occupations, counters, peak)
  }

  private constructor(occupations: Occupations, counters: readonly CounterRow[], peak: number) {
    this.#occupations = occupations
    this.#counters = counters
    this.#peak = peak
  }

  /** Shares of the time of all replicas from `from` to `to`, ns; they sum to 1. */
  shares(from: number, to: number): Readonly<Record<Limit, number>> {
    const { "exposed transfer": link, idle } = this.#occupations.shares(from, to)
    const passes = Math.max(0, 1 - link - idle)
    const moved = this.#counters.reduce(
      (sum, counter) => sum + sumUntil(counter, to) - sumUntil(counter, from),
      0
    )
    const time = (to - from) * this.#counters.length * this.#peak
    // Counters of other tools may hold anything, sums beyond all numbers included.
    const hbm = time > 0 && moved > 0 ? Math.min(passes, moved / time) : 0
    return {
      "HBM at its peak rate": hbm,
      "compute, launches and the rest": passes - hbm,
      link,
      "no work": idle
    }
  }
}
