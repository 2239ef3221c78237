/** What the attention of verifies changes for the method that is fed with it, on the embedded model and the software adapter. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { folderFiles } from "../../cli/model-files.ts"
import { trial } from "../engine.fixture.ts"
import { openTokenizer } from "../model/tokenizer.ts"
import { openCheckpoint } from "../weights/open.ts"
import type { Compression, Compressor } from "./compressor.ts"
import { verifyFed } from "./drop.ts"

const MODEL = join(import.meta.dirname, "..", "..", "..", "models", "vericache-1m")
const CONTEXT = 96
/** Attention over the whole context, summed over layers and KV heads, and what was kept, at each time of asking. */
type Asked = { readonly mass: number; readonly kept: Compression["kept"]; readonly tokens: number }

/** What the method is asked in a run on a real text; `fed`: with the attention of verifies, or without. */
const asked = async (fed: boolean): Promise<readonly Asked[]> => {
  const files = folderFiles(MODEL)
  const checkpoint = await Effect.runPromise(openCheckpoint(files))
  const tokenizer = await Effect.runPromise(openTokenizer(files, checkpoint.config.vocab))
  const text = readFileSync(join(MODEL, "prompts", "records-people.txt"), "utf8")
  const seen: Asked[] = []
  const { over, rows, reduce } = verifyFed.needs.attention!
  const watched: Compressor = {
    ...verifyFed,
    needs: fed ? verifyFed.needs : { attention: { over, rows: rows!, reduce } },
    compress: (observation, budget) => {
      const answer = verifyFed.compress(observation, budget)
      let mass = 0
      for (let layer = 0; layer < observation.layers; layer++)
        for (let head = 0; head < observation.kvHeads; head++)
          for (const one of observation.attention(layer, head)) mass += one
      seen.push({ mass, kept: answer.kept, tokens: observation.tokens })
      return answer
    }
  }
  await trial({
    checkpoint,
    kind: "sparse",
    compressor: watched,
    keep: 0.4,
    slots: 1,
    maxTokens: 128,
    asked: [{ prompt: tokenizer.encode(text).slice(0, CONTEXT), output: 20 }]
  })
  return seen
}

describe("verify-fed", () => {
  let [fed, starved]: readonly (readonly Asked[])[] = []
  beforeAll(async () => {
    fed = await asked(true)
    starved = await asked(false)
  })

  it("begins with what the prompt's end shows, fed or not", () => {
    expect(fed![0]).toEqual(starved![0])
    expect(fed!.length).toBeGreaterThan(2)
  })

  it("sees the attention of every verified row since, and of nothing else", () => {
    // Attention of a row sums to one for each query head: 4 heads, 6 layers.
    const each = 4 * 6
    for (const { mass, tokens } of fed!.slice(1))
      expect(mass / each).toBeGreaterThanOrEqual(32 + (tokens - CONTEXT) - 0.5)
    for (const { mass } of starved!) expect(mass / each).toBeCloseTo(32, 1)
  })

  it("keeps other positions for it", () => {
    const again = new Map(starved!.map((one) => [one.tokens, one.kept]))
    const both = fed!.slice(1).filter(({ tokens }) => again.has(tokens))
    expect(both.length).toBeGreaterThan(0)
    expect(both.some(({ kept, tokens }) => JSON.stringify(kept) !== JSON.stringify(again.get(tokens)))).toBe(
      true
    )
  })
})
