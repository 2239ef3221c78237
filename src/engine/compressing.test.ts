/** Compressed KV that is packed anew while full KV streams through a verify. */
import { describe, expect, it } from "vitest"
import type { Compressor } from "./compressors/compressor.ts"
import { verifyFed } from "./compressors/drop.ts"
import { recentTokens } from "../protocol/recent.ts"
import { RAW } from "./compressors/keep.ts"
import { fullDecoding, tinyCheckpoint, trial, type Trial } from "./engine.fixture.ts"
import type { Faults } from "./physics.ts"

const checkpoint = tinyCheckpoint(3, { layers: 6 })
const text = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => (i * i * seed + 7 * i) % 61)

/** Packs every entry as it is: drafts read the very bits of full KV, in the same order, wherever those lie. */
const everything: Compressor = {
  ...verifyFed,
  needs: {},
  compress: ({ layers, kvHeads, tokens }) => {
    const end = tokens - Math.min(tokens, recentTokens(tokens))
    const all = Uint32Array.from({ length: end }, (_, position) => position)
    return {
      tailStart: end,
      kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => all)),
      format: RAW
    }
  }
}

/** What streams fails, two times of three. */
const failing = (): Faults => {
  let streams = 0
  return {
    transfer: (_request, kind) =>
      kind === "stream" ? ([undefined, "corrupt", "down"] as const)[streams++ % 3] : undefined
  }
}

const streamed: Trial = {
  checkpoint,
  kind: "vericache",
  granularity: "streaming",
  keep: 0.9,
  window: 5,
  asked: [
    { prompt: text(90, 3), output: 40 },
    { prompt: text(33, 5), output: 30 }
  ]
}

describe("a verify that streams", () => {
  for (const [name, fields] of [
    ["all of it", {}],
    ["what is missing", { reload: "missing" }],
    ["some layers ahead", { linkBandwidth: 1e6 }],
    ["streams that fail", { faults: failing() }]
  ] as const)
    it(`packs every layer of full KV (${name}): drafts on all of it are all accepted`, async () => {
      const asked: number[] = []
      const compressor: Compressor = {
        ...everything,
        compress: (observation, budget) => {
          asked.push(observation.tokens)
          return everything.compress(observation, budget)
        }
      }
      const result = await trial({ ...streamed, ...fields, compressor })
      expect(result.produced).toEqual(await fullDecoding(streamed))
      expect(result.told.stream).toBeGreaterThan(0)
      // Once for each prompt, and in each verify.
      expect(asked.length).toBeGreaterThanOrEqual(2 + result.rounds)
      expect(Math.max(...asked)).toBeGreaterThan(90 + 20)
      expect(result.drafted).toBeGreaterThan(20)
      expect(result.accepted).toBe(result.drafted)
      expect([result.leaked, result.buffersLeft]).toEqual([0, 0])
    })

  it("shows the method the attention of all rows verified before, and of none whose KV never came", async () => {
    const { layers, heads } = checkpoint.config
    let rows = 32
    let voided = 0
    const seen: { readonly mass: number; readonly rows: number; readonly tokens: number }[] = []
    const compressor: Compressor = {
      ...verifyFed,
      compress: (observation, budget) => {
        let mass = 0
        for (let layer = 0; layer < layers; layer++)
          for (let head = 0; head < observation.kvHeads; head++)
            for (const one of observation.attention(layer, head)) mass += one
        seen.push({ mass: mass / (layers * heads), rows, tokens: observation.tokens })
        return verifyFed.compress(observation, budget)
      }
    }
    const faults = failing()
    await trial({
      ...streamed,
      compressor,
      keep: 0.4,
      slots: 1,
      asked: [{ prompt: text(90, 3), output: 40 }],
      faults: {
        transfer: (request, kind) => {
          const fault = faults.transfer!(request, kind)
          if (fault !== undefined) voided++
          return fault
        }
      },
      onCommit: (_engine, { accepted, rejected }) => {
        // The first token is the prompt's own.
        if (seen.length > 1) rows += accepted + rejected.length + 1
      }
    })
    expect(voided).toBeGreaterThan(2)
    expect(seen.length).toBeGreaterThan(5)
    for (const one of seen) {
      // A row sums to one for each query head; what rejected rows gave positions behind the context is not shown.
      expect(one.mass).toBeLessThan(one.rows + 0.1)
      expect(one.mass).toBeGreaterThan(32 + one.tokens - 90 - 0.5)
    }
    expect(seen.at(-1)!.rows).toBeGreaterThan(32 + 20)
  })
})
