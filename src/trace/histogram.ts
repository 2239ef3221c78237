/**
 * A streaming histogram of non-negative numbers in flat memory: every power of two has 2048 buckets of equal width, so that
 * percentiles are within 0.025 % whatever the range; count, sum, minimum and maximum are exact. Merging adds counts.
 *
 * The top bits of a double, exponent and first eleven bits of the fraction, are already the number of such a bucket.
 */

const FRACTION_BITS = 11
/** Bits of a double's upper half below the ones that number its bucket: 20 of the fraction less those kept. */
const DROPPED_BITS = 20 - FRACTION_BITS
/** Buckets of a page: what a distribution never comes near takes no room. */
const PAGE = 1 << FRACTION_BITS

/** One double seen as two halves, the upper one wherever this machine keeps it. */
const double = new Float64Array([1])
const halves = new Uint32Array(double.buffer)
const UPPER = halves[1] === 0 ? 0 : 1

/** What is shown of a distribution, in the unit of its values. All 0 if there are none. */
export interface Distribution {
  readonly count: number
  readonly mean: number
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

export class Histogram {
  readonly #unit: number
  /** Number of the bucket of `unit`, which comes first. */
  readonly #first: number
  /** Weight by bucket, from the one of `unit` on, in pages. */
  readonly #pages: (Float64Array | undefined)[] = []
  /** Weight of values below `unit`. */
  #zeros = 0
  #count = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  /** `unit`: the smallest value told apart from zero; percentiles take smaller ones for zero. */
  constructor(unit: number) {
    if (!(unit > 0)) throw new Error(`the smallest value of a histogram must be above 0, not ${unit}`)
    this.#unit = unit
    this.#first = bucketOf(unit)
  }

  get count(): number {
    return this.#count
  }
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }

  /** Notes `weight` times a finite value ≥ 0. */
  record(value: number, weight = 1): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY && weight > 0)) {
      throw new Error(`a histogram cannot note ${value} ${weight} times`)
    }
    if (value < this.#unit) this.#zeros += weight
    else {
      const bucket = bucketOf(value) - this.#first
      this.#page(bucket >>> FRACTION_BITS)[bucket % PAGE]! += weight
    }
    this.#count += weight
    this.#sum += value * weight
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /**
   * The smallest value such that at least `p` percent (0–100) of the weight lies at or below it, give or take half a bucket;
   * 0 if nothing was noted. The 0th and the 100th are exact.
   */
  percentile(p: number): number {
    if (this.#count === 0) return 0
    const rank = (p * this.#count) / 100
    if (rank <= 0) return this.#min
    let seen = this.#zeros
    if (seen >= rank) return this.#within(0)
    for (const [page, weights] of this.#pages.entries()) {
      if (weights === undefined) continue
      for (let bucket = 0; bucket < PAGE; bucket++) {
        seen += weights[bucket]!
        if (seen >= rank) return this.#within(middleOf(this.#first + page * PAGE + bucket))
      }
    }
    return this.#max
  }

  merge(other: Histogram): void {
    if (other.#unit !== this.#unit) throw new Error("histograms of different units do not merge")
    for (const [page, weights] of other.#pages.entries()) {
      if (weights === undefined) continue
      const own = this.#page(page)
      for (let bucket = 0; bucket < PAGE; bucket++) own[bucket]! += weights[bucket]!
    }
    this.#zeros += other.#zeros
    this.#count += other.#count
    this.#sum += other.#sum
    this.#min = Math.min(this.#min, other.#min)
    this.#max = Math.max(this.#max, other.#max)
  }

  /** The summary, every value multiplied by `scale`. */
  distribution(scale: number): Distribution {
    const at = (p: number): number => this.percentile(p) * scale
    return {
      count: this.#count,
      mean: this.mean * scale,
      min: this.#count === 0 ? 0 : this.#min * scale,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      max: this.#max * scale
    }
  }

  #within(value: number): number {
    return Math.min(this.#max, Math.max(this.#min, value))
  }

  #page(index: number): Float64Array {
    while (this.#pages.length <= index) this.#pages.push(undefined)
    return (this.#pages[index] ??= new Float64Array(PAGE))
  }
}

const bucketOf = (value: number): number => {
  double[0] = value
  return halves[UPPER]! >>> DROPPED_BITS
}

/** A value of at least the unit as percentiles give it back: the middle of its bucket. */
export const asNoted = (value: number): number => middleOf(bucketOf(value))

const middleOf = (bucket: number): number => {
  halves[UPPER] = (bucket << DROPPED_BITS) >>> 0
  halves[1 - UPPER] = 0
  const low = double[0]!
  halves[UPPER] = ((bucket + 1) << DROPPED_BITS) >>> 0
  return low + (double[0]! - low) / 2
}
