/** The normal distribution: its distribution function and the inverse. */

/** P(Z ≤ z), within 1.5·10⁻⁷ (Abramowitz and Stegun, 7.1.26). */
export const normalCdf = (z: number): number => {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const half = (poly * Math.exp(-x * x)) / 2
  return z < 0 ? half : 1 - half
}

/** z with P(Z ≤ z) = p, 0 < p < 1, within 4.5·10⁻⁴ (Abramowitz and Stegun, 26.2.23). */
export const normalQuantile = (p: number): number => {
  const t = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)))
  const z =
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  return p < 0.5 ? -z : z
}
