/**
 * Several runs of one scenario on one machine: how well one predicts another, which no model of the machine can better, and how fast the
 * machine was in each, told by the other methods that ran beside it.
 */
import type { TraceStore } from "../trace/store.ts"
import { median } from "./median.ts"
import { byKind, eventTimes, paired, type PricedPass, type Residual, residual } from "./residuals.ts"

/** Of each run the others. */
const others = <A>(runs: readonly A[]): readonly (readonly [run: A, others: readonly A[]])[] =>
  runs.map((run, i) => [run, runs.filter((_, j) => j !== i)])

/** Medians by key over several runs. */
const medians = (runs: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> => {
  const values = new Map<string, number[]>()
  for (const run of runs) for (const [key, value] of run) values.set(key, [...(values.get(key) ?? []), value])
  return new Map([...values].map(([key, some]) => [key, median(some)]))
}

/** Passes of a run by what they computed; several of the same work count as their median. */
const byWork = (passes: readonly PricedPass[]): ReadonlyMap<string, number> =>
  medians(passes.map(({ key, measured }) => new Map([[key, measured]])))

/**
 * The noise floor: what is left when a run is predicted by the median of the other runs of the same scenario, part by part.
 * Passes are paired by what they computed. Empty with fewer than two runs.
 */
export const noiseFloor = (
  passes: readonly (readonly PricedPass[])[],
  traces: readonly TraceStore[]
): readonly Residual[] => {
  if (traces.length < 2) return []
  const ofPasses = others(passes).flatMap(([own, rest]) => {
    const expected = medians(rest.map(byWork))
    return own.flatMap(({ kind, key, measured }) => {
      const before = expected.get(key)
      return before === undefined ? [] : [{ kind, ratio: before / measured }]
    })
  })
  const times = traces.map(eventTimes)
  const ofEvents = [...times[0]!.keys()].flatMap((what) => {
    const ratios = others(times.map((one) => one.get(what)!)).flatMap(([own, rest]) =>
      paired(medians(rest), own)
    )
    return residual(what, ratios) ?? []
  })
  return [...byKind(ofPasses), ...ofEvents]
}

/** Measured over predicted time of a run's passes in the middle: how fast the machine was meanwhile. */
export const paceOf = (passes: readonly PricedPass[]): number | undefined =>
  passes.length === 0 ? undefined : median(passes.map(({ predicted, measured }) => measured / predicted))

/**
 * Passes predicted for a machine as fast as it was in the other methods' runs of the same repetition: what all methods share
 * cancels, and no pass takes part in its own prediction. `paces`: of those runs.
 */
export const pacedRatios = (
  passes: readonly PricedPass[],
  paces: readonly number[]
): readonly { readonly kind: string; readonly ratio: number }[] => {
  if (paces.length === 0) return []
  const pace = median(paces)
  return passes.map(({ kind, predicted, measured }) => ({ kind, ratio: (predicted * pace) / measured }))
}

/**
 * Passes of the same work in the middle of the repetitions, predicted over measured: what a slow moment adds to one of them is no error of the
 * model. Work that fewer than half of the repetitions had counts for nothing.
 */
export const typicalRatios = (runs: readonly (readonly PricedPass[])[]): readonly number[] => {
  if (runs.length < 2) return []
  const errors = runs.map((run) =>
    byWork(run.map((one) => ({ ...one, measured: one.measured / one.predicted })))
  )
  const often = (key: string): boolean => errors.filter((one) => one.has(key)).length * 2 >= runs.length
  return [...medians(errors)].flatMap(([key, error]) => (often(key) ? [1 / error] : []))
}

/** How well the middle of every second repetition predicts the middle of the others: the noise floor of `typicalRatios`. */
export const typicalFloor = (runs: readonly (readonly PricedPass[])[]): readonly number[] => {
  if (runs.length < 4) return []
  const half = (which: number): ReadonlyMap<string, number> =>
    medians(runs.filter((_, i) => i % 2 === which).map(byWork))
  const [even, odd] = [half(0), half(1)]
  return [...even].flatMap(([key, own]) => {
    const other = odd.get(key)
    return other === undefined ? [] : [own / other]
  })
}
