/** Sampling through the whole engine: seeded draws equal the full-KV run's, speculative ones follow its distribution. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { Ngram } from "../protocol/ngram.ts"
import { COMPRESSORS } from "./compressors/registry.ts"
import type { Compressor } from "./compressors/compressor.ts"
import { RAW } from "./compressors/keep.ts"
import { type Asked, fullDecoding, tinyCheckpoint, trial, type TrialResult } from "./engine.fixture.ts"
import { GREEDY, KEPT_DISTRIBUTIONS, type Sampling } from "./kernels/choose.ts"
import { noise } from "./kernels/kernel.fixture.ts"
import { ReferenceDecoder } from "./model/reference.ts"

const named = (name: string): Compressor => COMPRESSORS.find((one) => one.name === name)!

describe("seeded coupled sampling", () => {
  const checkpoint = tinyCheckpoint(3)
  const asked: readonly Asked[] = [
    { temperature: 0.7, topP: 0.9, seed: 1 },
    { temperature: 1.3, topK: 12, seed: 2 },
    { temperature: 1, repetitionPenalty: 1.2, seed: 3 },
    { temperature: 0.7, topP: 0.9, seed: 4 }
  ].map((fields, i) => ({
    prompt: Array.from(noise(50 + 20 * (i % 3), 1 + (i % 3)), (value) => Math.floor(30 * (value + 1))),
    output: 12,
    sampling: { ...GREEDY, ...fields }
  }))

  it("yields the tokens of the seeded full-KV run, whatever drafts", async () => {
    const expected = await fullDecoding({ checkpoint, kind: "full", asked })
    // The first and the last have the same prompt, and seeds of their own.
    expect(expected[0]).not.toEqual(expected[3])
    for (const name of ["snapkv", "kivi-2", "random"]) {
      const result = await trial({
        checkpoint,
        kind: "vericache",
        compressor: named(name),
        keep: 0.3,
        window: 5,
        asked
      })
      expect([name, result.produced]).toEqual([name, expected])
    }
  })
})

/** Keeps nothing: drafts attend to what they drafted. */
const forgetful: Compressor = {
  ...named("random"),
  needs: {},
  compress: ({ tokens, layers, kvHeads }) => ({
    tailStart: tokens,
    kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => new Uint32Array(0))),
    format: RAW
  })
}

const VOCAB = 4
/** Few, for the engine is slow on software; kernels/choose.test.ts draws by the thousand. */
const REQUESTS = 64
/** With 15 degrees of freedom, more comes once in 10,000 times. */
const CRITICAL = 44.3

describe("speculative sampling", () => {
  const checkpoint = tinyCheckpoint(5, { vocab: VOCAB })
  const prompt = Array.from(noise(60, 9), (value) => Math.floor(2 * (value + 1)))
  const sampling: Sampling = { ...GREEDY, temperature: 1.5, mode: "speculative" }

  /** Probability of each two first tokens under full KV; the second is drafted. */
  const target = (): readonly number[] => {
    const decoder = Effect.runSync(ReferenceDecoder.load(checkpoint))
    const softmax = (logits: Float32Array): readonly number[] => {
      const weights = Array.from(logits, (value) => Math.exp(value / sampling.temperature))
      const total = weights.reduce((sum, one) => sum + one, 0)
      return weights.map((one) => one / total)
    }
    let logits = new Float32Array(0) as Float32Array
    for (const [position, token] of prompt.entries()) logits = decoder.step(token, position)
    return softmax(logits).flatMap((p, a) => {
      const second = softmax(decoder.step(a, prompt.length))
      return second.map((q) => p * q)
    })
  }

  const drawn = (
    compressor: Compressor,
    { window = 1, output = 3, ...more }: { window?: number; output?: number; ngram?: Ngram } = {}
  ): Promise<TrialResult> =>
    trial({
      ...more,
      checkpoint,
      kind: "vericache",
      compressor,
      keep: 0.1,
      window,
      kvBits: 32,
      maxTokens: 64,
      slots: 32,
      maxRows: 128,
      maxNumBatchedTokens: 256,
      asked: Array.from({ length: REQUESTS }, (_, i) => ({
        prompt,
        output,
        sampling: { ...sampling, seed: 1000 + i }
      }))
    })

  const statistic = (produced: TrialResult["produced"]): number => {
    const counts = new Map<number, number>()
    for (const [a, b] of produced) {
      const outcome = a! * VOCAB + b!
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    }
    return target().reduce((sum, p, outcome) => {
      const expected = p * produced.length
      return sum + ((counts.get(outcome) ?? 0) - expected) ** 2 / expected
    }, 0)
  }

  const lookup: Ngram = { numSpeculativeTokens: 2, promptLookupMin: 1, promptLookupMax: 2 }
  it.each([
    ["full KV", named("identity"), {}],
    ["a cache of nothing", forgetful, {}],
    ["a cache of nothing, checking proposals,", forgetful, { window: 2, output: 4, ngram: lookup }]
  ] as const)("follows the distribution of full KV when %s drafts", async (name, compressor, more) => {
    const result = await drawn(compressor, more)
    const least = Math.min(...target()) * REQUESTS
    expect(least).toBeGreaterThan(0.5)
    // Drafts from the target's own distribution are all kept; others are not.
    if (name === "full KV") expect(result.accepted).toBe(result.drafted)
    else expect(result.accepted).toBeLessThan(0.97 * result.drafted)
    expect(statistic(result.produced)).toBeLessThan(CRITICAL)
    expect(result.proposals.agreed > 0).toBe("ngram" in more)
  })

  it("keeps distributions where something samples so, and takes no room for them elsewhere", async () => {
    const bytes = async (kind: "vericache" | "full", drawing: Sampling): Promise<number> => {
      let allocated = 0
      await trial({
        checkpoint,
        kind,
        compressor: named("identity"),
        slots: 2,
        asked: [{ prompt, output: 3, sampling: drawing }],
        onCommit: ({ state }) => {
          allocated = state.device.allocated.bytes
        }
      })
      return allocated
    }
    const least = 16
    const room = 2 * KEPT_DISTRIBUTIONS * VOCAB * 4 - least
    const greedy = await bytes("vericache", GREEDY)
    expect(await bytes("vericache", { ...sampling, mode: "coupled" })).toBe(greedy)
    expect(await bytes("vericache", { ...sampling, temperature: 0 })).toBe(greedy)
    expect(await bytes("vericache", sampling)).toBe(greedy + room)
  })

  it("is refused by an engine that was opened without room for it", async () => {
    const refused = trial({
      checkpoint,
      kind: "vericache",
      speculative: false,
      asked: [{ prompt, output: 3, sampling }]
    })
    await expect(refused).rejects.toThrow("request 0 samples speculatively")
  })

  it("drafts no more in a round than it keeps distributions of, however long the window", async () => {
    const { commits, drafted, accepted } = await trial({
      checkpoint,
      kind: "sparse",
      compressor: named("identity"),
      window: 100,
      kvBits: 32,
      asked: [{ prompt, output: 150, sampling: { ...sampling, seed: 1 } }]
    })
    const rounds = commits.map((round) => round.accepted + round.rejected.length)
    expect(Math.max(...rounds)).toBe(KEPT_DISTRIBUTIONS)
    // Drafts from the target's own distribution: all are kept if it was remembered rightly.
    expect(accepted).toBe(drafted)
  })
})
