import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { asCompressor, holdingPromises } from "./compressors/own.ts"
import { COMPRESSORS, findCompressor } from "./compressors/registry.ts"
import {
  type Asked,
  fullDecoding,
  tinyCheckpoint,
  type Trial,
  trial,
  type TrialResult
} from "./engine.fixture.ts"
import { GREEDY, type Sampling } from "./kernels/choose.ts"
import type { Faults } from "./physics.ts"

const checkpoint = tinyCheckpoint(3)

const example = new URL("../../docs/examples/every-other.js", import.meta.url)
const everyOther = ((await import(/* @vite-ignore */ example.href)) as { readonly default: unknown }).default

/** Every method there is, a few more pairs, and one of a user's own, by name. */
const methods = new Map(
  [
    ...COMPRESSORS,
    ...["h2o+k8v4", "verify-fed+kivi-2", "kvzip+kvquant", "expected-attention+rotatekv"].map(findCompressor),
    asCompressor(everyOther)
  ].map((method) => {
    if (!("compress" in method)) throw new Error("no method")
    return [method.name, holdingPromises(method)]
  })
)

/** A prompt of tokens that look random. */
const prompt = (length: number, seed: number): number[] => {
  let state = seed * 2654435761
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % 61
  })
}

const known = new Map<string, readonly number[]>()

/** Longest output asked of a prompt: all shorter ones begin like it. */
const LONGEST = 30

const keyOf = ({ prompt: tokens, sampling: drawn }: Asked, kvBits: 16 | 32): string =>
  `${kvBits} ${tokens.join()} ${JSON.stringify(drawn)}`

/** Full-KV decoding of requests; one after the other, those that nobody asked of before. */
const expectedOf = async (
  asked: readonly Asked[],
  kvBits: 16 | 32
): Promise<readonly (readonly number[])[]> => {
  const unknown = new Map(asked.map((one) => [keyOf(one, kvBits), one]))
  for (const key of known.keys()) unknown.delete(key)
  if (unknown.size > 0) {
    const produced = await fullDecoding({
      checkpoint,
      kind: "full",
      kvBits,
      asked: Array.from(unknown.values(), ({ prompt, sampling }) => ({
        prompt,
        output: LONGEST,
        ...(sampling === undefined ? {} : { sampling })
      }))
    })
    for (const [i, key] of [...unknown.keys()].entries()) known.set(key, produced[i]!)
  }
  return asked.map((one) => known.get(keyOf(one, kvBits))!.slice(0, one.output))
}

/** Every n-th transfer fails or is late, and every n-th pass loses the device, a few times: who loses it for ever gets nowhere. */
const faultsOf = (everyTransfer: number, everyPass: number): Faults => {
  let transfers = 0
  let passes = 0
  return {
    transfer: () =>
      everyTransfer > 0 && ++transfers % everyTransfer === 0 && transfers < 10 * everyTransfer
        ? (["down", "corrupt", "late"] as const)[(transfers / everyTransfer) % 3]
        : undefined,
    pass: () =>
      everyPass > 0 && ++passes % everyPass === 0 && passes < 3 * everyPass ? "lose-device" : undefined
  }
}

/** Bytes to the device, as the transfers of a run told of them. */
const toldIn = ({ told }: TrialResult): number => told.reload + told.fetch + told.stream

/** Greedy, or drawn with the noise of the position: either way the tokens are those of full KV. */
const sampling: fc.Arbitrary<Sampling> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(GREEDY) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { ...GREEDY, temperature: 0.7, topP: 0.9, seed: 1 },
      { ...GREEDY, temperature: 1.3, topK: 12, seed: 2 },
      { ...GREEDY, temperature: 1, repetitionPenalty: 1.3, seed: 3 },
      { ...GREEDY, repetitionPenalty: 1.2 }
    )
  }
)

const request = fc.record({
  sampling,
  length: fc.constantFrom(1, 15, 16, 17, 33, 70, 110),
  seed: fc.integer({ min: 1, max: 4 }),
  output: fc.integer({ min: 1, max: LONGEST }),
  cancelAfter: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined, freq: 6 })
})

const ngram = fc
  .record({
    numSpeculativeTokens: fc.integer({ min: 1, max: 6 }),
    promptLookupMin: fc.integer({ min: 1, max: 2 }),
    more: fc.nat(2)
  })
  .map(({ more, ...fields }) => ({ ...fields, promptLookupMax: fields.promptLookupMin + more }))

const cases = fc.record({
  served: fc.constantFrom(
    "vericache",
    "vericache",
    "sparse",
    "offloaded",
    "vericache+ngram",
    "vericache+ngram",
    "ngram"
  ),
  ngram,
  compressor: fc.constantFrom(...methods.keys()),
  keep: fc.constantFrom(0.1, 0.3, 0.6),
  window: fc.integer({ min: 1, max: 12 }),
  reload: fc.constantFrom("full", "missing"),
  granularity: fc.constantFrom("whole", "streaming"),
  schedule: fc.constantFrom("staggered", "staggered", "lock-step"),
  linkBandwidth: fc.constantFrom(1e9, 1e6),
  fullKvRequests: fc.constantFrom(0, 0, 1, 2),
  kvBits: fc.constantFrom(16, 32),
  maxRows: fc.constantFrom(7, 32),
  chunk: fc.constantFrom(9, 64),
  pages: fc.constantFrom(26, 40, 96),
  everyTransfer: fc.constantFrom(0, 0, 3, 7),
  everyPass: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(3, 9, 20) }
  ),
  // Every device that is made anew compiles all kernels anew: several times the time of a case.
  mortal: fc.oneof(
    { weight: 15, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) }
  ),
  requests: fc.array(request, { minLength: 1, maxLength: 5 })
})

/** More cases than the gate runs: VERICACHE_FUZZ=1000 VERICACHE_FUZZ_SEED=7. */
const numRuns = Number(process.env["VERICACHE_FUZZ"] ?? 80)
const seed = Number(process.env["VERICACHE_FUZZ_SEED"] ?? 1)

describe("output equals full-KV decoding", () => {
  for (const compressor of COMPRESSORS) {
    it(`with ${compressor.name}`, async () => {
      const asked = [
        { prompt: prompt(90, 1), output: 24 },
        { prompt: prompt(33, 2), output: 17 }
      ]
      const result = await trial({ checkpoint, kind: "vericache", compressor, keep: 0.4, window: 5, asked })
      expect(result.produced).toEqual(await expectedOf(asked, 16))
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
      expect(missing.produced).toEqual(await expectedOf(asked, 16))
      expect([missing.leaked, missing.hostBytesLeft, missing.buffersLeft]).toEqual([0, 0, 0])
      // How many rounds there are, and so how many reloads, is for the clock to say.
      expect(missing.bytesIn / missing.rounds).toBeLessThan(whole.bytesIn / whole.rounds)
      expect([toldIn(missing), toldIn(whole)]).toEqual([missing.bytesIn, whole.bytesIn])
    })
  }

  for (const [name, reload, linkBandwidth] of [
    ["snapkv", "full", 1e9],
    ["pyramidkv", "missing", 1e9],
    ["kivi-4", "full", 1e6],
    ["streaming-llm", "missing", 1e6],
    ["rotatekv", "missing", 1e9],
    ["verify-fed", "missing", 1e6],
    ["verify-fed+kivi-2", "full", 1e9],
    ["verify-fed+kvquant", "full", 1e6],
    ["random", "full", 1e9]
  ] as const) {
    const ahead = linkBandwidth < 1e9 ? ", some of it ahead" : ""
    it(`with ${name}, reloads (${reload}) that stream into the verify${ahead}`, async () => {
      const compressor = methods.get(name)!
      const asked = [
        { prompt: prompt(90, 1), output: 24 },
        { prompt: prompt(33, 2), output: 17 },
        { prompt: prompt(70, 3), output: 11 }
      ]
      const deep = tinyCheckpoint(3, { layers: 6 })
      const what = { checkpoint: deep, kind: "vericache", compressor, keep: 0.4, window: 5, asked } as const
      const result = await trial({ ...what, reload, linkBandwidth, granularity: "streaming" })
      expect(result.produced).toEqual(await fullDecoding(what))
      expect(result.drafted).toBeGreaterThan(0)
      expect(result.told.stream).toBeGreaterThan(0)
      expect(toldIn(result)).toBe(result.bytesIn)
      expect([result.leaked, result.hostBytesLeft, result.buffersLeft]).toEqual([0, 0, 0])
    })
  }

  for (const maxRows of [32, 7])
    it(`with an n-gram drafter and reloads that stream into the verify, in passes of ${maxRows} rows`, async () => {
      const asked = [
        { prompt: prompt(90, 1), output: 24 },
        { prompt: prompt(33, 2), output: 17 },
        { prompt: prompt(70, 3), output: 30 }
      ]
      const what: Trial = {
        checkpoint: tinyCheckpoint(3, { layers: 6 }),
        kind: "vericache",
        compressor: methods.get("int8")!,
        keep: 0.4,
        window: 6,
        maxRows,
        maxNumBatchedTokens: maxRows,
        asked
      }
      const ngram = { numSpeculativeTokens: 4, promptLookupMin: 1, promptLookupMax: 2 }
      const result = await trial({ ...what, ngram, granularity: "streaming" })
      expect(result.produced).toEqual(await fullDecoding(what))
      expect(result.told.stream).toBeGreaterThan(0)
      expect(result.proposals.proposed).toBeGreaterThan(0)
      expect(toldIn(result)).toBe(result.bytesIn)
      const rows = result.commits.map(({ accepted, rejected }) => accepted + rejected.length + 1)
      expect(Math.max(...rows)).toBeGreaterThan(Math.min(what.window!, maxRows - 1))
      expect(Math.max(...rows)).toBeLessThanOrEqual(maxRows)
      expect([result.leaked, result.hostBytesLeft, result.buffersLeft]).toEqual([0, 0, 0])
    })

  it("over KV that lives in host memory and streams in every step, in far fewer pages than it has", async () => {
    const asked = [
      { prompt: prompt(90, 1), output: 24 },
      { prompt: prompt(33, 2), output: 17 },
      { prompt: prompt(90, 1), output: 9 }
    ]
    const deep = tinyCheckpoint(3, { layers: 6 })
    const what = { checkpoint: deep, kind: "offloaded", asked, maxRows: 64 } as const
    // A context of 114 tokens has eight pages; two of its six layers have three.
    const result = await trial({ ...what, pages: 6 })
    expect(result.produced).toEqual(await fullDecoding(what))
    expect([result.leaked, result.hostBytesLeft, result.buffersLeft]).toEqual([0, 0, 0])
    expect(result.mostPages).toBeLessThanOrEqual(6)
    expect(toldIn(result)).toBe(result.bytesIn)
    expect(result.told.save).toBeGreaterThan(0)
  })

  it("where some requests keep their full KV on the device and the others draft", async () => {
    const asked = [
      { prompt: prompt(90, 1), output: 24 },
      { prompt: prompt(33, 2), output: 17 }
    ]
    const both = { checkpoint, kind: "vericache", compressor: COMPRESSORS[0]!, keep: 0.4, asked } as const
    const all = await trial(both)
    const split = await trial({ ...both, fullKvRequests: 1 })
    expect(split.produced).toEqual(all.produced)
    expect(split.produced).toEqual(await expectedOf(asked, 16))
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
          async ({
            served,
            ngram: drafter,
            compressor: name,
            requests,
            everyTransfer,
            everyPass,
            mortal,
            chunk,
            ...rest
          }) => {
            const compressor = methods.get(name)!
            const asked = requests.map(({ length, seed: from, output, cancelAfter, sampling: drawn }) => ({
              prompt: prompt(length, from),
              output,
              sampling: drawn,
              ...(cancelAfter === undefined ? {} : { cancelAfter })
            }))
            const result = await trial({
              ...rest,
              ...(served === "ngram"
                ? { kind: "drafter", ngram: drafter }
                : served === "vericache+ngram"
                  ? { kind: "vericache", ngram: drafter }
                  : { kind: served }),
              checkpoint,
              compressor,
              // What streams passes the layers once.
              maxNumBatchedTokens: Math.min(chunk, rest.maxRows),
              faults: faultsOf(everyTransfer, everyPass),
              mortal: mortal && everyPass > 0,
              asked
            })
            const expected = await expectedOf(asked, rest.kvBits)
            for (const [id, one] of asked.entries()) {
              const tokens = result.produced[id]!
              const full = expected[id]!
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
