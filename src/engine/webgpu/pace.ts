/**
 * How long work on the device takes at least, by what like work took before. Node spins a thread while WebGPU has something to
 * tell, so whoever waits first sleeps most of that time; on a software adapter the spinning thread takes a core from the work itself.
 */
import { Clock, Effect } from "effect"
import type { Device } from "./device.ts"

/** What one submission was, and how long it took in milliseconds. */
interface Seen {
  readonly rows: number
  readonly milliseconds: number
}

/** Submissions of a size that are remembered: one that was held up must not make the next oversleep. */
const REMEMBERED = 4

export class Pace {
  /** By powers of two of rows, the last few submissions, a step each. */
  readonly #seen = new Map<number, Seen[]>()

  /** Milliseconds that `steps` steps of `rows` rows take at least; 0 where nothing of the size was seen. */
  atLeast(rows: number, steps: number): number {
    const seen = this.#seen.get(size(rows)) ?? []
    if (seen.length === 0) return 0
    // More rows take longer, but not more than as many times as long.
    return steps * Math.min(...seen.map((one) => one.milliseconds * Math.min(1, rows / one.rows)))
  }

  /** Submits and awaits `steps` steps of `rows` rows, and remembers how long they took. */
  around<A, E>(device: Device, rows: number, steps: number, work: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.gen({ self: this }, function* () {
      const clock = yield* Clock.Clock
      const begun = clock.currentTimeNanosUnsafe()
      yield* device.expect(this.atLeast(rows, steps))
      const done = yield* work
      this.took(rows, steps, Number(clock.currentTimeNanosUnsafe() - begun) / 1e6)
      return done
    })
  }

  took(rows: number, steps: number, milliseconds: number): void {
    const seen = this.#seen.get(size(rows)) ?? []
    this.#seen.set(size(rows), [...seen, { rows, milliseconds: milliseconds / steps }].slice(-REMEMBERED))
  }
}

const size = (rows: number): number => Math.floor(Math.log2(rows))
