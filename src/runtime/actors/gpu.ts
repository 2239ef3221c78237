import { Effect } from "effect"
import type { Mail } from "../mail.ts"
import { Gpu, type Iteration, type RequestId } from "../ports.ts"
import { Mailbox } from "./mailbox.ts"
import { startActor } from "./supervisor.ts"

/** The GPU of a tensor-parallel group: runs one iteration after the other and reports each to its scheduler. */
export interface GpuActor {
  readonly run: (iteration: Iteration) => void
  readonly cut: () => void
  readonly release: (request: RequestId) => void
}

/** Starts the actor in the current scope. */
export const startGpu = (tell: (mail: Mail) => void) =>
  Effect.gen(function* () {
    const gpu = yield* Gpu
    const mailbox = new Mailbox<Iteration>()
    const serve = Effect.gen(function* () {
      for (;;) {
        for (const iteration of yield* mailbox.take) {
          const outcome = yield* Effect.result(gpu.run(iteration))
          if (outcome._tag === "Success") tell({ type: "passed", result: outcome.success })
          else tell({ type: "device-lost", reason: outcome.failure.reason })
        }
      }
    })
    yield* startActor(serve)
    const actor: GpuActor = {
      run: (iteration) => mailbox.offer(iteration),
      cut: gpu.cut,
      release: gpu.release
    }
    return actor
  })
