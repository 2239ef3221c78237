/**
 * A hardware profile refitted to recorded runs: shares of the peaks and host work from the times of whole passes, links from the
 * times of transfers. One of every two passes of like work and every second transfer are kept apart and judge the fit.
 */
import type { Hardware, Method, Scenario } from "../scenario/resolved.ts"
import type { TraceStore } from "../trace/store.ts"
import { fitTold, type Untold } from "./least-squares.ts"
import { halves } from "./halves.ts"
import { copiesGoFirst, fitLink, LEAST_SEEN, type LinkFit, recordedTransfers } from "./link-fit.ts"
import { boundsOf, keptOf, passFigures, startOf, withLogarithms } from "./parameters.ts"
import { atMiddlePace } from "./pace.ts"
import { passFacts, passPrice } from "./pass-price.ts"
import { type RecordedPasses, recordedPasses, workOf } from "./passes.ts"

/** A recorded run and what was run. */
export interface RecordedRun {
  readonly scenario: Scenario
  readonly method: Method
  readonly trace: TraceStore
}

/** Relative errors of predicted over measured. */
export interface FitErrors {
  readonly samples: number
  readonly heldOut: number
  readonly median: number
  readonly heldOutMedian: number
  readonly heldOutP90: number
  /** Median of predicted over measured − 1 of those kept apart. */
  readonly heldOutBias: number
}

export interface Refit {
  readonly hardware: Hardware
  /** Figures that were fitted, by their path in a profile, in base units. */
  readonly figures: Readonly<Record<string, number>>
  /** Figures of passes that the runs do not tell, which stay as they were. */
  readonly untold: Readonly<Record<Untold, readonly string[]>>
  readonly passes: FitErrors
  readonly links: Readonly<Record<"host_to_device" | "device_to_host", LinkFit | undefined>>
}

/** Passes a fit is made of at most: a long run says no more than an even choice of it. */
const MOST_PASSES = 2000
/** Fewest passes a fit is made of. */
export const FEWEST_PASSES = 8
/** Weight of where a figure started against one pass: breaks ties, moves nothing that is seen. */
const PULL = 1e-3

const evenly = <A>(values: readonly A[], most: number): readonly A[] =>
  values.length <= most
    ? values
    : Array.from({ length: most }, (_, i) => values[Math.floor((i * values.length) / most)]!)

const quantile = (values: readonly number[], q: number): number =>
  values.length === 0 ? 0 : values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]!

/** How far predictions are off, of what a fit saw and of what it did not. */
export const fitErrors = (seen: readonly number[], kept: readonly number[]): FitErrors => {
  const absolute = (errors: readonly number[]): readonly number[] => errors.map(Math.abs)
  return {
    samples: seen.length,
    heldOut: kept.length,
    median: quantile(absolute(seen), 0.5),
    heldOutMedian: quantile(absolute(kept), 0.5),
    heldOutP90: quantile(absolute(kept), 0.9),
    heldOutBias: quantile(kept, 0.5)
  }
}

interface Sample {
  readonly run: number
  readonly pass: RecordedPasses
}

/** Refits `base` to runs recorded on one machine; undefined if they have too few passes. */
export const refit = (runs: readonly RecordedRun[], base: Hardware): Refit | undefined => {
  const samples = runs.flatMap(({ scenario, method, trace }, run): Sample[] =>
    // A pass over offloaded KV waits for the link: it says nothing of the GPU, and on a device with one queue of the submissions.
    method.kind === "offloaded" && base.oneQueue === undefined
      ? []
      : recordedPasses(trace, passFacts(scenario, method)).map((pass) => ({ run, pass }))
  )
  if (samples.length < FEWEST_PASSES) return undefined
  const [one, other] = halves(samples, ({ pass }) => workOf(pass))
  const [seen, kept] = [evenly(one, MOST_PASSES), evenly(other, MOST_PASSES)]
  const { link } = base
  const ranks = runs[0]!.scenario.engine.tensorParallelSize
  const transfers = runs.flatMap(({ trace }) => recordedTransfers(trace, base.oneQueue !== undefined))
  const links = {
    host_to_device: fitLink(
      transfers.filter(({ into }) => into),
      { bandwidth: link.hostToDevice * ranks, latency: link.latency }
    ),
    device_to_host: fitLink(
      transfers.filter(({ into }) => !into),
      { bandwidth: link.deviceToHost * ranks, latency: link.deviceToHostLatency ?? link.latency }
    )
  }
  const copiesFirst = copiesGoFirst(transfers) ?? base.oneQueue?.copiesFirst
  // Links first: where copies share the queue with passes, a pass behind one waits for it.
  const linked: Hardware = {
    ...base,
    ...(base.oneQueue === undefined || copiesFirst === undefined
      ? {}
      : { oneQueue: { ...base.oneQueue, copiesFirst } }),
    link: {
      ...link,
      hostToDevice:
        links.host_to_device === undefined ? link.hostToDevice : links.host_to_device.bandwidth / ranks,
      deviceToHost:
        links.device_to_host === undefined ? link.deviceToHost : links.device_to_host.bandwidth / ranks,
      latency: links.host_to_device?.latency ?? link.latency,
      ...(links.device_to_host === undefined ? {} : { deviceToHostLatency: links.device_to_host.latency })
    }
  }
  const ratios = (some: readonly Sample[], hardware: Hardware): readonly number[] => {
    const prices = runs.map(({ scenario, method }) => passPrice(scenario, method, hardware))
    return some.map(({ run, pass }) => prices[run]!(pass) / pass.seconds)
  }
  const alike = runs.map(({ scenario, trace }) => `${scenario.name}: ${trace.meta.method}`)
  const seenRuns = seen.map(({ run }) => run)
  const figures = passFigures(
    base,
    samples.some(({ pass }) => pass.streamed > 0)
  )
  const { parameters, untold } = fitTold(
    {
      start: startOf(figures, linked),
      kept: keptOf(figures, linked),
      bounds: boundsOf(figures),
      residuals: (values) =>
        atMiddlePace(ratios(seen, withLogarithms(figures, linked, values)).map(Math.log), seenRuns, alike),
      pull: PULL
    },
    LEAST_SEEN
  )
  const isUntold = (i: number): boolean => untold[i] !== undefined
  const hardware = withLogarithms(figures, linked, parameters, isUntold)
  const named = (why: Untold): readonly string[] =>
    figures.flatMap(({ name }, i) => (untold[i] === why ? [name] : []))
  const off = (some: readonly Sample[]): readonly number[] => ratios(some, hardware).map((one) => one - 1)
  return {
    hardware,
    figures: Object.fromEntries(
      figures.flatMap(({ name, get }, i) => (isUntold(i) ? [] : [[name, get(hardware)!] as const]))
    ),
    untold: { unseen: named("unseen"), "at a bound": named("at a bound") },
    passes: fitErrors(off(seen), off(kept)),
    links
  }
}
