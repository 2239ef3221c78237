import { Effect } from "effect"
import { Gpu } from "../runtime/ports.ts"
import { type Held, type Physics, portContract } from "../runtime/ports.contract.ts"
import { BatchGroup } from "../runtime/group.ts"
import type { Compressor } from "./compressors/compressor.ts"
import { identity, verifyFed } from "./compressors/drop.ts"
import { Engine, type Serving } from "./engine.ts"
import { softwareDevice, tinyCheckpoint } from "./engine.fixture.ts"
import { GREEDY } from "./kernels/choose.ts"
import { enginePhysics } from "./physics.ts"

const PROMPT = 16

const physicsOf = async (serving: Serving, compressor: Compressor = identity): Promise<Physics> => {
  const checkpoint = tinyCheckpoint(5)
  const { gpu, device } = await softwareDevice()
  const engine = await Effect.runPromise(
    Engine.open({
      gpu,
      device,
      checkpoint,
      shape: {
        config: checkpoint.config,
        kvBits: 16,
        pageTokens: 16,
        maxTokens: 512,
        slots: 3,
        maxRows: 32,
        queryRows: 1
      },
      pages: 256,
      needs: compressor.needs,
      onProgress: () => {},
      compressor,
      budget: { keep: 1, elementBits: 16, seed: 1 },
      serving,
      onCommit: () => {}
    })
  )
  const { ports } = await Effect.runPromise(enginePhysics(engine, 1e9))

  /** A request with a prompt is computed; one that drafted has made-up drafts behind its newest token. */
  const hold = Effect.fnUntraced(function* (requests: readonly Held[]) {
    const gpuPort = yield* Gpu
    for (const { request, tokens, drafted } of requests) {
      const length = Math.max(tokens, PROMPT)
      const prompt = Array.from({ length }, (_, i) => (7 * i + request) % 61)
      engine.admit(request, { tokens: prompt, maxTokens: 400, sampling: GREEDY })
      if (tokens === 0) continue
      for (let cached = 0; cached < length; cached += PROMPT)
        yield* gpuPort.run({
          index: 0,
          steps: 1,
          decode: new BatchGroup(1, 0),
          draft: new BatchGroup(1, 0),
          verify: [],
          prefill: [
            {
              request,
              tokens: Math.min(PROMPT, length - cached),
              cached,
              last: cached + PROMPT >= length
            }
          ],
          proposals: 0
        })
      engine.session(request).drafts = Array.from({ length: drafted }, (_, i) => i)
    }
  })

  return {
    ports,
    run: (program) => Effect.runPromiseExit(program),
    // Faster than any link there is.
    linkBandwidth: 1e13,
    hold: (requests) => Effect.orDie(Effect.provideContext(hold(requests), ports)),
    // Contexts of 20 and of 30 tokens have two pages, whichever way they go.
    carries: () => 2 * engine.state.cache.pageBytes,
    streams: serving.streams === "verifies",
    close: () => Promise.resolve(engine.close())
  }
}

const ROUNDS = { mode: "rounds", reload: "full" } as const

portContract("the engine", () => physicsOf({ ...ROUNDS, keepsFull: true, streams: "nothing" }))
const STREAMING = { ...ROUNDS, keepsFull: false, streams: "verifies" } as const
portContract("the engine, whose verifies read full KV as it comes", () => physicsOf(STREAMING))
portContract("the engine, whose verifies compress full KV anew as it comes", () =>
  physicsOf(STREAMING, verifyFed)
)
