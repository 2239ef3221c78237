/** Repeated timings of one thing, and whether they can be trusted. */
import { Clock, Effect } from "effect"

export interface Timing {
  /** Median seconds. */
  readonly seconds: number
  /** Middle half of the repetitions over their median: how noisy they are. */
  readonly spread: number
  readonly repetitions: number
  /** Seconds of each, in the order they were made. */
  readonly all: readonly number[]
}

/** Beyond this spread a figure says more of its neighbours on the machine than of the adapter. */
export const NOISY = 0.2

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!

export const timingOf = (seconds: readonly number[]): Timing => {
  const sorted = seconds.toSorted((a, b) => a - b)
  const median = at(sorted, 0.5)
  return {
    seconds: median,
    spread: median > 0 ? (at(sorted, 0.75) - at(sorted, 0.25)) / median : 0,
    repetitions: seconds.length,
    all: seconds
  }
}

/** Times `work`, warmed up by one that does not count. */
export const timed = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  repetitions: number
): Effect.Effect<Timing, E, R> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    yield* work
    const seconds: number[] = []
    for (let i = 0; i < repetitions; i++) {
      const start = clock.currentTimeNanosUnsafe()
      yield* work
      seconds.push(Number(clock.currentTimeNanosUnsafe() - start) / 1e9)
    }
    return timingOf(seconds)
  })
