/**
 * Survival of drafted tokens: S(i) = P(the first i drafted tokens all agree). It falls in i, an accepted length is the last i
 * that a uniform u has not passed (u < S(i)), and E[accepted of x] = S(1) + … + S(x).
 */

/** E[accepted] = α(1−α^x)/(1−α) for i.i.d. agreement: S(i) = α^i. */
export const expectedAccepted = (alpha: number, window: number): number =>
  alpha >= 1 ? window : (alpha * (1 - alpha ** window)) / (1 - alpha)

/** The accepted length of at most `window` that uniform `u` in (0, 1) stands for when S(i) = α^i. */
export const acceptedAt = (alpha: number, window: number, u: number): number => {
  if (alpha >= 1) return window
  if (alpha <= 0) return 0
  return Math.min(window, Math.floor(Math.log(u) / Math.log(alpha)))
}

/** S of a per-position curve, whose last value holds beyond its end. */
export class SurvivalCurve {
  /** S(0) = 1, S(1), … up to the curve's length. */
  readonly #survival: Float64Array
  /** S(1) + … + S(i). */
  readonly #sums: Float64Array
  readonly #tail: number

  /** `perPosition[i]` = P(token i + 1 agrees | all before it agreed), at least one value. */
  constructor(perPosition: readonly number[]) {
    this.#survival = new Float64Array(perPosition.length + 1)
    this.#sums = new Float64Array(perPosition.length + 1)
    this.#survival[0] = 1
    perPosition.forEach((agreement, i) => {
      this.#survival[i + 1] = this.#survival[i]! * agreement
      this.#sums[i + 1] = this.#sums[i]! + this.#survival[i + 1]!
    })
    this.#tail = perPosition.at(-1)!
  }

  /** The accepted length of at most `window` that uniform `u` in (0, 1) stands for. O(log window). */
  accepted(window: number, u: number): number {
    const known = this.#survival.length - 1
    const end = this.#survival[known]!
    if (window > known && u < end) return known + acceptedAt(this.#tail, window - known, u / end)
    let low = 0
    let high = Math.min(window, known)
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (u < this.#survival[middle]!) low = middle
      else high = middle - 1
    }
    return low
  }

  /** E[accepted of `window`]. O(1). */
  expected(window: number): number {
    const known = this.#survival.length - 1
    if (window <= known) return this.#sums[window]!
    return this.#sums[known]! + this.#survival[known]! * expectedAccepted(this.#tail, window - known)
  }
}
