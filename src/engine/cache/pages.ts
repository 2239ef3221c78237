/** Pages of device memory, by number. Never hands out a page twice, never takes one back that was not out. */
export class PageAllocator {
  readonly capacity: number
  readonly #free: number[]
  readonly #out: Uint8Array
  #peak = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#free = Array.from({ length: capacity }, (_, i) => capacity - 1 - i)
    this.#out = new Uint8Array(capacity)
  }

  get used(): number {
    return this.capacity - this.#free.length
  }

  /** Most pages ever out at once. */
  get peak(): number {
    return this.#peak
  }

  /** Takes `count` pages; undefined, and nothing taken, if they are not free. */
  take(count: number): number[] | undefined {
    if (count > this.#free.length) return undefined
    const pages = this.#free.splice(this.#free.length - count, count)
    for (const page of pages) this.#out[page] = 1
    this.#peak = Math.max(this.#peak, this.used)
    return pages
  }

  give(pages: readonly number[]): void {
    for (const page of pages) {
      if (this.#out[page] !== 1) throw new Error(`page ${page} is given back twice`)
      this.#out[page] = 0
      this.#free.push(page)
    }
  }
}
