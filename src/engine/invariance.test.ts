/** The bits of a position depend on its own request alone: not on the pass it is computed in, nor on where its KV lies. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import { openDeviceState } from "./device-state.ts"
import { softwareDevice, tinyCheckpoint } from "./engine.fixture.ts"
import { noise, runs } from "./kernels/kernel.fixture.ts"
import { GREEDY, type Sampling } from "./kernels/choose.ts"
import type { ModelConfig } from "./model/config.ts"
import { type Position, Positions, type Said } from "./model/positions.ts"

const SLOTS = 3
const PAGES = 6
const LENGTH = 72
/** Positions around ends of chunks of attention; from the first on, a token is wanted of each. */
const CHUNK_ENDS = [31, 32, 33, 63, 64, 65, 66]

const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
const bitsOf = ({ logits, token }: Said): string => `${hash(new Uint8Array(logits.buffer))} ${token}`

/** Three requests with tokens and random numbers of their own. */
const tokensOf = (request: number): readonly number[] =>
  Array.from(noise(LENGTH, 17 + request), (value) => Math.floor(30 * (value + 1)))
const samplingOf = (request: number): Sampling => ({
  ...GREEDY,
  temperature: request,
  topP: 0.95,
  repetitionPenalty: 1.1,
  seed: request
})

const open = async (fields: Partial<ModelConfig>, kvBits: 16 | 32, pageTokens: number) => {
  const { gpu, device } = await softwareDevice()
  const checkpoint = tinyCheckpoint(4, fields)
  const { config } = checkpoint
  const pages = PAGES * (16 / pageTokens)
  const state = await Effect.runPromise(
    openDeviceState({
      gpu,
      device,
      checkpoint,
      shape: { config, kvBits, pageTokens, maxTokens: 96, slots: SLOTS, maxRows: 40, queryRows: 1 },
      pages: SLOTS * pages,
      needs: {},
      onProgress: () => {}
    })
  )
  return { state, pages, positions: new Positions(state, state.shape) }
}

type Opened = Awaited<ReturnType<typeof open>>
const opened = new Map<string, { readonly lab: Opened; readonly alone: readonly Alone[] }>()
interface Alone {
  readonly said: readonly string[]
  readonly kv: string
}

/** Every position of every request computed by itself, with its pages in order. */
const alone = async ({ positions, pages }: Opened): Promise<readonly Alone[]> => {
  const results: Alone[] = []
  for (let request = 0; request < SLOTS; request++) {
    positions.open(
      0,
      tokensOf(request),
      Array.from({ length: pages }, (_, i) => i),
      samplingOf(request)
    )
    const said: string[] = []
    for (let position = 0; position < LENGTH; position++) {
      if (position < CHUNK_ENDS[0]!) {
        positions.feed([{ slot: 0, position }])
        continue
      }
      const [one] = await Effect.runPromise(positions.compute([{ slot: 0, position }]))
      said[position] = bitsOf(one!)
    }
    results.push({ said, kv: hash(await Effect.runPromise(positions.kv(0, LENGTH))) })
  }
  return results
}

const VARIANTS: Readonly<
  Record<
    string,
    { readonly fields: Partial<ModelConfig>; readonly kvBits: 16 | 32; readonly pageTokens: number }
  >
> = {
  "grouped queries, f16": { fields: {}, kvBits: 16, pageTokens: 16 },
  "a window, QK-norm and biases, f32, small pages": {
    fields: { slidingWindow: 40, qkNorm: true, qkvBias: true },
    kvBits: 32,
    pageTokens: 8
  }
}

const labOf = async (variant: string) => {
  const known = opened.get(variant)
  if (known !== undefined) return known
  const { fields, kvBits, pageTokens } = VARIANTS[variant]!
  const lab = await open(fields, kvBits, pageTokens)
  const made = { lab, alone: await alone(lab) }
  opened.set(variant, made)
  return made
}

afterAll(() => {
  for (const { lab } of opened.values()) lab.state.close()
})

/** Requests in slots, pages in an order, and cuts of each request into the parts that are computed together. */
const layouts = fc.record({
  variant: fc.constantFrom(...Object.keys(VARIANTS)),
  requests: fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
  order: fc.infiniteStream(fc.nat()).map((stream) => [...stream.take(64)]),
  cuts: fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 13, max: 40 })), {
    minLength: 4,
    maxLength: 30
  }),
  from: fc.constantFrom(...CHUNK_ENDS)
})

const byNumbers = <T>(items: readonly T[], numbers: readonly number[]): T[] =>
  items
    .map((item, i) => ({ item, key: (numbers[i % numbers.length]! + i * 2_654_435_761) % 65_521 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)

describe("a position's logits, token and KV", () => {
  it("are the same bits in any span, batch, order, page layout and chunking", async () => {
    await fc.assert(
      fc.asyncProperty(layouts, async ({ variant, requests, order, cuts, from }) => {
        const { lab, alone: expected } = await labOf(variant)
        const { positions, pages } = lab
        const shuffled = byNumbers(
          Array.from({ length: SLOTS * pages }, (_, i) => i),
          order
        )
        for (const [slot, request] of requests.entries())
          positions.open(
            slot,
            tokensOf(request),
            shuffled.slice(slot * pages, (slot + 1) * pages),
            samplingOf(request)
          )
        const done = requests.map(() => 0)
        for (let pass = 0; done.some((count) => count < LENGTH); pass++) {
          // Each request adds a part of its own length; what lies beyond `from` is asked for its token.
          let room = 40
          const rows: Position[] = []
          for (const slot of byNumbers([...requests.keys()], order.slice(pass % 60))) {
            const count = Math.min(cuts[(pass + slot) % cuts.length]!, LENGTH - done[slot]!, room)
            for (let i = 0; i < count; i++) rows.push({ slot, position: done[slot]! + i })
            done[slot] = done[slot]! + count
            room -= count
          }
          const mixed = byNumbers(rows, order.slice((pass * 7) % 60))
          if (mixed.every(({ position }) => position < from)) {
            positions.feed(mixed)
            continue
          }
          const said = await Effect.runPromise(positions.compute(mixed))
          for (const [i, { slot, position }] of mixed.entries())
            if (position >= CHUNK_ENDS[0]!)
              expect([slot, position, bitsOf(said[i]!)]).toEqual([
                slot,
                position,
                expected[requests[slot]!]!.said[position]
              ])
        }
        for (const [slot, request] of requests.entries())
          expect(hash(await Effect.runPromise(positions.kv(slot, LENGTH)))).toBe(expected[request]!.kv)
      }),
      runs(6)
    )
  })

  it("differ from request to request, and with the KV before them", async () => {
    const { lab, alone: expected } = await labOf(Object.keys(VARIANTS)[0]!)
    expect(new Set(expected.map(({ kv }) => kv)).size).toBe(SLOTS)
    const changed = tokensOf(1).with(3, (tokensOf(1)[3]! + 1) % 60)
    lab.positions.open(0, changed, [0, 1, 2, 3, 4, 5], samplingOf(1))
    for (let from = 0; from < LENGTH; from += 36)
      lab.positions.feed(Array.from({ length: 36 }, (_, i) => ({ slot: 0, position: from + i })))
    const [said] = await Effect.runPromise(lab.positions.compute([{ slot: 0, position: LENGTH - 1 }]))
    expect(bitsOf(said!)).not.toBe(expected[1]!.said[LENGTH - 1])
  })
})
