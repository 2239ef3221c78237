/** Round after round on one engine while requests come and go, and what it holds meanwhile: nothing may grow. */
import { Effect } from "effect"
import { servingPlan } from "../runtime/serving.ts"
import { findCompressor } from "./compressors/registry.ts"
import { Engine, servingOf } from "./engine.ts"
import { softwareDevice, tinyCheckpoint } from "./engine.fixture.ts"
import { pricedForRun } from "./generate.ts"
import { GREEDY } from "./kernels/choose.ts"
import { enginePhysics } from "./physics.ts"
import { runRequests } from "./run.ts"
import { engineSetup, fixedWindow, SLACK_PAGES } from "./setup.ts"

/** What there is at a moment. */
export interface Holding {
  /** Verified so far. */
  readonly rounds: number
  readonly requests: number
  readonly buffers: number
  readonly bufferBytes: number
  /** Pages of the arena that are taken, and bytes of full KV in host memory. */
  readonly pages: number
  readonly hostBytes: number
}

const WINDOW = 3
const INPUT = 40
const OUTPUT = 121
const MAX_TOKENS = INPUT + OUTPUT
const KEEP = 0.3

/** A round commits no more tokens than it drafted and one: so many requests have at least so many rounds. */
const requestsFor = (rounds: number): number => Math.ceil((rounds * (WINDOW + 1)) / (OUTPUT - 1))

/**
 * Runs at least `rounds` rounds of a tiny model on the software adapter, `concurrency` requests at a time; tells what there is
 * whenever one has ended, and at the end.
 */
export const manyRounds = async (
  rounds: number,
  concurrency: number,
  tell: (holding: Holding) => void
): Promise<void> => {
  const { gpu, device } = await softwareDevice()
  const checkpoint = tinyCheckpoint(3)
  const compressor = findCompressor("snapkv")
  if (!("compress" in compressor)) throw new Error("no method")
  const pagesEach = 3 * Math.ceil(MAX_TOKENS / 16)
  const plan = servingPlan(
    {
      kind: "vericache",
      compressor: pricedForRun(compressor, KEEP),
      window: fixedWindow(WINDOW),
      schedule: "staggered",
      reload: "missing",
      granularity: "whole",
      fullKvRequests: 0
    },
    false
  )
  const program = Effect.gen(function* () {
    let done = 0
    const engine = yield* Effect.acquireRelease(
      Engine.open({
        gpu,
        device,
        checkpoint,
        shape: {
          config: checkpoint.config,
          kvBits: 16,
          pageTokens: 16,
          maxTokens: MAX_TOKENS,
          slots: concurrency,
          maxRows: 64,
          queryRows: compressor.needs.queries ?? 1
        },
        pages: concurrency * 2 * (pagesEach + SLACK_PAGES),
        needs: compressor.needs,
        onProgress: () => {},
        compressor,
        budget: { keep: KEEP, elementBits: 16, seed: 1 },
        serving: servingOf(plan),
        onCommit: ({ accepted, rejected }) => {
          if (accepted + rejected.length > 0) done++
        }
      }),
      (one) => Effect.sync(() => one.close())
    )
    const holding = (): Holding => ({
      rounds: done,
      requests: engine.sessions.size,
      buffers: engine.state.device.allocated.buffers,
      bufferBytes: engine.state.device.allocated.bytes,
      pages: engine.state.cache.pages.used,
      hostBytes: engine.pool.bytes
    })
    const physics = yield* enginePhysics(engine, 1e9)
    const total = requestsFor(rounds)
    let sent = 0
    yield* runRequests(engine, physics, {
      setup: engineSetup({
        plan,
        shape: engine.shape,
        pages: concurrency * pagesEach,
        weightBytes: engine.state.weightBytes,
        hostBytes: 1e9,
        linkBandwidth: 1e9,
        iterationSeconds: 0.005,
        window: WINDOW,
        maxNumBatchedTokens: 64
      }),
      clients: {
        concurrency,
        total,
        timeout: undefined,
        next: () =>
          sent < total
            ? { arrival: 0, spec: { id: sent++, input: INPUT, output: OUTPUT, stored: 0 } }
            : undefined
      },
      // Every request has a prompt of its own, so that none lives on in a prefix another shares.
      promptOf: ({ id }) => ({
        tokens: Array.from({ length: INPUT }, (_, i) => (i < 3 ? (id >> (5 * i)) % 32 : (7 * i + id) % 61)),
        maxTokens: OUTPUT,
        sampling: GREEDY
      }),
      onProgress: () => tell(holding())
    })
    tell(holding())
    return engine
  })
  const engine = await Effect.runPromise(Effect.scoped(program))
  tell({
    rounds,
    requests: engine.sessions.size,
    buffers: engine.state.device.allocated.buffers,
    bufferBytes: engine.state.device.allocated.bytes,
    pages: engine.state.cache.pages.used,
    hostBytes: engine.pool.bytes
  })
}
