import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { coupledSample, matchCommit, sample, speculativeCommit } from "./commit.ts"

const VOCABULARY = 7

/** A small integer that depends on every token of a prefix: a deterministic language model. */
const hash = (salt: number, prefix: readonly number[]): number =>
  prefix.reduce((h, token) => Math.imul(h ^ (token + 1), 0x01000193) >>> 0, (salt ^ 0x811c9dc5) >>> 0)

const distribution = (salt: number, prefix: readonly number[]): Float64Array => {
  const weights = Float64Array.from(
    { length: VOCABULARY },
    (_, token) => (hash(salt + token, prefix) % 1000) + 1
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** Decodes in rounds of the given windows with any drafter, or one by one. */
const decode = (
  length: number,
  windows: readonly number[],
  draft: (prefix: readonly number[]) => number,
  verify: (prefix: readonly number[]) => number
): readonly number[] => {
  const output: number[] = []
  for (let round = 0; output.length < length; round++) {
    const drafted: number[] = []
    for (let i = 0; i < windows[round % windows.length]!; i++) drafted.push(draft([...output, ...drafted]))
    const verifier = Array.from({ length: drafted.length + 1 }, (_, i) =>
      verify([...output, ...drafted.slice(0, i)])
    )
    output.push(...matchCommit(drafted, verifier).tokens)
  }
  return output.slice(0, length)
}

const uniform =
  (salt: number) =>
  (position: number): number =>
    (hash(salt, [position]) % 9973) / 9973 + 1e-6

describe("the commit rules", () => {
  const setting = fc.record({
    model: fc.nat(1000),
    drafter: fc.nat(1000),
    /** Of 10, how often the drafter agrees on purpose; otherwise it says what it likes. */
    skill: fc.nat(10),
    length: fc.integer({ min: 1, max: 60 }),
    windows: fc.array(fc.nat(12), { minLength: 1, maxLength: 6 })
  })

  it("greedy: rounds with any drafter and any windows give full decoding's tokens", () => {
    fc.assert(
      fc.property(setting, ({ model, drafter, skill, length, windows }) => {
        const verify = (prefix: readonly number[]): number => hash(model, prefix) % VOCABULARY
        const draft = (prefix: readonly number[]): number =>
          hash(drafter, prefix) % 10 < skill ? verify(prefix) : hash(drafter + 1, prefix) % VOCABULARY
        expect(decode(length, windows, draft, verify)).toEqual(decode(length, [0], draft, verify))
      }),
      { numRuns: 1000 }
    )
  })

  it("coupled sampling: seeded rounds give the seeded full-KV run, token by token", () => {
    fc.assert(
      fc.property(setting, ({ model, drafter, length, windows }) => {
        const random = uniform(drafter)
        const verify = (prefix: readonly number[]): number =>
          coupledSample(distribution(model, prefix), prefix.length, random)
        // The drafter draws from a distribution of its own with the position's random number.
        const draft = (prefix: readonly number[]): number =>
          coupledSample(distribution(drafter, prefix), prefix.length, random)
        expect(decode(length, windows, draft, verify)).toEqual(decode(length, [0], draft, verify))
      }),
      { numRuns: 500 }
    )
  })

  it("matching commits the accepted tokens and one more", () => {
    expect(matchCommit([1, 2, 3], [1, 2, 9, 4])).toEqual({ tokens: [1, 2, 9], accepted: 2 })
    expect(matchCommit([1, 2, 3], [1, 2, 3, 4])).toEqual({ tokens: [1, 2, 3, 4], accepted: 3 })
    expect(matchCommit([], [5])).toEqual({ tokens: [5], accepted: 0 })
  })

  it("speculative sampling commits tokens as the verifier alone would draw them (chi-square)", () => {
    const p = distribution(3, [])
    const q = distribution(11, [])
    const draws = 200_000
    const counts = new Float64Array(VOCABULARY)
    let state = 12_345
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return (state + 0.5) / 2 ** 32
    }
    for (let i = 0; i < draws; i++) {
      const drafted = [sample(q, random())]
      counts[speculativeCommit(drafted, [q], [p, p], random).tokens[0]!]!++
    }
    const chi = counts.reduce(
      (sum, count, token) => sum + (count - draws * p[token]!) ** 2 / (draws * p[token]!),
      0
    )
    // 6 degrees of freedom: 22.46 is exceeded once in a thousand.
    expect(chi).toBeLessThan(22.46)
  })

  it("speculative sampling accepts everything from an equal drafter", () => {
    const p = distribution(5, [])
    const { accepted, tokens } = speculativeCommit([0, 1, 2], [p, p, p], [p, p, p, p], () => 0.999)
    expect([accepted, tokens.length]).toEqual([3, 4])
  })
})
