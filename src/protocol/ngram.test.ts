import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { lookupBounds, type Ngram, proposeNgram } from "./ngram.ts"

const ngram = (min: number, max: number, count: number): Ngram => ({
  numSpeculativeTokens: count,
  promptLookupMin: min,
  promptLookupMax: max
})

describe("the n-gram drafter", () => {
  it("proposes what followed the longest run of last tokens, at its first place", () => {
    const text = [1, 2, 3, 9, 2, 3, 8, 7, 1, 2, 3]
    expect(proposeNgram(text, ngram(1, 3, 2))).toEqual([9, 2])
    expect(proposeNgram(text, ngram(2, 2, 4))).toEqual([9, 2, 3, 8])
    // Of [2, 3] the first place counts, though the second is nearer.
    expect(proposeNgram([2, 3, 8, 2, 3, 9, 2, 3], ngram(1, 2, 1))).toEqual([8])
  })

  it("proposes what there is when less than asked for follows, and nothing where nothing repeats", () => {
    expect(proposeNgram([4, 4], ngram(1, 5, 3))).toEqual([4])
    expect(proposeNgram([1, 2, 3, 1], ngram(2, 3, 3))).toEqual([])
    expect(proposeNgram([7], ngram(1, 5, 3))).toEqual([])
    expect(proposeNgram([], ngram(1, 5, 3))).toEqual([])
    expect(proposeNgram([5, 5, 5], ngram(1, 2, 3), 0)).toEqual([])
  })

  it("takes one bound for both, and vLLM's where there is none", () => {
    expect(lookupBounds(undefined, undefined)).toEqual({ promptLookupMin: 5, promptLookupMax: 5 })
    expect(lookupBounds(2, undefined)).toEqual({ promptLookupMin: 2, promptLookupMax: 2 })
    expect(lookupBounds(undefined, 4)).toEqual({ promptLookupMin: 4, promptLookupMax: 4 })
    expect(lookupBounds(1, 3)).toEqual({ promptLookupMin: 1, promptLookupMax: 3 })
  })

  it("is what a search of all places by length, then by place, finds", () => {
    const cases = fc.record({
      tokens: fc.array(fc.nat(3), { maxLength: 40 }),
      min: fc.integer({ min: 1, max: 4 }),
      more: fc.nat(3),
      count: fc.integer({ min: 1, max: 6 }),
      most: fc.nat(8)
    })
    fc.assert(
      fc.property(cases, ({ tokens, min, more, count, most }) => {
        const places = tokens.flatMap((_, at) =>
          Array.from({ length: more + 1 }, (_length, i) => ({ at, length: min + i }))
        )
        const found = places
          .filter(
            ({ at, length }) =>
              at + length < tokens.length &&
              tokens.slice(at, at + length).join() === tokens.slice(tokens.length - length).join()
          )
          .toSorted((a, b) => b.length - a.length || a.at - b.at)[0]
        const expected =
          found === undefined
            ? []
            : tokens.slice(found.at + found.length, found.at + found.length + Math.min(count, most))
        expect(proposeNgram(tokens, ngram(min, min + more, count), most)).toEqual(expected)
      })
    )
  })
})
