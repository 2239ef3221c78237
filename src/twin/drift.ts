/**
 * Whether one part of a machine still takes as long as its model says. The logarithm of measured over predicted time is watched by
 * a two-sided CUSUM (Page, Biometrika 41, 1954): while it stays near its level the prediction is current; when it leaves, the
 * prediction is stale until enough has been seen of the new level, which is then followed.
 */
import { median } from "./median.ts"

/** What a prediction of a part is worth now. */
export type Standing =
  /** Too little was seen to say. */
  | "unproven"
  | "current"
  /** What was seen last does not fit; no prediction is current. */
  | "stale"

/** The part took another level. */
export interface Shift {
  /** ns: when it was noticed, and when it seems to have begun. */
  readonly at: number
  readonly since: number
  /** Measured over predicted time before and after. */
  readonly from: number
  readonly to: number
}

/** Observations from which a level and its noise are taken. */
const LEARNING = 32
/** Shifts below this many standard deviations are not meant to be noticed. */
const SLACK = 0.75
/** Sum of standard deviations beyond the slack from which on a prediction is stale. */
const ALARM = 15
/** One observation counts at most so many standard deviations: a hiccup is no shift. */
const MOST = 4
/** Noise is never taken to be smaller: predictions are not better than this. */
const LEAST_NOISE = 0.01
/** Share of an observation's distance by which level and noise follow while they are current. */
const FOLLOW = 0.02
/** Mean absolute deviation to standard deviation of the normal distribution. */
const MEAN_DEVIATION = Math.sqrt(Math.PI / 2)
/** Median absolute deviation to standard deviation of the normal distribution. */
const DEVIATION = 1.4826

interface Observation {
  readonly at: number
  readonly logRatio: number
}

export class Drift {
  /** What the level is taken from: the first observations, or those since it was left. */
  #learning: Observation[] = []
  #level = 0
  #noise = 0
  #known = false
  #above = 0
  #below = 0
  #begins = 0
  #standing: Standing = "unproven"

  get standing(): Standing {
    return this.#standing
  }

  /** Measured over predicted time of late; 1 until something is known. */
  get factor(): number {
    return Math.exp(this.#level)
  }

  /** Relative noise of single observations around the level. */
  get noise(): number {
    return this.#noise
  }

  /** Takes one observation, seconds; tells of a shift when the new level is known. */
  observe(at: number, measured: number, predicted: number): Shift | undefined {
    const logRatio = Math.log(measured / predicted)
    if (this.#standing !== "current") {
      this.#learning.push({ at, logRatio })
      return this.#learning.length < LEARNING ? undefined : this.#learned(at)
    }
    const away = (logRatio - this.#level) / this.#noise
    const clipped = Math.max(-MOST, Math.min(MOST, away))
    if (this.#above === 0 && this.#below === 0) this.#begins = at
    this.#above = Math.max(0, this.#above + clipped - SLACK)
    this.#below = Math.max(0, this.#below - clipped - SLACK)
    if (Math.max(this.#above, this.#below) >= ALARM) {
      this.#standing = "stale"
      this.#learning = [{ at, logRatio }]
      return undefined
    }
    this.#level += FOLLOW * clipped * this.#noise
    this.#noise = Math.max(LEAST_NOISE, this.#noise * (1 + FOLLOW * (MEAN_DEVIATION * Math.abs(clipped) - 1)))
    return undefined
  }

  #learned(at: number): Shift | undefined {
    const values = this.#learning.map(({ logRatio }) => logRatio)
    const level = median(values)
    const from = this.factor
    const first = !this.#known
    this.#level = level
    this.#noise = Math.max(LEAST_NOISE, DEVIATION * median(values.map((one) => Math.abs(one - level))))
    this.#known = true
    this.#above = 0
    this.#below = 0
    this.#standing = "current"
    this.#learning = []
    return first ? undefined : { at, since: this.#begins, from, to: this.factor }
  }
}
