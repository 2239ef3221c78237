/** Tells when a movement has come to rest: browsers count changes of addresses, so a gesture changes it once, at its end. */

/** Frames without another movement. */
const FRAMES = 10

export class Rest {
  readonly #told: () => void
  #frame = 0

  constructor(told: () => void) {
    this.#told = told
  }

  /** Something moved and is not told yet. */
  get pending(): boolean {
    return this.#frame !== 0
  }

  /** Something moved. */
  moved(): void {
    this.stop()
    let left = FRAMES
    const count = (): void => {
      if (left-- > 0) this.#frame = requestAnimationFrame(count)
      else {
        this.#frame = 0
        this.#told()
      }
    }
    this.#frame = requestAnimationFrame(count)
  }

  /** Nothing is told of what moved. */
  stop(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }
}
