import { Effect } from "effect"

/**
 * An unbounded mailbox with one reader. Offering never waits; the reader takes everything there is at once and parks when
 * there is nothing. Back-pressure is the scheduler's business: it gives no order it has not reserved for.
 */
export class Mailbox<A> {
  #letters: A[] = []
  #wake: ((letters: Effect.Effect<readonly A[]>) => void) | undefined

  /** Letters waiting. */
  get size(): number {
    return this.#letters.length
  }

  offer(letter: A): void {
    this.#letters.push(letter)
    const wake = this.#wake
    if (wake === undefined) return
    this.#wake = undefined
    wake(Effect.sync(() => this.#empty()))
  }

  /** All letters, at least one, in the order they came. */
  readonly take: Effect.Effect<readonly A[]> = Effect.suspend(() =>
    this.#letters.length > 0
      ? Effect.succeed(this.#empty())
      : Effect.callback<readonly A[]>((resume) => {
          this.#wake = resume
          return Effect.sync(() => {
            this.#wake = undefined
          })
        })
  )

  #empty(): readonly A[] {
    const letters = this.#letters
    this.#letters = []
    return letters
  }
}
