/**
 * The roofline of one kind of operation fitted to measured times: t = n·overhead + the longest of
 *   bytes ÷ (memory·bandwidth),   FLOPs ÷ (compute·peak) + blocks·perBlock,   walk·perToken.
 * Which of them is the longest is decided anew in every iteration; given that the model is linear in overhead, 1/memory, 1/compute,
 * perBlock and perToken, and solved by least squares of relative errors under Huber's weights (Huber 1964), so that a few odd
 * timings do not move it. Nothing is random: the same samples give the same fit.
 */
import type { Efficiency } from "../../scenario/resolved.ts"

/** One measured call, or several launched together. */
export interface Sample {
  readonly bytes: number
  /** FLOPs that were computed, unused rows of blocks included. */
  readonly flops: number
  /** Kernels it launched, each with its overhead. */
  readonly launches: number
  /** Measured seconds. */
  readonly seconds: number
  /** Of attention: blocks of queries, and tokens of KV the longest of them walks over; not there where blocks share the KV out. */
  readonly blocks?: number
  readonly walk?: number
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
/** What the fit starts from, seconds a block and a token: it keeps to the sides of the roofline that it sees, so it is shown several. */
const BLOCKS = [0, 4e-8]
const WALKS = [0, 1e-8, 4e-8]

/** What bounds a call, and the seconds of each. */
export const boundOf = (
  { bytes, flops, blocks = 0, walk = 0 }: Sample,
  { memory, compute, perBlock = 0, perToken = 0 }: Efficiency,
  peaks: Peaks
): { readonly by: "memory" | "compute" | "walk"; readonly seconds: number } => {
  const reading = bytes / (peaks.bandwidth * memory)
  const computing = flops / (peaks.flops * compute) + blocks * perBlock
  const walking = walk * perToken
  if (walking > Math.max(reading, computing)) return { by: "walk", seconds: walking }
  return reading >= computing ? { by: "memory", seconds: reading } : { by: "compute", seconds: computing }
}

export const predict = (sample: Sample, fit: Efficiency, peaks: Peaks): number =>
  sample.launches * fit.overhead + boundOf(sample, fit, peaks).seconds

/** A share that is known from elsewhere and not fitted. */
export type Held = "memory" | "compute"

/** Overhead, 1/memory, 1/compute, perBlock, perToken. */
type Unknowns = readonly [number, number, number, number, number]
const PLACE: Readonly<Record<Held, number>> = { memory: 1, compute: 2 }

/** What one second of each unknown's factor is in a sample, as the fit so far has it bound. */
const factors = (sample: Sample, fit: Efficiency, peaks: Peaks): Unknowns => {
  const { by } = boundOf(sample, fit, peaks)
  return [
    sample.launches,
    by === "memory" ? sample.bytes / peaks.bandwidth : 0,
    by === "compute" ? sample.flops / peaks.flops : 0,
    by === "compute" ? (sample.blocks ?? 0) : 0,
    by === "walk" ? (sample.walk ?? 0) : 0
  ]
}

/**
 * Solves A·x = b for a symmetric positive A over the unknowns that are not `held`; those keep `fallback`, as do unknowns whose
 * column is empty.
 */
const solve = (
  a: readonly (readonly number[])[],
  b: readonly number[],
  fallback: readonly number[],
  held: ReadonlySet<number>
): number[] => {
  const n = a.length
  const kept = a.map((row, i) => held.has(i) || !(row[i]! > 0))
  const rows = a.map((row, i) =>
    kept[i]
      ? [...row.map((_, j) => (i === j ? 1 : 0)), fallback[i]!]
      : [
          ...row.map((one, j) => (kept[j] ? 0 : one)),
          row.reduce((left, one, j) => (kept[j] ? left - one * fallback[j]! : left), b[i]!)
        ]
  )
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

const unknownsOf = ({ overhead, memory, compute, perBlock = 0, perToken = 0 }: Efficiency): Unknowns => [
  overhead,
  1 / memory,
  1 / compute,
  perBlock,
  perToken
]

/** Huber's loss of relative errors. */
const loss = (samples: readonly Sample[], fit: Efficiency, peaks: Peaks): number =>
  samples.reduce((sum, sample) => {
    const error = Math.abs(predict(sample, fit, peaks) / sample.seconds - 1)
    return sum + (error <= HUBER ? error ** 2 / 2 : HUBER * (error - HUBER / 2))
  }, 0)

/** One solution with what bounds each sample as `fit` has it. */
const step = (
  samples: readonly Sample[],
  peaks: Peaks,
  fit: Efficiency,
  share: Held | undefined
): Efficiency => {
  const a = unknownsOf(fit).map(() => [0, 0, 0, 0, 0])
  const b = [0, 0, 0, 0, 0]
  for (const sample of samples) {
    // In units of the measured time, so that errors are relative.
    const x = factors(sample, fit, peaks).map((one) => one / sample.seconds)
    const error = Math.abs(predict(sample, fit, peaks) / sample.seconds - 1)
    const weight = error <= HUBER ? 1 : HUBER / error
    for (let i = 0; i < 5; i++) {
      b[i]! += weight * x[i]!
      for (let j = 0; j < 5; j++) a[i]![j]! += weight * x[i]! * x[j]!
    }
  }
  // Nothing costs less than nothing: what comes out negative is held at 0 and the rest solved again.
  const held = new Set<number>(share === undefined ? [] : [PLACE[share]])
  const start = [...unknownsOf(fit)]
  for (;;) {
    const [overhead, memory, compute, perBlock, perToken] = solve(a, b, start, held) as [
      number,
      number,
      number,
      number,
      number
    ]
    const negative = [overhead, 0, 0, perBlock, perToken].findIndex((one, i) => one < 0 && !held.has(i))
    if (negative < 0)
      return {
        overhead,
        memory: clampShare(memory),
        compute: clampShare(compute),
        ...(perBlock > 0 ? { perBlock } : {}),
        ...(perToken > 0 ? { perToken } : {})
      }
    held.add(negative)
    start[negative] = 0
  }
}

const fitFrom = (
  samples: readonly Sample[],
  peaks: Peaks,
  start: Efficiency,
  held: Held | undefined
): { readonly fit: Efficiency; readonly loss: number } => {
  let [fit, best, least] = [start, start, Number.POSITIVE_INFINITY]
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const next = step(samples, peaks, fit, held)
    const before = unknownsOf(fit)
    const moved = Math.max(
      ...unknownsOf(next).map((one, i) => Math.abs(one - before[i]!) / (before[i]! || 1))
    )
    fit = next
    const now = loss(samples, fit, peaks)
    if (now < least) [best, least] = [fit, now]
    if (moved < 1e-9) break
  }
  return { fit: best, loss: least }
}

/** Fits one kind of operation; a share that is `held`, or a side of the roofline that no sample shows, is `start`'s. */
export const fitEfficiency = (
  samples: readonly Sample[],
  peaks: Peaks,
  start: Efficiency,
  held?: Held
): Efficiency => {
  const blocks = samples.some((one) => (one.blocks ?? 0) > 0) ? BLOCKS : [0]
  const walks = samples.some((one) => (one.walk ?? 0) > 0) ? WALKS : [0]
  const { overhead, memory, compute } = start
  return blocks
    .flatMap((perBlock) => walks.map((perToken) => ({ overhead, memory, compute, perBlock, perToken })))
    .map((from) => fitFrom(samples, peaks, from, held))
    .reduce((a, b) => (b.loss < a.loss ? b : a)).fit
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
  start: Efficiency,
  held?: Held
): { readonly fit: Efficiency; readonly quality: FitQuality } => {
  const [fitted, kept] = halves(samples)
  const fit = fitEfficiency(fitted, peaks, start, held)
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
