/**
 * Which prefix blocks a cache holds. A block's id stands for its tokens and all before them, as in Mooncake's traces, so a
 * cache hit is the longest run of leading blocks that are present. The least recently used block goes first, and of one
 * prompt its last: a head may serve others, a tail without its head serves nobody.
 */
export class PrefixCache {
  readonly #capacity: number
  /** Block ids in order of use, least recent first. */
  readonly #blocks = new Set<number>()
  /** Walks the blocks from the least recent on. All it has passed are gone, so it need never start over. */
  readonly #oldest = this.#blocks.values()

  /** `capacity` in blocks. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Blocks held. */
  get size(): number {
    return this.#blocks.size
  }

  /** Number of leading blocks that are present; they count as used now. */
  lookup(blocks: readonly number[]): number {
    let hits = 0
    while (hits < blocks.length && this.#blocks.has(blocks[hits]!)) hits++
    this.#use(blocks, hits)
    return hits
  }

  /** Adds a prompt's blocks, as many leading ones as fit, and returns how many others had to go. */
  insert(blocks: readonly number[]): number {
    const before = this.#blocks.size
    const added = this.#use(blocks, Math.min(blocks.length, this.#capacity))
    const evicted = Math.max(0, before + added - this.#capacity)
    for (let i = 0; i < evicted; i++) this.#blocks.delete(this.#oldest.next().value!)
    return evicted
  }

  /** Makes the first `count` blocks the most recent, the very first most of all. Returns how many were new. */
  #use(blocks: readonly number[], count: number): number {
    let added = 0
    for (let i = count - 1; i >= 0; i--) {
      if (!this.#blocks.delete(blocks[i]!)) added++
      this.#blocks.add(blocks[i]!)
    }
    return added
  }
}
