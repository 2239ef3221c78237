/** Paged KV memory: how many pages a context takes, who holds how many, and when growing requests need the next one. */

/** Bytes and pages of a model's KV cache on one tensor-parallel group (all ranks together). */
export interface KvLayout {
  /** Tokens of one page (vLLM: block_size). */
  readonly pageTokens: number
  /** Bytes of one token in layers that keep the whole context. */
  readonly globalBytesPerToken: number
  /** Bytes of one token in sliding-window layers, 0 if there are none. */
  readonly localBytesPerToken: number
  /** Window of those layers, tokens. */
  readonly window: number
}

/** Tokens a sliding-window layer keeps of a context. */
export const localTokens = (layout: KvLayout, tokens: number): number =>
  layout.localBytesPerToken === 0 ? 0 : Math.min(tokens, layout.window)

/** Bytes of the full KV of `tokens` tokens. */
export const kvBytes = (layout: KvLayout, tokens: number): number =>
  layout.globalBytesPerToken * tokens + layout.localBytesPerToken * localTokens(layout, tokens)

export const pageBytes = (layout: KvLayout): number => layout.pageTokens * layout.globalBytesPerToken

/** Pages that hold `entries` entries of the growing layers. */
export const growingPages = (layout: KvLayout, entries: number): number =>
  Math.ceil(entries / layout.pageTokens)

/** Pages a context of `tokens` holds for its sliding-window layers, whatever it grows to: a whole window once it is that long. */
export const localPages = (layout: KvLayout, tokens: number): number =>
  layout.localBytesPerToken === 0
    ? 0
    : Math.ceil((layout.localBytesPerToken * localTokens(layout, tokens)) / pageBytes(layout))

/** Pages of a whole context. */
export const contextPages = (layout: KvLayout, tokens: number): number =>
  growingPages(layout, tokens) + localPages(layout, tokens)

/** Pages of HBM. Never hands out more than there are. */
export class PagePool {
  readonly capacity: number
  #used = 0
  #peak = 0
  #taken = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get used(): number {
    return this.#used
  }
  get free(): number {
    return this.capacity - this.#used
  }
  get peak(): number {
    return this.#peak
  }

  /** Pages ever taken. Free pages are taken in the order they became free, so this says which of those given back still hold what they held. */
  get taken(): number {
    return this.#taken
  }

  /** Takes `pages` if they are free; says whether it did. */
  take(pages: number): boolean {
    if (!(pages >= 0)) throw new Error(`cannot take ${pages} pages`)
    if (pages > this.free) return false
    this.#used += pages
    this.#taken += pages
    if (this.#used > this.#peak) this.#peak = this.#used
    return true
  }

  give(pages: number): void {
    if (!(pages >= 0 && pages <= this.#used))
      throw new Error(`pages given back twice: ${pages} of ${this.#used}`)
    this.#used -= pages
  }
}

/**
 * Requests that grow by one entry a step cross into a new page every `pageTokens` steps, each at its own phase. Counting
 * the phases answers "how many pages will the next n steps need" without looking at the requests.
 */
export class Growth {
  readonly #phase: Int32Array
  #count = 0

  constructor(pageTokens: number) {
    this.#phase = new Int32Array(pageTokens)
  }

  /** A request with `entries` entries starts to grow at `step`. */
  join(entries: number, step: number): void {
    this.#phase[this.#slot(entries, step)]! += 1
    this.#count++
  }

  /** It stops; the same arguments as for `join`. */
  leave(entries: number, step: number): void {
    this.#phase[this.#slot(entries, step)]! -= 1
    this.#count--
  }

  /** Pages needed to run step number `step`. */
  need(step: number): number {
    return this.#phase[step % this.#phase.length]!
  }

  /** Most steps from `step` on, at most `limit`, whose pages fit into `free`. */
  stepsWithin(step: number, free: number, limit: number): number {
    if (this.#count === 0) return limit
    const period = this.#phase.length
    const whole = Math.floor(free / this.#count)
    let left = free - whole * this.#count
    let steps = whole * period
    while (steps < limit) {
      left -= this.need(step + steps)
      if (left < 0) break
      steps++
    }
    return Math.min(steps, limit)
  }

  // The page for entry e is needed by the step that writes it, if e is the first of a page.
  #slot(entries: number, step: number): number {
    const period = this.#phase.length
    return (((step - entries) % period) + period) % period
  }
}
