/**
 * Where the beginning of a run ends. A run starts empty, so what it shows first is not what it shows in the long run.
 * MSER-5 cuts where what is left is the most precise about its mean: of means of five, the first d are dropped that make the
 * standard error of the others least. K. P. White, "An effective truncation heuristic for bias reduction in simulation
 * output", Simulation 69 (1997); the batches of five are White, Cobb and Spratt's (Winter Simulation Conference 2000).
 */

const BATCH = 5

export interface WarmUp {
  /** Values to leave out from the beginning. */
  readonly drop: number
  /** The minimum lies within the first half: the rule's own condition. If not, the run is too short to have settled. */
  readonly settled: boolean
}

export const warmUpOf = (values: readonly number[]): WarmUp => {
  const batches = Math.floor(values.length / BATCH)
  const means = Array.from({ length: batches }, (_, i) => {
    let sum = 0
    for (let k = 0; k < BATCH; k++) sum += values[i * BATCH + k]!
    return sum / BATCH
  })
  // From the end, so that sums of what is left are at hand.
  let [count, sum, squares] = [0, 0, 0]
  let best = { error: Number.POSITIVE_INFINITY, drop: 0 }
  const shift = means.at(-1) ?? 0
  for (let d = batches - 1; d >= 0; d--) {
    const value = means[d]! - shift
    count++
    sum += value
    squares += value * value
    // A few values at the end may lie together by chance.
    if (count < BATCH) continue
    const error = (squares - (sum * sum) / count) / (count * count)
    if (error <= best.error) best = { error, drop: d }
  }
  return { drop: best.drop * BATCH, settled: best.drop <= batches / 2 }
}
