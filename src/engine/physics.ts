/** The engine behind the runtime's ports: real passes, real copies, the wall clock. */
import { Clock, Context, Deferred, Effect } from "effect"
import {
  Corrupt,
  type DeviceLost,
  Gpu,
  type IterationResult,
  type Iteration,
  LinkDown,
  LinkIn,
  LinkOut,
  type LinkShape,
  Network,
  Time
} from "../runtime/ports.ts"
import type { Engine } from "./engine.ts"
import { kvBytesPerToken } from "./model/config.ts"
import { Passes } from "./passes.ts"
import { transfer } from "./transfers.ts"
import type { Stamp } from "./webgpu/timestamps.ts"

/** Faults to inject: each is asked before a transfer or a pass, and may say what goes wrong. */
export interface Faults {
  readonly transfer?: (request: number, kind: string) => "down" | "corrupt" | "late" | undefined
  /** How many times as long a transfer takes as it would: a link that has slowed down. */
  readonly slower?: (request: number, kind: string) => number
  /** Seconds a transfer of so many bytes takes longer than it would, its wait for the device apart: a slower link. */
  readonly pause?: (bytes: number) => number
  readonly pass?: (index: number) => "lose-device" | undefined
}

/** How long a late transfer waits before it begins: several passes of a small model, ms. */
const LATE = 60

export interface EnginePhysics {
  readonly ports: Context.Context<Gpu | LinkIn | LinkOut | Network | Time>
  /** What an `Iteration` costs is measured; how it splits between limits is modelled from this, bytes/s. */
  readonly copyBandwidth: number
}

/** Puts an engine behind the ports. `copyBandwidth`: device-to-device bytes/s measured on this adapter. */
export const enginePhysics = (
  engine: Engine,
  copyBandwidth: number,
  faults: Faults = {}
): Effect.Effect<EnginePhysics> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const start = clock.currentTimeNanosUnsafe()
    // Actors wake each other within one turn of the event loop; what happens in a turn happens at one time.
    const sinceStart = (): number => Number(clock.currentTimeNanosUnsafe() - start)
    let turn: number | undefined
    const now = (): number => {
      if (turn === undefined) {
        turn = sinceStart()
        queueMicrotask(() => {
          turn = undefined
        })
      }
      return turn
    }
    // Timers may fire a little early.
    const until = (at: number): Effect.Effect<void> =>
      Effect.suspend(() =>
        at > now() ? Effect.andThen(Effect.sleep(Math.ceil((at - now()) / 1e6)), until(at)) : Effect.void
      )
    const time = Time.of({ now, until, settled: Effect.yieldNow })
    const passes = new Passes(engine)

    /** A pass is under way; it will notice a lost device itself. */
    let passing: Deferred.Deferred<void> | undefined

    // A device made anew has a clock of its own. Whether the device is lost is for the pass to say.
    const aligned = Effect.suspend(() => engine.state.timestamps?.align(sinceStart) ?? Effect.void).pipe(
      Effect.ignore
    )
    const stamped = (from: number, to: number): Effect.Effect<Stamp | undefined> =>
      Effect.suspend(() => engine.state.timestamps?.take(from, to) ?? Effect.undefined).pipe(
        Effect.catch(() => Effect.undefined)
      )

    const run = (iteration: Iteration): Effect.Effect<IterationResult, DeviceLost> =>
      Effect.gen(function* () {
        yield* aligned
        const from = now()
        const ended = yield* Deferred.make<void>()
        passing = ended
        if (faults.pass?.(iteration.index) === "lose-device") engine.state.device.raw.destroy()
        const { steps, computed, verified, stepped } = yield* passes.run(iteration).pipe(
          Effect.tapError(() => Effect.orDie(engine.rebuild())),
          Effect.ensuring(
            Effect.suspend(() => {
              passing = undefined
              return Deferred.succeed(ended, undefined)
            })
          )
        )
        const to = now()
        const seconds = (to - from) / 1e9
        const device = yield* stamped(from, to)
        const hbmBytes = bytesOf(engine, iteration, computed)
        const hbm = Math.min(seconds, hbmBytes / copyBandwidth)
        return {
          steps,
          seconds,
          verified,
          ...(stepped === undefined ? {} : { stepped }),
          limits: { hbm, compute: seconds - hbm, interconnect: 0, scheduling: 0 },
          hbmBytes,
          ...(device === undefined ? {} : { device })
        }
      })

    /** A transfer that began after `before` rebuilds found its device gone: the pass under way says so, or has said it, or the link must. */
    const lost = (cause: DeviceLost, before: number): Effect.Effect<never, DeviceLost | LinkDown> =>
      Effect.gen(function* () {
        if (engine.rebuilds > before) return yield* new LinkDown({ moved: 0 })
        if (passing !== undefined) {
          // It may wait for KV that would come behind this transfer.
          engine.feed.lose(cause)
          yield* Deferred.await(passing)
          return yield* new LinkDown({ moved: 0 })
        }
        yield* Effect.orDie(engine.rebuild())
        return yield* cause
      })

    const link: LinkShape = {
      move: (order) =>
        Effect.gen(function* () {
          const from = now()
          const { rebuilds } = engine
          const fault = faults.transfer?.(order.request, order.kind)
          // A pass that reads what streams is told what became of it before anybody else is.
          const { feed } = engine
          const streamed = (verdict: "whole" | "void"): void => {
            if (order.kind === "stream") feed.end(verdict)
          }
          if (fault === "down") {
            streamed("void")
            return yield* new LinkDown({ moved: 0 })
          }
          if (fault === "late") yield* Effect.sleep(LATE)
          const bytes = yield* Effect.catchTag(transfer(engine, order, feed), "DeviceLost", (cause) =>
            lost(cause, rebuilds)
          )
          const slower = faults.slower?.(order.request, order.kind) ?? 1
          const pause = faults.pause?.(order.bytes) ?? 0
          if (pause > 0) yield* until(now() + 1e9 * pause)
          if (slower > 1) yield* until(now() + (slower - 1) * (now() - from))
          streamed(fault === "corrupt" ? "void" : "whole")
          if (fault === "corrupt") return yield* new Corrupt({ reason: "a copy arrived damaged" })
          return { bytes, seconds: (now() - from) / 1e9 }
        })
    }
    return {
      copyBandwidth,
      ports: Context.make(
        Gpu,
        Gpu.of({
          run,
          cut: () => passes.cut(),
          release: (id) => {
            const session = engine.sessions.get(id)
            if (session !== undefined) engine.release(session)
          }
        })
      ).pipe(
        Context.add(LinkIn, LinkIn.of(link)),
        Context.add(LinkOut, LinkOut.of(link)),
        Context.add(Network, Network.of(link)),
        Context.add(Time, time)
      )
    }
  })

/** Bytes a run of passes reads from device memory: weights once a step, and the KV its rows attend to. */
const bytesOf = (engine: Engine, { decode, draft, verify, prefill }: Iteration, steps: number): number => {
  const perToken = kvBytesPerToken(engine.shape.config, engine.shape.kvBits / 8)
  const spans =
    verify.reduce((sum, item) => sum + item.context + item.drafted, 0) +
    prefill.reduce((sum, item) => sum + item.cached + item.tokens, 0)
  return steps * (engine.state.weightBytes + (decode.kvTokens + draft.kvTokens + spans) * perToken)
}
