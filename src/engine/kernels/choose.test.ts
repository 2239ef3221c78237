/** Drawing tokens, against the plain TypeScript body: penalty, temperature, top-k, top-p, ties, drafts kept and refused. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fullView } from "../cache/device-cache.ts"
import { ROW } from "../model/forward.ts"
import {
  choose,
  chooseReference,
  GREEDY,
  KEPT_DISTRIBUTIONS,
  type Sampling,
  SAMPLER_WORDS,
  samplerWords
} from "./choose.ts"
import { distance, floatsOf, noise, passWords, runKernel, runs, tinyShape } from "./kernel.fixture.ts"

const MAX_TOKENS = 128

interface Row {
  readonly slot: number
  readonly position: number
  readonly kind: "draft" | "verify" | "drafted"
}

interface Run {
  readonly vocab: number
  readonly lanes: number
  readonly subgroups?: boolean
  readonly logits: readonly Float32Array[]
  /** Of each slot. */
  readonly samplings: readonly Sampling[]
  readonly rows: readonly Row[]
  readonly tokens: Uint32Array
  /** [slot][position % KEPT_DISTRIBUTIONS][token]. */
  readonly drafted: Float32Array
}

/** Draws a token for every row. */
const draw = async (run: Run) => {
  const { vocab, lanes, subgroups = false, logits, samplings, rows, tokens, drafted } = run
  const stride = Math.ceil(vocab / 4) * 4
  const padded = new Float32Array(rows.length * stride).fill(99)
  for (const [i, row] of logits.entries()) padded.set(row, i * stride)
  const samplers = new Uint32Array(samplings.length * SAMPLER_WORDS)
  for (const [slot, sampling] of samplings.entries())
    samplers.set(samplerWords(sampling), slot * SAMPLER_WORDS)
  const flags = { draft: ROW.next, verify: ROW.verify, drafted: ROW.verify | ROW.drafted } as const
  const words = Uint32Array.from(
    rows.flatMap(({ slot, position, kind }) => [fullView(slot), position, position, flags[kind]])
  )
  const step = 2
  const [after, kept, out] = await runKernel(
    choose(tinyShape({ vocab }, { lanes, subgroups, maxTokens: MAX_TOKENS })),
    [
      padded,
      words,
      Uint32Array.from(rows, (_, i) => i),
      passWords(rows.length, rows.length, 0, step),
      tokens,
      samplers,
      new Uint32Array(rows.length * Math.ceil(vocab / 32)).fill(0xffffffff),
      drafted,
      new Uint32Array((step + 1) * rows.length)
    ],
    [rows.length],
    [4, 7, 8]
  )
  return { tokens: after!, drafted: floatsOf(kept!), chosen: out!.subarray(step * rows.length) }
}

const samplings = fc.record({
  temperature: fc.constantFrom(0, 0.3, 1, 1.7),
  topK: fc.constantFrom(0, 1, 5, 40, 500),
  topP: fc.constantFrom(1, 0.999, 0.9, 0.5, 0.01),
  repetitionPenalty: fc.constantFrom(1, 1.3, 0.7),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
  mode: fc.constantFrom("coupled" as const, "speculative" as const)
})

/** A distribution some tokens of which have no mass. */
const distributionOf = (vocab: number, seed: number): Float32Array => {
  const weights = noise(vocab, seed).map((value) => Math.max(0, value) ** 3)
  const total = weights.reduce((sum, one) => sum + one, 0)
  return weights.map((one) => one / total)
}

describe("choose", () => {
  it("draws what its reference draws", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(7, 61, 300),
        fc.constantFrom(1, 8, 64),
        fc.tuple(samplings, samplings),
        fc.integer({ min: 0, max: 1000 }),
        async (vocab, lanes, both, seed) => {
          const tokens = Uint32Array.from({ length: 2 * MAX_TOKENS }, (_, i) => (i * i + seed) % vocab)
          const rows: readonly Row[] = [
            { slot: 0, position: 3, kind: "draft" },
            { slot: 1, position: 100, kind: "verify" },
            { slot: 0, position: 90, kind: "drafted" },
            { slot: 1, position: 0, kind: "drafted" },
            { slot: 1, position: 40, kind: "drafted" }
          ]
          const logits = rows.map((_, i) => noise(vocab, seed + i, i === 1 ? 20 : 4))
          const drafted = new Float32Array(2 * KEPT_DISTRIBUTIONS * vocab)
          const keptAt = ({ slot, position }: Row): number =>
            (slot * KEPT_DISTRIBUTIONS + (position % KEPT_DISTRIBUTIONS)) * vocab
          for (const [i, row] of rows.entries())
            if (row.kind === "drafted") {
              const distribution = distributionOf(vocab, seed + 7 * i)
              // A draft has mass where it was drawn.
              const token = distribution.indexOf(Math.max(...distribution))
              tokens[row.slot * MAX_TOKENS + row.position + 1] = token
              drafted.set(distribution, keptAt(row))
            }
          const run = { vocab, lanes, logits, samplings: both, rows, tokens, drafted }
          const result = await draw(run)
          expect(await draw({ ...run, subgroups: true })).toEqual(result)
          for (const [i, row] of rows.entries()) {
            const history = [
              ...tokens.subarray(row.slot * MAX_TOKENS, row.slot * MAX_TOKENS + row.position + 1)
            ]
            const sampling = both[row.slot]!
            const behind = tokens[row.slot * MAX_TOKENS + row.position + 1]!
            const { scores, distribution } = chooseReference(logits[i]!, {
              sampling,
              position: row.position,
              history,
              verify: row.kind !== "draft",
              ...(row.kind === "drafted"
                ? {
                    drafted: {
                      token: behind,
                      distribution: drafted.subarray(keptAt(row), keptAt(row) + vocab)
                    }
                  }
                : {})
            })
            const chosen = result.chosen[i]!
            const best = Math.max(...scores)
            if (best === Infinity) expect(chosen).toBe(behind)
            else expect(best - scores[chosen]!).toBeLessThan(1e-3)
            if (sampling.temperature === 0) expect(chosen).toBe(scores.indexOf(best))
            const next = result.tokens[row.slot * MAX_TOKENS + row.position + 1]
            expect(next).toBe(row.kind === "draft" ? chosen : behind)
            const stored = result.drafted.subarray(keptAt(row), keptAt(row) + vocab)
            const isStored =
              row.kind === "draft" && sampling.mode === "speculative" && sampling.temperature > 0
            if (isStored) expect(distance(stored, distribution)).toBeLessThan(1e-3)
            else expect(stored).toEqual(drafted.subarray(keptAt(row), keptAt(row) + vocab))
          }
        }
      ),
      runs(30)
    )
  })

  it("takes the lowest index on a tie, and every token that ties at the edge of top-k", async () => {
    for (const lanes of [1, 8]) {
      const logits = Float32Array.from({ length: 61 }, (_, i) => (i % 10 === 4 ? 2 : i % 10 === 5 ? 1 : 0))
      const rows: readonly Row[] = [{ slot: 0, position: 0, kind: "draft" }]
      const common = {
        vocab: 61,
        lanes,
        logits: [logits],
        rows,
        tokens: new Uint32Array(2 * MAX_TOKENS).fill(60)
      }
      const drafted = new Float32Array(2 * KEPT_DISTRIBUTIONS * 61)
      expect((await draw({ ...common, samplings: [GREEDY], drafted })).chosen[0]).toBe(4)
      const sampling: Sampling = { ...GREEDY, temperature: 1, topK: 7, mode: "speculative" }
      const result = await draw({ ...common, samplings: [sampling], drafted })
      const allowed = [...result.drafted.subarray(0, 61).entries()]
        .filter(([, p]) => p > 0)
        .map(([token]) => token)
      expect(allowed).toEqual([...logits.entries()].filter(([, value]) => value >= 1).map(([token]) => token))
    }
  })

  it("never lets a token win by its noise alone", async () => {
    // The largest number these keys give; rounded to 1, its token would win over any logit.
    const [seed, position, token] = [12, 3, 1086]
    const vocab = 1100
    const logits = new Float32Array(vocab)
    logits[token] = -20
    const { chosen } = await draw({
      vocab,
      lanes: 1,
      logits: [logits],
      samplings: [{ ...GREEDY, temperature: 1, seed }],
      rows: [{ slot: 0, position, kind: "draft" }],
      tokens: new Uint32Array(MAX_TOKENS),
      drafted: new Float32Array(KEPT_DISTRIBUTIONS * vocab)
    })
    expect(chosen[0]).not.toBe(token)
  })

  it.each([
    { name: "what drafts", drafting: [1, 0.5, 0, -0.5, 2, 1.5], fields: {} },
    { name: "something else drafts", drafting: [-1, 2, 0.3, 0, 0, 1], fields: {} },
    { name: "with top-k", drafting: [-1, 2, 0.3, 0, 0, 1], fields: { topK: 3 } },
    { name: "with top-p, hot", drafting: [3, 0, 0, 0, 0, 0], fields: { topP: 0.8, temperature: 1.6 } }
  ])("draws from the verifier's distribution when speculative: $name", async ({ drafting, fields }) => {
    const requests = 3000
    const full = Float32Array.of(1, 0.5, 0, -0.5, 2, 1.5)
    const vocab = full.length
    const samplings = Array.from({ length: requests }, (_, seed): Sampling => ({
      ...GREEDY,
      temperature: 1,
      mode: "speculative",
      ...fields,
      seed
    }))
    const position = 5
    const rows = (kind: Row["kind"]): readonly Row[] => samplings.map((_, slot) => ({ slot, position, kind }))
    const common = { vocab, lanes: 1, samplings }
    const first = await draw({
      ...common,
      rows: rows("draft"),
      logits: samplings.map(() => Float32Array.from(drafting)),
      tokens: new Uint32Array(requests * MAX_TOKENS),
      drafted: new Float32Array(requests * KEPT_DISTRIBUTIONS * vocab)
    })
    const { chosen } = await draw({
      ...common,
      rows: rows("drafted"),
      logits: samplings.map(() => full),
      tokens: first.tokens,
      drafted: first.drafted
    })
    const distributionOf = (logits: Float32Array): readonly number[] =>
      chooseReference(logits, { sampling: samplings[0]!, position, history: [], verify: true }).distribution
    const p = distributionOf(full)
    const q = distributionOf(Float32Array.from(drafting))
    expect(chiSquare(first.chosen, q)).toBeLessThan(CRITICAL)
    expect(chiSquare(chosen, p)).toBeLessThan(CRITICAL)
    // Leviathan et al. 2023: drafts are kept as often as the distributions overlap.
    const overlap = p.reduce((sum, one, token) => sum + Math.min(one, q[token]!), 0)
    const kept = chosen.filter((token, i) => token === first.chosen[i]).length / requests
    expect(Math.abs(kept - overlap)).toBeLessThan(4 * Math.sqrt((overlap * (1 - overlap)) / requests) + 1e-3)
  })
})

/** With 5 degrees of freedom, more comes once in 10,000 times. */
const CRITICAL = 25.7

/** Pearson's statistic; infinite if something impossible was drawn. */
const chiSquare = (drawn: Uint32Array, distribution: readonly number[]): number =>
  distribution.reduce((sum, p, token) => {
    const count = drawn.filter((one) => one === token).length
    if (p === 0) return count === 0 ? sum : Infinity
    return sum + (count - p * drawn.length) ** 2 / (p * drawn.length)
  }, 0)
