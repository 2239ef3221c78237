/**
 * What only a whole run shows: the all-reduces of a tensor-parallel group, and the host's work between passes. A measured run
 * is replayed and the figure that brings simulated TPOT nearest to the measured one is kept. TTFT and end-to-end latency are
 * not looked at, so that they say how far the rest of the model holds. Where each request's times are known, only those of the
 * first half to arrive are fitted to, and the later half judges.
 */
import { Exit } from "effect"
import type { Scenario } from "../../scenario/resolved.ts"
import { simulate } from "../../sim/simulate.ts"
import {
  latenciesOf,
  type LatencySummary,
  type MeasuredRun,
  type Statistic,
  STATISTICS,
  summarise
} from "../import/measured-run.ts"

/** What a run was fitted by. */
export interface RunFit {
  readonly scenario: Scenario
  /** The figures found, in base units. */
  readonly figures: Readonly<Record<string, number>>
  /** Largest relative error over mean and percentiles of the requests that judge. */
  readonly residuals: Readonly<Partial<Record<Fitting, number>>>
  /** Requests that judge and were not fitted to; undefined where the whole run judges: it has no times of each, or nothing was fitted. */
  readonly heldOut: number | undefined
}

type Fitting = "tpot" | "ttft" | "e2el"
const FITTED: readonly Statistic[] = ["mean", "p50", "p90"]
/** Fewest requests of a half, for percentiles to say anything of it. */
const FEWEST = 8

/** Requests [from, to) of a run in the order of arrival, and what they were measured at. */
interface Part {
  readonly from: number
  readonly to: number
  readonly latencies: MeasuredRun["latencies"]
}

const wholeOf = ({ latencies }: MeasuredRun): Part => ({ from: 0, to: Number.POSITIVE_INFINITY, latencies })

/** The first half to arrive and the later one; undefined where the file has no times of each request. */
const halvesOf = ({ requests }: MeasuredRun): readonly [first: Part, later: Part] | undefined => {
  const middle = requests.length >> 1
  if (middle < FEWEST || requests.some(({ ttft, e2el }) => ttft === undefined || e2el === undefined))
    return undefined
  const part = (from: number, to: number): Part => ({
    from,
    to,
    latencies: latenciesOf(requests.slice(from, to))
  })
  return [part(0, middle), part(middle, requests.length)]
}

/** The scenario replaying a run under its first method: latencies of a part of its requests; undefined if it does not fit into memory. */
const replay = (
  scenario: Scenario,
  { from, to }: Part
): Readonly<Record<Fitting, LatencySummary>> | undefined => {
  const seen: Record<Fitting, number[]> = { tpot: [], ttft: [], e2el: [] }
  const exit = simulate(scenario, scenario.methods[0]!, {
    onLatency: (request, latency, ns) => {
      if (request >= from && request < to) seen[latency].push(ns * 1e-9)
    }
  })
  if (Exit.isFailure(exit)) return undefined
  return {
    tpot: summarise(seen.tpot) ?? {},
    ttft: summarise(seen.ttft) ?? {},
    e2el: summarise(seen.e2el) ?? {}
  }
}

const errors = (
  simulated: LatencySummary,
  measured: LatencySummary | undefined,
  statistics: readonly Statistic[]
): readonly number[] =>
  statistics.flatMap((statistic) => {
    const [ours, real] = [simulated[statistic], measured?.[statistic]]
    return ours === undefined || real === undefined || !(real > 0) ? [] : [Math.log(ours / real)]
  })

/** Mean squared logarithm of simulated over measured TPOT. */
const distance = (scenario: Scenario, part: Part): number => {
  const simulated = replay(scenario, part)
  if (simulated === undefined) return Number.POSITIVE_INFINITY
  const off = errors(simulated.tpot, part.latencies.tpot, FITTED)
  return off.reduce((sum, one) => sum + one * one, 0) / Math.max(1, off.length)
}

/** The place of a minimum of `of` between `low` and `high` by golden sections of their logarithms. */
const golden = (low: number, high: number, steps: number, of: (x: number) => number): number => {
  const ratio = (Math.sqrt(5) - 1) / 2
  let [a, b] = [Math.log(low), Math.log(high)]
  let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)]
  let [atC, atD] = [of(Math.exp(c)), of(Math.exp(d))]
  for (let i = 0; i < steps; i++) {
    if (atC <= atD) {
      ;[b, d, atD] = [d, c, atC]
      c = b - ratio * (b - a)
      atC = of(Math.exp(c))
    } else {
      ;[a, c, atC] = [c, d, atD]
      d = a + ratio * (b - a)
      atD = of(Math.exp(d))
    }
  }
  return Math.exp((a + b) / 2)
}

const STEPS = 14

const worst = (simulated: LatencySummary, measured: LatencySummary | undefined): number | undefined => {
  const off = errors(simulated, measured, STATISTICS).map((one) => Math.abs(Math.exp(one) - 1))
  return off.length === 0 ? undefined : Math.max(...off)
}

/**
 * Fits the interconnect's bandwidth where there are several ranks, unless it is `known`, else the host's work per pass where it
 * does not hide behind the GPU. `scenario` replays the run on hardware whose kernels are calibrated already.
 */
export const fitRun = (
  scenario: Scenario,
  run: MeasuredRun,
  known = false
): RunFit | { readonly problem: string } => {
  if (run.latencies.tpot === undefined)
    return { problem: `${run.name} has no times per output token to fit to` }
  const { hardware, engine } = scenario
  const withBandwidth = (bandwidth: number): Scenario => ({
    ...scenario,
    hardware: { ...hardware, interconnect: { ...hardware.interconnect, bandwidth } }
  })
  const withStep = (stepOverhead: number): Scenario => ({
    ...scenario,
    hardware: { ...hardware, stepOverhead }
  })
  const halves = halvesOf(run)
  const part = halves?.[0] ?? wholeOf(run)
  const figures: Record<string, number> = {}
  let fitted = scenario
  if (engine.tensorParallelSize > 1 && !known) {
    const bandwidth = golden(1e9, 1e12, STEPS, (one) => distance(withBandwidth(one), part))
    figures["interconnect.bandwidth"] = bandwidth
    fitted = withBandwidth(bandwidth)
  } else if (engine.asyncScheduling !== true) {
    const step = golden(1e-5, 2e-2, STEPS, (one) => distance(withStep(one), part))
    figures["step_overhead"] = step
    fitted = withStep(step)
  }
  const later = Object.keys(figures).length > 0 ? halves?.[1] : undefined
  const judging = later ?? wholeOf(run)
  const simulated = replay(fitted, judging)
  if (simulated === undefined) return { problem: `${scenario.name} does not fit into memory` }
  const residuals = Object.fromEntries(
    (["tpot", "ttft", "e2el"] as const).flatMap((latency) => {
      const off = worst(simulated[latency], judging.latencies[latency])
      return off === undefined ? [] : [[latency, off] as const]
    })
  )
  const heldOut = later && later.to - later.from
  return { scenario: fitted, figures, residuals, heldOut }
}
