/** Where one thing overtakes another along a field: looked for between places of a grid, then by halves. */
import { Effect } from "effect"

/** A place where the sign changes, `above`: it is positive from there on. */
export interface Crossing {
  readonly at: number
  readonly above: boolean
}

/** Signs along a grid that ascends; undefined where neither can be. */
export interface Signs {
  readonly places: readonly number[]
  readonly signs: readonly (-1 | 0 | 1 | undefined)[]
}

/** Found to this ratio, or difference of whole numbers. */
const PRECISION = 1.01

const halfway = (low: number, high: number, whole: boolean): number => {
  const middle = low > 0 ? Math.sqrt(low * high) : (low + high) / 2
  return whole ? Math.round(middle) : middle
}

const isNear = (low: number, high: number, whole: boolean): boolean =>
  whole && high - low <= 1
    ? true
    : low > 0
      ? high / low <= PRECISION
      : high - low <= (PRECISION - 1) * Math.abs(high)

/** Every change of sign that the grid shows; two between neighbours are not seen. */
export const crossings = Effect.fnUntraced(function* <E, R>(
  { places, signs }: Signs,
  signAt: (place: number) => Effect.Effect<-1 | 0 | 1 | undefined, E, R>,
  whole: boolean
) {
  const found: Crossing[] = []
  for (let i = 1; i < places.length; i++) {
    const [before, after] = [signs[i - 1], signs[i]]
    if (before === undefined || after === undefined || before === after || after === 0) continue
    let [low, high] = [places[i - 1]!, places[i]!]
    while (!isNear(low, high, whole)) {
      const middle = halfway(low, high, whole)
      const sign = yield* signAt(middle)
      if (sign === undefined) break
      if (sign === after) high = middle
      else low = middle
    }
    found.push({ at: high, above: after > 0 })
  }
  return found
})
