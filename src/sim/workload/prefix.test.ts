import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { PrefixCache } from "./prefix.ts"

/** The same cache, written to be obvious: each block with the time of its last use. */
class NaiveCache {
  #held: { block: number; used: number }[] = []
  #now = 0
  readonly #capacity: number
  constructor(capacity: number) {
    this.#capacity = capacity
  }
  lookup(blocks: readonly number[]): number {
    const miss = blocks.findIndex((block) => !this.#held.some((entry) => entry.block === block))
    const hits = miss < 0 ? blocks.length : miss
    this.#touch(blocks.slice(0, hits))
    return hits
  }
  insert(blocks: readonly number[]): number {
    this.#touch(blocks.slice(0, this.#capacity))
    const kept = this.#held.toSorted((a, b) => b.used - a.used).slice(0, this.#capacity)
    const evicted = this.#held.length - kept.length
    this.#held = kept
    return evicted
  }
  #touch(blocks: readonly number[]): void {
    for (const block of blocks.toReversed()) {
      this.#held = [...this.#held.filter((entry) => entry.block !== block), { block, used: this.#now++ }]
    }
  }
}

const prompts = fc.array(
  fc.record({ insert: fc.boolean(), blocks: fc.array(fc.nat(12), { maxLength: 6 }) }),
  { maxLength: 40 }
)

describe("PrefixCache", () => {
  it("holds what the naive cache holds", () => {
    fc.assert(
      fc.property(fc.nat(10), prompts, (capacity, prompts) => {
        const cache = new PrefixCache(capacity)
        const naive = new NaiveCache(capacity)
        for (const { insert, blocks } of prompts) {
          if (insert) expect(cache.insert(blocks)).toBe(naive.insert(blocks))
          else expect(cache.lookup(blocks)).toBe(naive.lookup(blocks))
        }
      })
    )
  })

  it("never holds more than its capacity, and finds a prompt it has just been given", () => {
    fc.assert(
      fc.property(fc.nat(10), prompts, (capacity, prompts) => {
        const cache = new PrefixCache(capacity)
        for (const { blocks } of prompts) {
          cache.insert(blocks)
          expect(cache.size).toBeLessThanOrEqual(capacity)
          expect(cache.lookup(blocks)).toBeGreaterThanOrEqual(Math.min(blocks.length, capacity))
        }
      })
    )
  })

  it("keeps the head of a prompt longer than its tail", () => {
    const cache = new PrefixCache(4)
    cache.insert([1, 2, 3])
    expect(cache.insert([7, 8])).toBe(1)
    expect(cache.lookup([1, 2, 3])).toBe(2)
  })

  it("counts only leading blocks", () => {
    const cache = new PrefixCache(4)
    cache.insert([1, 2])
    expect(cache.lookup([9, 1, 2])).toBe(0)
    expect(cache.lookup([1, 9, 2])).toBe(1)
  })
})
