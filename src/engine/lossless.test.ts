import { describe, expect, it } from "vitest"
import { COMPRESSORS } from "./compressors/registry.ts"
import { fullDecoding, tinyCheckpoint, trial } from "./engine.fixture.ts"

/** A prompt of tokens that look random. */
const prompt = (length: number, seed: number): number[] => {
  let state = seed * 2654435761
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % 61
  })
}

describe("output equals full-KV decoding", () => {
  const checkpoint = tinyCheckpoint(3)
  const asked = [
    { prompt: prompt(90, 1), output: 24 },
    { prompt: prompt(33, 2), output: 17 },
    { prompt: prompt(120, 3), output: 20 }
  ]
  for (const compressor of COMPRESSORS) {
    it(`with ${compressor.name}`, async () => {
      const options = { checkpoint, kind: "vericache", compressor, keep: 0.4, window: 5, asked } as const
      const expected = await fullDecoding(options)
      const result = await trial(options)
      expect(result.produced).toEqual(expected)
      expect(result.leaked).toBe(0)
      expect(result.hostBytesLeft).toBe(0)
    })
  }
})
