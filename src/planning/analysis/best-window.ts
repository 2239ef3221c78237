/** The best whole number of a range, where trying one is dear and what it brings rises and then falls, but for chance. */
import { Effect } from "effect"

export interface Best {
  readonly at: number
  readonly value: number
}

/** Ever finer around the best so far: neighbours are tried halfway, until they are next to it. `values` are tried all at once. */
export const bestWhole = Effect.fnUntraced(function* <E, R>(
  least: number,
  most: number,
  valuesAt: (places: readonly number[]) => Effect.Effect<readonly (number | undefined)[], E, R>
) {
  const known = new Map<number, number | undefined>()
  const look = Effect.fnUntraced(function* (places: readonly number[]) {
    const fresh = [...new Set(places)].filter((place) => !known.has(place))
    if (fresh.length === 0) return
    const values = yield* valuesAt(fresh)
    fresh.forEach((place, i) => known.set(place, values[i]))
  })
  const first: number[] = [least, most]
  for (let place = Math.max(1, least); place < most; place *= 2) first.push(place)
  yield* look(first.filter((place) => place >= least))
  for (;;) {
    const seen = [...known].flatMap(([at, value]) => (value === undefined ? [] : [{ at, value }]))
    const best = seen.reduce<Best | undefined>(
      (top, one) =>
        top === undefined || one.value > top.value || (one.value === top.value && one.at < top.at)
          ? one
          : top,
      undefined
    )
    if (best === undefined) return undefined
    const places = [...known.keys()].toSorted((a, b) => a - b)
    const place = places.indexOf(best.at)
    const beside = [places[place - 1], places[place + 1]].flatMap((other) =>
      other === undefined || Math.abs(other - best.at) < 2 ? [] : [Math.round((other + best.at) / 2)]
    )
    if (beside.length === 0) return best
    yield* look(beside)
  }
})
