/** Means with intervals of confidence, by Student's t: what a few replications say of what more would. */

/** ln Γ(x), x > 0. C. Lanczos, "A precision approximation of the gamma function", SIAM J. Numer. Anal. B 1 (1964); g = 7. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7
] as const
const logGamma = (x: number): number => {
  const t = x + 6.5
  const sum = LANCZOS.reduce((all, c, i) => (i === 0 ? c : all + c / (x + i - 1)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method). */
const incompleteBeta = (x: number, a: number, b: number): number => {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast on one side; the other is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x))
  const tiny = 1e-300
  const kept = (value: number): number => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / kept(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / kept(1 + even * d)
    c = kept(1 + even / c)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / kept(1 + odd * d)
    c = kept(1 + odd / c)
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-14) break
  }
  return (front * fraction) / a
}

/** P(T ≤ t) of Student's distribution. */
export const studentCdf = (t: number, degrees: number): number => {
  const tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  return t > 0 ? 1 - tail : tail
}

/** The t with P(|T| ≤ t) = `confidence`, 0 < confidence < 1. */
export const studentQuantile = (confidence: number, degrees: number): number => {
  const p = (1 + confidence) / 2
  let [low, high] = [0, 2]
  while (studentCdf(high, degrees) < p) high *= 2
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (studentCdf(middle, degrees) < p) low = middle
    else high = middle
  }
  return high
}

/** mean ± half, with so much confidence; `half` is undefined of fewer than two values: they say nothing of their spread. */
export interface Interval {
  readonly mean: number
  readonly half: number | undefined
  readonly count: number
}

export const CONFIDENCE = 0.95

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Unbiased. */
export const varianceOf = (values: readonly number[]): number => {
  const mean = meanOf(values)
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
}

/** The mean of independent values that are about normal, as means and percentiles of long runs are. */
export const meanInterval = (values: readonly number[], confidence = CONFIDENCE): Interval => {
  const n = values.length
  const mean = meanOf(values)
  if (n < 2) return { mean, half: undefined, count: n }
  // Equal values have no spread, whatever rounding leaves of their mean.
  if (values.every((value) => value === values[0])) return { mean: values[0]!, half: 0, count: n }
  return { mean, half: studentQuantile(confidence, n - 1) * Math.sqrt(varianceOf(values) / n), count: n }
}
