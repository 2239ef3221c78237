/** The worst method there is: random positions, two bits, random levels. Output must be the same with it; speed need not. */
import type { Compression, Compressor } from "./compressor.ts"
import { recentTokens } from "../../protocol/recent.ts"
import { entriesWithin, keepNewest, type Storing } from "./keep.ts"

/** Numbers in [0, 1) by xorshift. */
const numbers = (seed: number): (() => number) => {
  let state = (seed ^ 0x9e3779b9) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export const random: Compressor = {
  name: "random",
  summary: "random positions at random levels, for tests",
  source: "for tests",
  kind: "hybrid",
  mode: "online",
  takesKeep: true,
  needs: {},
  compress: (observation, budget): Compression => {
    const { tokens, layers, kvHeads, headDim } = observation
    const rows = { bits: 2, groupTokens: 1, groupChannels: headDim } as const
    const next = numbers(budget.seed + tokens)
    const levels = (): Float32Array => Float32Array.from({ length: 4 }, () => 2 * next() - 1)
    const storing: Storing = {
      format: { keys: rows, values: rows, rotated: false },
      codebooks: Array.from({ length: layers }, () => ({ keys: levels(), values: levels() }))
    }
    const recent = Math.min(tokens, recentTokens(tokens))
    const count = entriesWithin(observation, budget, storing, recent)[0]!
    if (count === 0) return keepNewest(observation, budget, recent)
    const end = tokens - recent
    const pick = (): Uint32Array => {
      const positions = Uint32Array.from({ length: end }, (_, position) => position)
      for (let i = 0; i < count; i++) {
        const j = i + Math.floor(next() * (end - i))
        const held = positions[i]!
        positions[i] = positions[j]!
        positions[j] = held
      }
      return positions.slice(0, count).toSorted()
    }
    return {
      tailStart: end,
      kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, pick)),
      ...storing
    }
  }
}
