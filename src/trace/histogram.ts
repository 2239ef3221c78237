/**
 * A streaming histogram of positive numbers with buckets of equal relative width (2048 to the power of two, linear inside):
 * percentiles within 0.025 %, whatever the range; flat memory; sum, minimum and maximum exact. Merging adds counts.
 */

const SUB_BITS = 11
const SUB = 2 ** SUB_BITS

/** What is shown of a distribution, in the unit of its values. */
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
  #counts = new Float64Array(SUB * 4)
  #count = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  /** `unit`: the smallest value told apart from zero; smaller ones count as zero. */
  constructor(unit: number) {
    this.#unit = unit
  }

  get count(): number {
    return this.#count
  }
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }

  /** Notes `weight` times a value ≥ 0. */
  record(value: number, weight = 1): void {
    const bucket = this.#bucket(value)
    if (bucket >= this.#counts.length) this.#grow(bucket + 1)
    this.#counts[bucket]! += weight
    this.#count += weight
    this.#sum += value * weight
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /** The value below or at which `p` percent of the weight lies; 0 if nothing was noted. */
  percentile(p: number): number {
    if (this.#count === 0) return 0
    const rank = Math.max(1, Math.ceil((p / 100) * this.#count))
    let seen = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, this.#middle(bucket)))
    }
    return this.#max
  }

  merge(other: Histogram): void {
    if (other.#unit !== this.#unit) throw new Error("histograms of different units do not merge")
    if (other.#counts.length > this.#counts.length) this.#grow(other.#counts.length)
    for (let i = 0; i < other.#counts.length; i++) this.#counts[i]! += other.#counts[i]!
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

  // Values below 2·SUB units have a bucket each; above, every power of two has SUB buckets.
  #bucket(value: number): number {
    const units = Math.floor(value / this.#unit)
    if (units < 2 * SUB) return units
    const exponent = Math.floor(Math.log2(units)) - SUB_BITS
    return exponent * SUB + Math.floor(units / 2 ** exponent)
  }

  #middle(bucket: number): number {
    if (bucket < 2 * SUB) return bucket * this.#unit
    const exponent = Math.floor(bucket / SUB) - 1
    return (bucket - exponent * SUB + 0.5) * 2 ** exponent * this.#unit
  }

  #grow(length: number): void {
    const counts = new Float64Array(Math.max(length, this.#counts.length * 2))
    counts.set(this.#counts)
    this.#counts = counts
  }
}
