/** What each method that drops tokens chooses, on contexts whose answer is known. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Observation } from "./compressor.ts"
import { pooled } from "./drop.ts"
import { highest } from "./keep.ts"
import { COMPRESSORS } from "./registry.ts"
import { fitRidge } from "./ridge.ts"
import { sampleObservation } from "./sample.ts"

const SHAPE = { layers: 1, heads: 2, kvHeads: 1, headDim: 16, tokens: 400 }

/** What a method keeps of one head of 400 tokens, the newest 20 of which stay in the tail. */
const chosen = (name: string, keep: number, fields: Partial<Observation> = {}): readonly number[] => {
  const method = COMPRESSORS.find((one) => one.name === name)!
  const seen = { ...sampleObservation(SHAPE, method.needs), ...fields }
  const { kept, tailStart } = method.compress(seen, { keep, elementBits: 16, seed: 1 })
  expect(tailStart).toBe(380)
  return [...kept[0]![0]!]
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

/** Attention that falls on some positions, less on each after the first. */
const attending = (...positions: readonly number[]) => ({
  attention: (): Float32Array => {
    const seen = new Float32Array(SHAPE.tokens)
    for (const [i, position] of positions.entries()) seen[position] = 1 / (1 + i)
    return seen
  }
})

describe("the highest scores", () => {
  it("are those that sorting finds, the lowest position on a tie", () => {
    expect([...highest([1, 5, 5, 2, 9], 3, 5)]).toEqual([1, 2, 4])
    expect([...highest([5, 5, 5, 9], 2, 3)]).toEqual([0, 1])
    expect([...highest([NaN, -3, -Infinity, NaN], 2, 4)]).toEqual([0, 1])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 })), fc.nat(40), (scores, most) => {
        const count = Math.min(most, scores.length)
        const order = [...scores.keys()].toSorted((a, b) => scores[b]! - scores[a]! || a - b)
        expect([...highest(scores, count, scores.length)]).toEqual(
          order.slice(0, count).toSorted((a, b) => a - b)
        )
      })
    )
  })

  it("of neighbours stand for each of them", () => {
    expect([...pooled([0, 3, 0, 0, 0, 1], 1)]).toEqual([3, 3, 3, 0, 1, 1])
  })
})

// A tenth of 400 tokens is the tail of 20 and as many entries.
describe("choices", () => {
  it("of streaming-llm are the first four and the newest", () => {
    expect(chosen("streaming-llm", 0.1)).toEqual([...range(0, 4), ...range(364, 380)])
  })

  it("of h2o are half what drew most attention, half the newest", () => {
    expect(chosen("h2o", 0.1, attending(7, 30, 31, 100, 101, 102, 103, 200, 201, 5, 6))).toEqual([
      5,
      7,
      30,
      31,
      100,
      101,
      102,
      103,
      200,
      201,
      ...range(370, 380)
    ])
  })

  it.each(["snapkv", "verify-fed", "pyramidkv"])("of %s are what drew attention, and around it", (name) => {
    expect(chosen(name, 0.1, attending(50, 200, 300))).toEqual([
      ...range(47, 54),
      ...range(197, 204),
      ...range(297, 303)
    ])
  })

  it("of kvzip are what drew attention, and nothing around it", () => {
    const wanted = range(0, 20).map((i) => 11 * i)
    expect(chosen("kvzip", 0.1, attending(...wanted))).toEqual(wanted)
  })

  it("of kvzap are what resembles the entries that drew attention when the end was read again", () => {
    const wanted = new Set([...range(40, 60), ...range(200, 210), ...range(385, 395)])
    const values = sampleObservation(SHAPE, { values: true }).values(0, 0)
    for (let position = 0; position < SHAPE.tokens; position++)
      values[position * SHAPE.headDim + 3] = wanted.has(position) ? 2 : -2
    const kept = chosen("kvzap", 0.125, {
      values: () => values,
      // Nobody knows of those before the 256 tokens that were read again.
      attention: () =>
        Float32Array.from({ length: SHAPE.tokens }, (_, i) => (i >= 144 && wanted.has(i) ? 0.9 : 0.01))
    })
    expect(kept).toEqual([...range(40, 60), ...range(200, 210)])
  })

  it("of expected-attention are keys along the mean query, long values before short ones", () => {
    const keys = new Float32Array(SHAPE.tokens * SHAPE.headDim)
    const values = new Float32Array(SHAPE.tokens * SHAPE.headDim).fill(0.01)
    for (const position of range(100, 120)) keys[position * SHAPE.headDim] = 8
    for (const position of range(110, 120)) values.fill(2, position * 16, (position + 1) * 16)
    for (const position of range(200, 210)) values.fill(2, position * 16, (position + 1) * 16)
    const queries = (): Float32Array =>
      Float32Array.from({ length: 64 * 16 }, (_, i) => (i % 16 === 0 ? 4 : 0))
    const fields = { keys: () => keys, values: () => values, queries }
    expect(chosen("expected-attention", 0.075, fields)).toEqual(range(110, 120))
    expect(chosen("expected-attention", 0.1, fields)).toEqual(range(100, 120))
    expect(chosen("expected-attention", 0.125, fields)).toEqual([...range(100, 120), ...range(200, 210)])
  })

  it("of pyramidkv narrow from layer to layer and come to the same in all", () => {
    const count = (name: string, keep: number): readonly number[] => {
      const method = COMPRESSORS.find((one) => one.name === name)!
      const seen = sampleObservation({ ...SHAPE, layers: 3 }, method.needs)
      const { kept } = method.compress(seen, { keep, elementBits: 16, seed: 1 })
      return kept.map((heads) => heads[0]!.length)
    }
    expect(count("snapkv", 0.25)).toEqual([80, 80, 80])
    expect(count("pyramidkv", 0.25)).toEqual([120, 80, 40])
    // The first layer cannot hold more than there is.
    expect(count("pyramidkv", 0.8)).toEqual([380, 300, 220])
  })
})

describe("a fitted surrogate", () => {
  it("finds a linear law, and says the mean of what it cannot tell", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
          minLength: 30,
          maxLength: 60
        }),
        (rows) => {
          const predict = fitRidge(
            rows,
            rows.map(([a, b]) => 3 * a - b)
          )
          const mean = rows.reduce((sum, [a, b]) => sum + 3 * a - b, 0) / rows.length
          const [spread, left] = rows.reduce(
            ([all, rest], row) => {
              const law = 3 * row[0] - row[1]
              return [all + (law - mean) ** 2, rest + (law - predict(row)) ** 2]
            },
            [0, 0]
          )
          // The penalty shrinks what it finds a little.
          expect(left).toBeLessThanOrEqual(0.05 * spread + 1e-9)
        }
      )
    )
    expect(fitRidge([[4], [4]], [1, 3])([9])).toBe(2)
    expect(fitRidge([], [])([1])).toBe(0)
  })
})
