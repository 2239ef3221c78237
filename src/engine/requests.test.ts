/** Many requests at once: what they share, what a cancelled one leaves, how many there is memory for. */
import { describe, expect, it } from "vitest"
import { snapkv } from "./compressors/drop.ts"
import { fullDecoding, tinyCheckpoint, type Trial, trial } from "./engine.fixture.ts"
import { tokenWords } from "./kernels/shape.ts"

const checkpoint = tinyCheckpoint(3)
const text = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => (i * i * seed + 7 * i) % 61)
const drafting = { checkpoint, kind: "vericache", compressor: snapkv, keep: 0.4, window: 5 } as const
const tokenBytes = tokenWords({ config: checkpoint.config, kvBits: 16 }) * 4

describe("requests", () => {
  it("whose prompts begin alike share the full KV of the beginning, and the later one fetches it", async () => {
    const beginning = text(70, 3)
    const what: Trial = {
      ...drafting,
      concurrency: 2,
      asked: [
        { prompt: beginning, output: 60 },
        { prompt: text(20, 5), output: 12 },
        { prompt: [...beginning, ...text(10, 7)], output: 8 }
      ]
    }
    let fetched: number | undefined
    let shared = 0
    const result = await trial({
      ...what,
      onCommit: (engine, { request }) => {
        if (request !== 2) return
        fetched ??= engine.session(2).bytesIn
        const pages = [...engine.sessions.values()].flatMap(({ home }) => home.pages)
        shared = Math.max(shared, pages.length * 16 * tokenBytes - engine.pool.bytes)
      }
    })
    expect(result.produced).toEqual(await fullDecoding(what))
    // Four whole pages of sixteen tokens; the two requests hold them once.
    expect(fetched).toBe(64 * tokenBytes)
    expect(shared).toBe(64 * tokenBytes)
    expect([result.leaked, result.hostBytesLeft, result.buffersLeft]).toEqual([0, 0, 0])
  })

  it("that are cancelled leave nothing behind while others go on", async () => {
    const what: Trial = {
      ...drafting,
      asked: [
        { prompt: text(40, 3), output: 50 },
        { prompt: text(90, 5), output: 50, cancelAfter: 3 },
        { prompt: text(50, 7), output: 50, cancelAfter: 9 }
      ]
    }
    let last: { readonly requests: number; readonly foreign: number; readonly host: boolean } | undefined
    const result = await trial({
      ...what,
      onCommit: (engine, { request }) => {
        if (request !== 0) return
        const own = engine.session(0)
        const pages = (own.full?.pages.length ?? 0) + own.packed.length + (own.tail?.pages.length ?? 0)
        last = {
          requests: engine.sessions.size,
          foreign: engine.state.cache.pages.used - pages,
          host: engine.pool.bytes === own.home.pages.length * 16 * tokenBytes
        }
      }
    })
    expect(last).toEqual({ requests: 1, foreign: 0, host: true })
    const [first] = await fullDecoding({ ...what, asked: what.asked.slice(0, 1) })
    expect(result.produced[0]).toEqual(first)
    for (const id of [1, 2]) expect(result.produced[id]!.length).toBeLessThan(50)
  })

  it("run side by side as far as there is memory for them", async () => {
    const what: Trial = {
      ...drafting,
      maxTokens: 128,
      asked: [3, 5, 7, 11].map((seed) => ({ prompt: text(60, seed), output: 12 }))
    }
    const atOnce = async (pages: number): Promise<number> => {
      let most = 0
      const result = await trial({
        ...what,
        pages,
        onCommit: (engine) => {
          const placed = [...engine.sessions.values()].filter(({ slot }) => slot !== undefined)
          most = Math.max(most, placed.length)
        }
      })
      expect(result.produced).toEqual(expected)
      return most
    }
    const expected = await fullDecoding(what)
    expect(await atOnce(96)).toBe(4)
    // One request at its longest takes five pages of full KV and three of compressed.
    expect(await atOnce(9)).toBe(1)
  })

  it("of a run whose pages pass its budget of device memory are refused before any runs", async () => {
    const pages = 40
    const kvBytes = pages * 16 * tokenBytes
    const what: Trial = { ...drafting, pages, asked: [{ prompt: text(20, 5), output: 5 }] }
    const { produced } = await trial({ ...what, kvBytes })
    expect(produced[0]).toHaveLength(5)
    await expect(trial({ ...what, kvBytes: kvBytes - 1 })).rejects.toThrow("OutOfMemory")
  })
})
