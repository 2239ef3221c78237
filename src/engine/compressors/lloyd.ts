/** Levels for non-uniform codes. */

/** A value scaled to its group's middle and reach, in [-1, 1], and what an error in it counts. */
export interface Sample {
  readonly at: number
  readonly weight: number
}

const ROUNDS = 24

/** `count` (a power of two) ascending levels of least weighted squared error among samples, by Lloyd's algorithm from even spacing. */
export const lloyd = (samples: readonly Sample[], count: number): Float32Array => {
  let levels = Float64Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1)
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Float64Array(count)
    const weights = new Float64Array(count)
    for (const { at, weight } of samples) {
      // Levels ascend, so the nearest is where the middles between neighbours say.
      let nearest = 0
      for (let step = count / 2; step >= 1; step /= 2) {
        const next = nearest + step
        if (at > (levels[next - 1]! + levels[next]!) / 2) nearest = next
      }
      sums[nearest]! += weight * at
      weights[nearest]! += weight
    }
    levels = levels.map((level, i) => (weights[i]! > 0 ? sums[i]! / weights[i]! : level))
  }
  return Float32Array.from(levels)
}
