/** A device lost while full KV is on its way: whoever waits for it must hear of the loss, whichever transfer found it. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { BatchGroup } from "../runtime/group.ts"
import { type Iteration, Gpu, LinkIn, LinkOut } from "../runtime/ports.ts"
import { identity } from "./compressors/drop.ts"
import { Engine } from "./engine.ts"
import { tinyCheckpoint } from "./engine.fixture.ts"
import { GREEDY } from "./kernels/choose.ts"
import { mortalDevice } from "./mortal.fixture.ts"
import { enginePhysics } from "./physics.ts"

const LENGTH = 24

const iteration = (fields: Partial<Iteration>): Iteration => ({
  index: 0,
  steps: 1,
  decode: new BatchGroup(1, 0),
  draft: new BatchGroup(1, 0),
  verify: [],
  prefill: [],
  proposals: 0,
  ...fields
})

describe("a verify that reads full KV as it comes", () => {
  it("hears that the device is gone from a reload that its KV waits behind", async () => {
    const { gpu, device } = await mortalDevice()
    const checkpoint = tinyCheckpoint(5)
    const { config } = checkpoint
    let loses = false
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
          serving: { mode: "rounds", keepsFull: false, reload: "full", streams: "verifies" },
          onCommit: () => {}
        }),
        (one) => Effect.sync(() => one.close())
      )
      const { ports } = yield* enginePhysics(engine, 1e9, {
        pass: () => (loses ? "lose-device" : undefined)
      })
      return yield* Effect.gen(function* () {
        const [passes, link, home] = [yield* Gpu, yield* LinkIn, yield* LinkOut]
        for (const request of [0, 1]) {
          const tokens = Array.from({ length: LENGTH }, (_, i) => (7 * i + request) % 61)
          engine.admit(request, { tokens, maxTokens: 20, sampling: GREEDY })
          yield* passes.run(iteration({ prefill: [{ request, tokens: LENGTH, cached: 0, last: true }] }))
          yield* home.move({ request, kind: "save", bytes: 1000 })
        }
        engine.session(0).drafts = [1, 2, 3]
        loses = true
        // The link carries one transfer at a time: what the verify waits for would come after this one.
        const ends = yield* Effect.all(
          [
            Effect.flip(
              passes.run(
                iteration({ verify: [{ request: 0, context: LENGTH, drafted: 3, steps: 3, round: 1 }] })
              )
            ),
            Effect.flip(link.move({ request: 1, kind: "reload", bytes: 1000 }))
          ],
          { concurrency: "unbounded" }
        )
        return { ends, rebuilds: engine.rebuilds }
      }).pipe(Effect.provideContext(ports))
    })
    const { ends, rebuilds } = await Effect.runPromise(Effect.scoped(program))
    device.close()
    expect(ends.map(({ _tag }) => _tag)).toEqual(["DeviceLost", "LinkDown"])
    expect(rebuilds).toBe(1)
  })
})
