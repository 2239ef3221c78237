import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { COMPRESSORS } from "./compressors/registry.ts"
import { type Asked, fullDecoding, tinyCheckpoint, trial } from "./engine.fixture.ts"
import type { Faults } from "./physics.ts"

const checkpoint = tinyCheckpoint(3)

/** A prompt of tokens that look random. */
const prompt = (length: number, seed: number): number[] => {
  let state = seed * 2654435761
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % 61
  })
}

const known = new Map<string, readonly number[]>()

/** Full-KV decoding of a request; the longest output asked of a prompt so far begins like all shorter ones. */
const expected = async (one: Asked, kvBits: 16 | 32): Promise<readonly number[]> => {
  const key = `${kvBits} ${one.prompt.join()} ${JSON.stringify(one.sampling)}`
  const found = known.get(key)
  if (found !== undefined && found.length >= one.output) return found.slice(0, one.output)
  const [tokens] = await fullDecoding({
    checkpoint,
    kind: "full",
    kvBits,
    asked: [{ prompt: one.prompt, output: one.output }]
  })
  known.set(key, tokens!)
  return tokens!
}

/** Every n-th transfer fails and every n-th pass loses the device, a few times: who loses it for ever gets nowhere. */
const faultsOf = (everyTransfer: number, everyPass: number): Faults => {
  let transfers = 0
  let passes = 0
  return {
    transfer: (_request, kind) =>
      everyTransfer > 0 &&
      kind !== "stream" &&
      ++transfers % everyTransfer === 0 &&
      transfers < 10 * everyTransfer
        ? transfers % 2 === 0
          ? "down"
          : "corrupt"
        : undefined,
    pass: () =>
      everyPass > 0 && ++passes % everyPass === 0 && passes < 4 * everyPass ? "lose-device" : undefined
  }
}

const request = fc.record({
  length: fc.constantFrom(1, 15, 16, 17, 33, 70, 110),
  seed: fc.integer({ min: 1, max: 4 }),
  output: fc.integer({ min: 1, max: 30 }),
  cancelAfter: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined, freq: 6 })
})

const cases = fc.record({
  kind: fc.constantFrom("vericache", "sparse"),
  compressor: fc.constantFrom(...COMPRESSORS.map(({ name }) => name)),
  keep: fc.constantFrom(0.1, 0.3, 0.6),
  window: fc.integer({ min: 1, max: 12 }),
  reload: fc.constantFrom("full", "missing"),
  fullKvRequests: fc.constantFrom(0, 0, 1, 2),
  kvBits: fc.constantFrom(16, 32),
  maxRows: fc.constantFrom(7, 32),
  chunk: fc.constantFrom(9, 64),
  pages: fc.constantFrom(26, 40, 96),
  everyTransfer: fc.constantFrom(0, 0, 3, 7),
  everyPass: fc.constantFrom(0, 0, 0, 9),
  requests: fc.array(request, { minLength: 1, maxLength: 5 })
})

/** More cases than the gate runs: VERICACHE_FUZZ=1000 VERICACHE_FUZZ_SEED=7. */
const numRuns = Number(process.env["VERICACHE_FUZZ"] ?? 12)
const seed = Number(process.env["VERICACHE_FUZZ_SEED"] ?? 1)

describe("output equals full-KV decoding", () => {
  for (const compressor of COMPRESSORS) {
    it(`with ${compressor.name}`, async () => {
      const asked = [
        { prompt: prompt(90, 1), output: 24 },
        { prompt: prompt(33, 2), output: 17 }
      ]
      const result = await trial({ checkpoint, kind: "vericache", compressor, keep: 0.4, window: 5, asked })
      expect(result.produced).toEqual([await expected(asked[0]!, 16), await expected(asked[1]!, 16)])
      expect([result.leaked, result.hostBytesLeft, result.buffersLeft]).toEqual([0, 0, 0])
    })
  }

  for (const name of ["snapkv", "pyramidkv", "int8", "rotatekv", "verify-fed", "identity"]) {
    it(`with ${name}, reloading what is missing`, async () => {
      const compressor = COMPRESSORS.find((one) => one.name === name)!
      const asked = [
        { prompt: prompt(90, 1), output: 24 },
        { prompt: prompt(33, 2), output: 17 }
      ]
      const what = { checkpoint, kind: "vericache", compressor, keep: 0.4, window: 5, asked } as const
      const whole = await trial(what)
      const missing = await trial({ ...what, reload: "missing" })
      expect(missing.produced).toEqual([await expected(asked[0]!, 16), await expected(asked[1]!, 16)])
      expect([missing.leaked, missing.hostBytesLeft, missing.buffersLeft]).toEqual([0, 0, 0])
      expect(missing.bytesIn).toBeLessThan(whole.bytesIn)
    })
  }

  it("where some requests keep their full KV on the device and the others draft", async () => {
    const asked = [
      { prompt: prompt(90, 1), output: 24 },
      { prompt: prompt(33, 2), output: 17 }
    ]
    const both = { checkpoint, kind: "vericache", compressor: COMPRESSORS[0]!, keep: 0.4, asked } as const
    const all = await trial(both)
    const split = await trial({ ...both, fullKvRequests: 1 })
    expect(split.produced).toEqual(all.produced)
    expect(split.produced).toEqual([await expected(asked[0]!, 16), await expected(asked[1]!, 16)])
    expect(split.drafted).toBeGreaterThan(0)
    expect(split.drafted).toBeLessThan(all.drafted)
    expect([split.leaked, split.hostBytesLeft, split.buffersLeft]).toEqual([0, 0, 0])
  })

  it(
    "whatever the method, window, batch, memory and faults",
    async () => {
      await fc.assert(
        fc.asyncProperty(
          cases,
          async ({ compressor, requests, everyTransfer, everyPass, chunk, ...rest }) => {
            const asked = requests.map(({ length, seed: from, output, cancelAfter }) => ({
              prompt: prompt(length, from),
              output,
              ...(cancelAfter === undefined ? {} : { cancelAfter })
            }))
            const result = await trial({
              ...rest,
              checkpoint,
              compressor: COMPRESSORS.find(({ name }) => name === compressor)!,
              maxNumBatchedTokens: chunk,
              faults: faultsOf(everyTransfer, everyPass),
              asked
            })
            for (const [id, one] of asked.entries()) {
              const tokens = result.produced[id]!
              const full = await expected(one, rest.kvBits)
              expect(tokens).toEqual(full.slice(0, tokens.length))
              if (one.cancelAfter === undefined) expect(tokens.length).toBe(one.output)
              else expect(tokens.length).toBeGreaterThanOrEqual(Math.min(one.output, one.cancelAfter))
            }
            expect([result.leaked, result.hostBytesLeft, result.buffersLeft]).toEqual([0, 0, 0])
          }
        ),
        { numRuns, seed }
      )
    },
    numRuns * 60_000
  )
})
