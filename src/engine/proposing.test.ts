import { describe, expect, it } from "vitest"
import type { Ngram } from "../protocol/ngram.ts"
import { identity } from "./compressors/drop.ts"
import { random } from "./compressors/random.ts"
import { fullDecoding, tinyCheckpoint, type Trial, trial } from "./engine.fixture.ts"

const checkpoint = tinyCheckpoint(3)
const ngram: Ngram = { numSpeculativeTokens: 4, promptLookupMin: 1, promptLookupMax: 3 }
/** Texts in which much stands twice. */
const asked = [3, 5, 7].map((step) => ({
  prompt: Array.from({ length: 48 }, (_, i) => ((i % 19) * (i % 19) * step) % 61),
  output: 40
}))
const drafting = { checkpoint, kind: "vericache", keep: 0.3, window: 8, asked } satisfies Trial

describe("an n-gram drafter", () => {
  it("under the compressed KV leaves the output as it is, in fewer steps", async () => {
    const full = await fullDecoding(drafting)
    const plain = await trial({ ...drafting, compressor: identity })
    const with3 = await trial({ ...drafting, compressor: identity, ngram })
    expect(plain.produced).toEqual(full)
    expect(with3.produced).toEqual(full)
    expect(plain.proposals).toEqual({ proposed: 0, agreed: 0 })
    expect(with3.proposals.agreed).toBeGreaterThan(0)
    expect(with3.proposals.proposed).toBeGreaterThan(with3.proposals.agreed)
    // Several tokens a step, and as many steps a round: rounds are longer, and all of them still agree.
    expect(with3.drafted).toBe(with3.accepted)
    expect(with3.commits.length).toBeLessThan(plain.commits.length)
    expect([with3.leaked, with3.hostBytesLeft, with3.buffersLeft]).toEqual([0, 0, 0])
  })

  it("has the compressed KV draft what it would have drafted token by token", async () => {
    const first = async (options: Partial<Trial>): Promise<readonly (readonly number[])[]> => {
      const { commits } = await trial({ ...drafting, compressor: random, window: 12, ...options })
      return asked.map((_, id) => {
        const round = commits.find(
          ({ request, accepted, rejected }) => request === id && accepted + rejected.length > 0
        )!
        return [...round.tokens.slice(0, round.accepted), ...round.rejected]
      })
    }
    const [plain, proposed] = [await first({}), await first({ ngram })]
    for (const [id, drafts] of proposed.entries()) {
      const common = Math.min(drafts.length, plain[id]!.length)
      expect(common).toBeGreaterThan(5)
      expect(drafts.slice(0, common)).toEqual(plain[id]!.slice(0, common))
    }
  })

  it("directly under full KV leaves the output as it is, several tokens a step", async () => {
    const full = await fullDecoding(drafting)
    const { produced, proposals, commits, leaked, hostBytesLeft, buffersLeft } = await trial({
      ...drafting,
      kind: "drafter",
      ngram
    })
    expect(produced).toEqual(full)
    expect(proposals.agreed).toBeGreaterThan(0)
    expect(commits.some(({ tokens }) => tokens.length > 2)).toBe(true)
    expect([leaked, hostBytesLeft, buffersLeft]).toEqual([0, 0, 0])
  })

  it.each(["coupled", "speculative"] as const)("keeps sampled output, %s on full KV", async (mode) => {
    const sampling = { temperature: 0.8, topK: 20, topP: 0.95, repetitionPenalty: 1.1, seed: 5, mode }
    const sampled = { ...drafting, asked: asked.map((one) => ({ ...one, sampling })) }
    const full = await fullDecoding(sampled)
    expect((await trial({ ...sampled, kind: "drafter", ngram })).produced).toEqual(full)
    if (mode === "coupled")
      expect((await trial({ ...sampled, compressor: random, ngram })).produced).toEqual(full)
  })
})
