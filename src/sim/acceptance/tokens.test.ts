import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { matchCommit } from "../../protocol/commit.ts"
import { makeAcceptance } from "./acceptance.ts"
import { referenceToken, roundTokens } from "./tokens.ts"

const text = fc.record({ seed: fc.integer(), vocab: fc.integer({ min: 2, max: 200_000 }) })

describe("synthetic rounds", () => {
  it("make the commit rule accept exactly what they were told", () => {
    fc.assert(
      fc.property(
        text,
        fc.nat(1e6),
        fc.nat(1e6),
        fc.nat(60),
        fc.nat(60),
        (text, request, start, drafted, wish) => {
          const accepted = Math.min(drafted, wish)
          const round = roundTokens(text, request, start, drafted, accepted)
          expect(matchCommit(round.drafted, round.verifier).accepted).toBe(accepted)
        }
      )
    )
  })

  it("chain to the reference's output, whatever was accepted", () => {
    fc.assert(
      fc.property(text, fc.nat(1e6), fc.integer({ min: 1, max: 40 }), (text, request, window) => {
        const origin = { basis: "assumed", source: "test" } as const
        const model = makeAcceptance({ origin, kind: "iid", alpha: 0.8 }, text.seed)
        const output: number[] = []
        for (let round = 1; round <= 10; round++) {
          const accepted = model.accepted(request, round, window, 0)
          const { drafted, verifier } = roundTokens(text, request, output.length, window, accepted)
          output.push(...matchCommit(drafted, verifier).tokens)
        }
        expect(output).toEqual(output.map((_, position) => referenceToken(text, request, position)))
      })
    )
  })

  it("spread the reference over the vocabulary", () => {
    const counts = Array.from({ length: 16 }, () => 0)
    for (let i = 0; i < 16_000; i++) counts[referenceToken({ seed: 3, vocab: 16 }, i % 10, i)]!++
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    // 99.9 % quantile of χ² with 15 degrees of freedom.
    expect(chiSquare).toBeLessThan(37.7)
  })
})
