/** The engine behind its ports, ordered by hand: what a scheduler orders only when transfers fail and the device is lost just so. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { iteration } from "../runtime/ports.contract.ts"
import { Gpu, LinkIn, LinkOut, type PrefillItem } from "../runtime/ports.ts"
import { identity } from "./compressors/drop.ts"
import { Engine, type Serving } from "./engine.ts"
import { fullDecoding, tinyCheckpoint } from "./engine.fixture.ts"
import { GREEDY } from "./kernels/choose.ts"
import { mortalDevice } from "./mortal.fixture.ts"
import { enginePhysics, type Faults } from "./physics.ts"

const LENGTH = 24

const checkpoint = tinyCheckpoint(5)
const { config } = checkpoint

const promptOf = (request: number): readonly number[] =>
  Array.from({ length: LENGTH }, (_, i) => (7 * i + request) % 61)

/** What can be ordered, and the engine that does it. */
interface ByHand {
  readonly engine: Engine
  readonly gpu: Gpu["Service"]
  readonly link: LinkIn["Service"]
  readonly home: LinkOut["Service"]
  /** Computes part of a context. */
  readonly prefill: (item: PrefillItem) => ReturnType<Gpu["Service"]["run"]>
}

/** Runs orders on an engine whose requests draft and verify. */
const byHand = async <A, E>(
  streams: Serving["streams"],
  faults: Faults,
  orders: (hand: ByHand) => Effect.Effect<A, E>
): Promise<A> => {
  const { gpu, device } = await mortalDevice()
  const program = Effect.gen(function* () {
    const engine = yield* Effect.acquireRelease(
      Engine.open({
        gpu,
        device,
        checkpoint,
        shape: { config, kvBits: 16, pageTokens: 16, maxTokens: 64, slots: 2, maxRows: 32, queryRows: 1 },
        pages: 32,
        needs: {},
        onProgress: () => {},
        compressor: identity,
        budget: { keep: 1, elementBits: 16, seed: 1 },
        serving: { mode: "rounds", keepsFull: false, reload: "full", streams },
        onCommit: () => {}
      }),
      (one) => Effect.sync(() => one.close())
    )
    const { ports } = yield* enginePhysics(engine, 1e9, faults)
    return yield* Effect.gen(function* () {
      const [passes, link, home] = [yield* Gpu, yield* LinkIn, yield* LinkOut]
      const prefill = (item: PrefillItem) => passes.run(iteration({ prefill: [item] }))
      return yield* orders({ engine, gpu: passes, link, home, prefill })
    }).pipe(Effect.provideContext(ports))
  })
  const result = await Effect.runPromise(Effect.scoped(program))
  device.close()
  return result
}

/** Takes a request in, computes its prompt and sends its full KV home. */
const begin = ({ engine, prefill, home }: ByHand, request: number) => {
  engine.admit(request, { tokens: promptOf(request), maxTokens: 20, sampling: GREEDY })
  return Effect.andThen(
    prefill({ request, tokens: LENGTH, cached: 0, last: true }),
    home.move({ request, kind: "save", bytes: 1000 })
  )
}

describe("the engine behind its ports", () => {
  it("tells a verify that reads full KV as it comes of a device lost under a reload that its KV waits behind", async () => {
    let loses = false
    const faults: Faults = { pass: () => (loses ? "lose-device" : undefined) }
    const { ends, rebuilds } = await byHand(
      "verifies",
      faults,
      Effect.fnUntraced(function* (hand) {
        const { engine, gpu, link } = hand
        yield* begin(hand, 0)
        yield* begin(hand, 1)
        engine.session(0).drafts = [1, 2, 3]
        loses = true
        // The link carries one transfer at a time: what the verify waits for would come after this one.
        const ends = yield* Effect.all(
          [
            Effect.flip(
              gpu.run(
                iteration({ verify: [{ request: 0, context: LENGTH, drafted: 3, steps: 3, round: 1 }] })
              )
            ),
            Effect.flip(link.move({ request: 1, kind: "reload", bytes: 1000 }))
          ],
          { concurrency: "unbounded" }
        )
        return { ends, rebuilds: engine.rebuilds }
      })
    )
    expect(ends.map(({ _tag }) => _tag)).toEqual(["DeviceLost", "LinkDown"])
    expect(rebuilds).toBe(1)
  })

  for (const [counted, name] of [
    [16, "fewer tokens than are home"],
    [LENGTH, "all tokens that are home"]
  ] as const)
    it(`computes the rest of a context behind a fetch of which ${name} are counted on`, async () => {
      const { tokens, drafts } = await byHand(
        "nothing",
        {},
        Effect.fnUntraced(function* (hand) {
          const { engine, gpu, link, prefill } = hand
          yield* begin(hand, 0)
          gpu.release(0)
          yield* link.move({ request: 0, kind: "fetch", bytes: 1000, tokens: counted })
          if (counted < LENGTH)
            yield* prefill({ request: 0, tokens: LENGTH + 1 - counted, cached: counted, last: true })
          const { tokens, tail, full } = engine.session(0)
          return { tokens: tokens.slice(LENGTH), drafts: tail !== undefined && full === undefined }
        })
      )
      const [full] = await fullDecoding({
        checkpoint,
        kind: "full",
        asked: [{ prompt: promptOf(0), output: 2 }]
      })
      expect(tokens).toEqual(full!.slice(0, tokens.length))
      expect(tokens.length).toBe(counted < LENGTH ? 2 : 1)
      // With all there is, drafts follow at once; otherwise full KV stays until the new rows are home.
      expect(drafts).toBe(counted === LENGTH)
    })
})
