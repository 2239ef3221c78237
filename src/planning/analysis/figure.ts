/** Figures of a run by name, those of a sweep's columns. */
import { closest } from "../../scenario/closest.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import { METRICS } from "../sweep/row.ts"

export interface Figure {
  readonly name: string
  readonly of: (metrics: RunMetrics) => number
  /** More of it is better; undefined: neither. */
  readonly better: "more" | "less" | undefined
}

const LESS =
  /^(ttft|tpot|itl|e2el)_|^duration_s$|^preemptions$|^fallbacks$|^transfer_failures$|_bytes$|_exposed_s$|^requests_(cancelled|timed_out|failed)$/
const MORE = /_per_s(_per_gpu|_per_user)?$|^accepted_mean$|^requests_finished$/

/** Every number there is of a run. */
export const FIGURES: readonly Figure[] = METRICS.filter(({ type }) => type !== "text").map(
  ({ name, of }) => ({
    name,
    of: (metrics) => Number(of(metrics)),
    better: MORE.test(name) ? "more" : LESS.test(name) ? "less" : undefined
  })
)

/** Names people use for some of them. */
const ALIASES: Readonly<Record<string, string>> = {
  throughput: "tokens_per_s",
  goodput: "requests_per_s",
  ttft: "ttft_mean_s",
  tpot: "tpot_mean_s",
  itl: "itl_mean_s",
  e2el: "e2el_mean_s"
}

/** A figure by its name, with or without its unit; or the nearest name. */
export const figureNamed = (name: string): Figure | { readonly suggestion: string | undefined } => {
  const known = ALIASES[name] ?? name
  const figure = FIGURES.find((one) => one.name === known || one.name === `${known}_s`)
  return figure ?? { suggestion: closest(name, [...Object.keys(ALIASES), ...FIGURES.map((one) => one.name)]) }
}
