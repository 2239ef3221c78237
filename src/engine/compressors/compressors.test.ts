import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { layOut } from "../cache/packed-layout.ts"
import type { Observation } from "./compressor.ts"
import { groupOf, highest } from "./keep.ts"
import { COMPRESSORS, findCompressor, UnknownCompressor } from "./registry.ts"

/** Numbers in [-1, 1) that look random. */
const noise = (seed: number) => {
  let state = Math.imul(seed, 2654435761) >>> 0
  return (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

const observation = (tokens: number, seed: number, fields: Partial<Observation> = {}): Observation => {
  const shape = { layers: 2, heads: 4, kvHeads: 2, headDim: 16 }
  const rows = (count: number, salt: number) => (layer: number, head: number) => {
    const next = noise(seed + 31 * salt + 7 * layer + head)
    return Float32Array.from({ length: count }, next)
  }
  const attention = rows(tokens, 1)
  return {
    ...shape,
    tokens,
    prompt: tokens,
    attention: (layer, head) => attention(layer, head).map(Math.abs),
    keys: rows(tokens * shape.headDim, 2),
    values: rows(tokens * shape.headDim, 3),
    queries: rows(Math.min(tokens, 64) * shape.headDim, 4),
    ...fields
  }
}

const contexts = fc.record({
  tokens: fc.integer({ min: 1, max: 400 }),
  seed: fc.nat(1000),
  keep: fc.constantFrom(0.05, 0.25, 0.5, 0.9)
})

describe("every method", () => {
  for (const compressor of COMPRESSORS) {
    it(`${compressor.name} keeps its promises`, () => {
      fc.assert(
        fc.property(contexts, ({ tokens, seed, keep }) => {
          const seen = observation(tokens, seed)
          const budget = { keep, elementBits: 16, seed } as const
          const { kept, tailStart, format, codebooks } = compressor.compress(seen, budget)
          expect(tailStart).toBeGreaterThanOrEqual(0)
          expect(tailStart).toBeLessThanOrEqual(tokens)
          expect(kept.length).toBe(seen.layers)
          for (const heads of kept) {
            expect(heads.length).toBe(seen.kvHeads)
            for (const positions of heads) {
              expect(positions.length).toBe(heads[0]!.length)
              expect(positions.length % groupOf(format)).toBe(0)
              for (const [i, position] of positions.entries()) {
                if (i > 0) expect(position).toBeGreaterThan(positions[i - 1]!)
                expect(position).toBeLessThan(tailStart)
              }
            }
          }
          for (const side of ["keys", "values"] as const) {
            const rows = format[side]
            if (rows === "raw") continue
            for (const book of codebooks ?? [])
              expect(book[side]?.length ?? 2 ** rows.bits).toBe(2 ** rows.bits)
          }
          expect(compressor.compress(seen, budget)).toEqual(compressor.compress(seen, budget))
        }),
        { numRuns: 25 }
      )
    })
  }

  it("that takes a keep stays within it, scales and tail included, once a context is long", () => {
    fc.assert(
      fc.property(fc.integer({ min: 320, max: 600 }), fc.constantFrom(0.25, 0.5), (tokens, keep) => {
        for (const compressor of COMPRESSORS.filter(
          ({ takesKeep, name }) => takesKeep && name !== "pyramidkv"
        )) {
          const seen = observation(tokens, 1)
          const compression = compressor.compress(seen, { keep, elementBits: 16, seed: 1 })
          const { words } = layOut(compression, { kvHeads: seen.kvHeads, headDim: seen.headDim, kvBits: 16 })
          const token = (seen.layers * 2 * seen.kvHeads * seen.headDim) / 2
          const alignment = seen.layers * 6 * seen.headDim
          expect(words).toBeLessThanOrEqual(
            (keep * tokens - (tokens - compression.tailStart)) * token + alignment
          )
        }
      }),
      { numRuns: 20 }
    )
  })
})

describe("choices", () => {
  it("are the highest scores, the lowest position on a tie", () => {
    expect([...highest([1, 5, 5, 2, 9], 3, 5)]).toEqual([1, 2, 4])
    expect([...highest([5, 5, 5, 9], 2, 3)]).toEqual([0, 1])
  })

  const attention = (position: number, tokens: number) => (): Float32Array => {
    const seen = new Float32Array(tokens)
    seen[position] = 1
    return seen
  }

  it("of h2o and snapkv hold what drew attention, snapkv its neighbours too", () => {
    const seen = observation(300, 1, { attention: attention(100, 300) })
    const keptBy = (name: string): readonly number[] => {
      const method = findCompressor(name)
      if (method instanceof UnknownCompressor) throw method
      return [...method.compress(seen, { keep: 0.15, elementBits: 16, seed: 1 }).kept[0]![0]!]
    }
    expect(keptBy("h2o")).toContain(100)
    expect(keptBy("snapkv")).toEqual(expect.arrayContaining([97, 98, 99, 100, 101, 102, 103]))
    expect(keptBy("streaming-llm").slice(0, 4)).toEqual([0, 1, 2, 3])
  })

  it("of pairs drop like the first and store like the second", () => {
    const pair = findCompressor("h2o+int8")
    if (pair instanceof UnknownCompressor) throw pair
    const { format } = pair.compress(observation(300, 1), { keep: 0.25, elementBits: 16, seed: 1 })
    expect(format.keys).toEqual({ bits: 8, groupTokens: 1, groupChannels: 16 })
    expect(findCompressor("int8+h2o")).toBeInstanceOf(UnknownCompressor)
  })
})
