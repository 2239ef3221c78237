/** Latin hypercube sample: cut each dimension into as many strata as there are points; every stratum gets one. */
import { Random } from "../../sim/kernel/random.ts"

/** The numbers 0 … n − 1 in random order (Fisher–Yates). */
export const shuffled = (n: number, random: Random): readonly number[] => {
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/**
 * `count` points in [0, 1)^`dimensions`, `result[point][dimension]`, uniform within their strata. A dimension's draws do not
 * depend on how many others there are. M. D. McKay, R. J. Beckman and W. J. Conover, Technometrics 21(2), 1979.
 */
export const latinHypercube = (
  count: number,
  dimensions: number,
  seed: number
): readonly (readonly number[])[] => {
  const columns = Array.from({ length: dimensions }, (_, dimension) => {
    const random = new Random(seed, "latin hypercube", dimension)
    return shuffled(count, random).map((stratum) => (stratum + random.uniform()) / count)
  })
  return Array.from({ length: count }, (_, point) => columns.map((column) => column[point]!))
}
