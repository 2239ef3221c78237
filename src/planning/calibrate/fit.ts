/**
 * The roofline of one kind of operation fitted to measured times: t = n·overhead + max(bytes ÷ (memory·bandwidth), FLOPs ÷
 * (compute·peak)). Which side of the max holds is decided anew in every iteration; given that the model is linear in overhead,
 * 1/memory and 1/compute, and solved by least squares of relative errors under Huber's weights (Huber 1964), so that a few odd
 * timings do not move it. Nothing is random: the same samples give the same fit.
 */
import type { Efficiency } from "../../scenario/resolved.ts"

/** One measured call, or several launched together. */
export interface Sample {
  readonly bytes: number
  readonly flops: number
  /** Kernels it launched, each with its overhead. */
  readonly launches: number
  /** Measured seconds. */
  readonly seconds: number
  /** Seconds of them that something else took, known from a measurement of its own. */
  readonly besides?: number
}

/** Peaks of one GPU: bytes/s, FLOP/s. */
export interface Peaks {
  readonly bandwidth: number
  readonly flops: number
}

/** How far a fit is off, by samples it was fitted to and samples kept apart. Relative errors. */
export interface FitQuality {
  readonly samples: number
  readonly heldOut: number
  readonly medianError: number
  readonly heldOutMedianError: number
  readonly heldOutP90Error: number
  /** Median of predicted over measured − 1. */
  readonly heldOutBias: number
}

/** Shares above this are held there: a card that clocks above its rating would break the physical floor. */
const MOST_SHARE = 0.99
const LEAST_SHARE = 0.01
/** Relative error from which on a sample counts less. */
const HUBER = 0.1
const ITERATIONS = 60

export const predict = (sample: Sample, fit: Efficiency, { bandwidth, flops }: Peaks): number =>
  (sample.besides ?? 0) +
  sample.launches * fit.overhead +
  Math.max(sample.bytes / (bandwidth * fit.memory), sample.flops / (flops * fit.compute))

/** Solves A·x = b for a symmetric positive A of three rows; unknowns whose column is empty keep `fallback`. */
const solve = (
  a: readonly (readonly number[])[],
  b: readonly number[],
  fallback: readonly number[]
): number[] => {
  const rows: number[][] = a.map((row, i) =>
    row[i]! > 0 ? [...row, b[i]!] : [...row.map((_, j) => (i === j ? 1 : 0)), fallback[i]!]
  )
  const n = rows.length
  for (let i = 0; i < n; i++) {
    const pivot = rows[i]![i]!
    if (Math.abs(pivot) < 1e-300) return [...fallback]
    for (let j = 0; j < n; j++) {
      if (j === i) continue
      const factor = rows[j]![i]! / pivot
      for (let k = i; k <= n; k++) rows[j]![k]! -= factor * rows[i]![k]!
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!)
}

const clampShare = (inverse: number): number =>
  Math.min(MOST_SHARE, Math.max(LEAST_SHARE, inverse > 0 ? 1 / inverse : MOST_SHARE))

/** Fits one kind of operation; a side of the roofline that no sample shows keeps `start`'s share. */
export const fitEfficiency = (samples: readonly Sample[], peaks: Peaks, start: Efficiency): Efficiency => {
  let fit = start
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const a = [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0]
    ]
    const b = [0, 0, 0]
    for (const sample of samples) {
      const memory = sample.bytes / peaks.bandwidth
      const compute = sample.flops / peaks.flops
      const bound = memory / fit.memory >= compute / fit.compute
      // In units of the measured time, so that errors are relative.
      const x = [sample.launches, bound ? memory : 0, bound ? 0 : compute].map((one) => one / sample.seconds)
      const error = Math.abs(predict(sample, fit, peaks) / sample.seconds - 1)
      const weight = error <= HUBER ? 1 : HUBER / error
      const left = 1 - (sample.besides ?? 0) / sample.seconds
      for (let i = 0; i < 3; i++) {
        b[i]! += weight * x[i]! * left
        for (let j = 0; j < 3; j++) a[i]![j]! += weight * x[i]! * x[j]!
      }
    }
    const before = [fit.overhead, 1 / fit.memory, 1 / fit.compute]
    let [overhead, memory, compute] = solve(a, b, before) as [number, number, number]
    if (overhead < 0) {
      // No negative launches: without them the two sides part, each with samples of its own.
      overhead = 0
      memory = a[1]![1]! > 0 ? b[1]! / a[1]![1]! : before[1]!
      compute = a[2]![2]! > 0 ? b[2]! / a[2]![2]! : before[2]!
    }
    const next = { overhead, memory: clampShare(memory), compute: clampShare(compute) }
    const moved = Math.max(
      Math.abs(next.memory / fit.memory - 1),
      Math.abs(next.compute / fit.compute - 1),
      Math.abs(next.overhead - fit.overhead) / Math.max(1e-9, fit.overhead)
    )
    fit = next
    if (moved < 1e-9) break
  }
  return fit
}

/** Every second sample is kept apart: both halves cover the whole grid, and nobody chose. */
export const halves = (samples: readonly Sample[]): readonly [readonly Sample[], readonly Sample[]] => [
  samples.filter((_, i) => i % 2 === 0),
  samples.filter((_, i) => i % 2 === 1)
]

const at = (values: readonly number[], share: number): number =>
  values.length === 0 ? 0 : values.toSorted((x, y) => x - y)[Math.floor(share * (values.length - 1))]!

/** Fits to one half of the samples and judges by the other. */
export const fitAndJudge = (
  samples: readonly Sample[],
  peaks: Peaks,
  start: Efficiency
): { readonly fit: Efficiency; readonly quality: FitQuality } => {
  const [fitted, kept] = halves(samples)
  const fit = fitEfficiency(fitted, peaks, start)
  const off = (some: readonly Sample[]): readonly number[] =>
    some.map((sample) => predict(sample, fit, peaks) / sample.seconds - 1)
  const errors = off(kept).map(Math.abs)
  return {
    fit,
    quality: {
      samples: fitted.length,
      heldOut: kept.length,
      medianError: at(off(fitted).map(Math.abs), 0.5),
      heldOutMedianError: at(errors, 0.5),
      heldOutP90Error: at(errors, 0.9),
      heldOutBias: at(off(kept), 0.5)
    }
  }
}
