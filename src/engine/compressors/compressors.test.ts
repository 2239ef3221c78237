/** The promises of every method, and of every pair, on contexts of noise. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { layOut } from "../cache/packed-layout.ts"
import type { Budget, Compression, Compressor, Observation } from "./compressor.ts"
import { brokenPromises } from "./promises.ts"
import { COMPRESSORS, findCompressor, UnknownCompressor } from "./registry.ts"
import { sampleObservation } from "./sample.ts"

const shapes = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  group: fc.constantFrom(1, 3),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  headDim: fc.constantFrom(16, 32, 48, 64),
  tokens: fc.integer({ min: 1, max: 400 }),
  seed: fc.nat(1000)
})
const keeps = fc.double({ min: 0.01, max: 1, noNaN: true })
const elements = fc.constantFrom(16 as const, 32 as const)

const seenBy = (
  { needs }: Compressor,
  { group, seed, ...shape }: typeof shapes extends fc.Arbitrary<infer Shape> ? Shape : never
): Observation => sampleObservation({ ...shape, heads: group * shape.kvHeads }, needs, seed)

/** Bytes of what a compression keeps, packed part and tail, over those of full KV. */
const share = (
  { layers, kvHeads, headDim, tokens }: Observation,
  compression: Compression,
  kvBits: 16 | 32
): number => {
  const token = (layers * 2 * kvHeads * headDim * kvBits) / 32
  const { words } = layOut(compression, { kvHeads, headDim, kvBits })
  return words / token / tokens + 1 - compression.tailStart / tokens
}

/** Entries that a head of a layer can attend to. */
const entries = ({ tokens }: Observation, { kept, tailStart }: Compression): readonly number[] =>
  kept.map((heads) => heads[0]!.length + tokens - tailStart)

const named = (name: string): Compressor => {
  const found = findCompressor(name)
  if (found instanceof UnknownCompressor) throw found
  return found
}

const METHODS = [...COMPRESSORS, ...["h2o+kivi-2", "pyramidkv+kvquant", "kvzap+rotatekv"].map(named)]

describe.each(METHODS.map((method) => [method.name, method] as const))("%s", (_name, method) => {
  it("answers what the engine can store, the same when asked again, and within its budget", () => {
    fc.assert(
      fc.property(shapes, keeps, elements, (shape, keep, elementBits) => {
        const seen = seenBy(method, shape)
        const budget: Budget = { keep, elementBits, seed: shape.seed }
        const compression = method.compress(seen, budget)
        expect(brokenPromises(seen, compression)).toEqual([])
        expect(method.compress(seen, budget)).toEqual(compression)
        if (!method.takesKeep) return
        const recent = Math.max(16, Math.ceil(seen.tokens / 20))
        const allowed = Math.max(keep, Math.min(1, recent / seen.tokens))
        expect(share(seen, compression, elementBits)).toBeLessThanOrEqual(allowed + 1e-12)
      }),
      { numRuns: 25 }
    )
  })

  it("keeps as much or more of everything for a larger budget", () => {
    if (!method.takesKeep) return
    fc.assert(
      fc.property(shapes, keeps, keeps, (shape, a, b) => {
        const seen = seenBy(method, shape)
        const kept = (keep: number) => {
          const compression = method.compress(seen, { keep, elementBits: 16, seed: 1 })
          return entries(seen, compression).reduce((sum, count) => sum + count, 0)
        }
        expect(kept(Math.max(a, b))).toBeGreaterThanOrEqual(kept(Math.min(a, b)))
      }),
      { numRuns: 15 }
    )
  })
})

describe("budgets", () => {
  it("are used up but for a group of entries in each layer", () => {
    for (const method of METHODS.filter(({ takesKeep }) => takesKeep)) {
      const seen = sampleObservation(
        { layers: 3, heads: 4, kvHeads: 2, headDim: 64, tokens: 2000 },
        method.needs
      )
      const compression = method.compress(seen, { keep: 0.2, elementBits: 16, seed: 1 })
      expect([method.name, share(seen, compression, 16)]).toEqual([method.name, expect.closeTo(0.2, 1)])
      expect(share(seen, compression, 16)).toBeGreaterThan(0.18)
    }
  })
})

describe("names", () => {
  it("of pairs drop like the first and store like the second", () => {
    const pair = named("h2o+k8v4")
    const seen = sampleObservation({ layers: 1, heads: 2, kvHeads: 1, headDim: 32, tokens: 300 }, pair.needs)
    expect(pair.compress(seen, { keep: 0.25, elementBits: 16, seed: 1 }).format).toEqual({
      keys: { bits: 8, groupTokens: 1, groupChannels: 32 },
      values: { bits: 4, groupTokens: 1, groupChannels: 32 },
      rotated: false
    })
    expect(named("snapkv+kvquant").needs).toEqual({ ...named("snapkv").needs, keys: true, values: true })
  })

  it.each(["int8+h2o", "snapkv+", "snapkv+int4+int4", "identity+int4", ""])(
    "such as %j are of no method",
    (name) => {
      const unknown = findCompressor(name)
      expect(unknown).toBeInstanceOf(UnknownCompressor)
      expect((unknown as UnknownCompressor).known).toContain("verify-fed+kivi-2")
    }
  )

  it("are each of one method", () => {
    const names = COMPRESSORS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
