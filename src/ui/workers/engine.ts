/** The engine's worker: takes questions, one at a time, and can be told to leave one. */
import { Effect, Exit, Fiber } from "effect"
import type { Job } from "./engine-job.ts"
import type { EngineRequest, FromEngine, ToEngine } from "./engine-protocol.ts"
import { describe } from "./engine-adapter.ts"
import { checkDevice, probeDevice } from "./engine-probe.ts"
import { generateProved } from "./engine-generate.ts"

const answer = (request: EngineRequest, job: Job) => {
  switch (request.kind) {
    case "describe":
      return describe(job)
    case "check":
      return checkDevice(job)
    case "generate":
      return generateProved(request.settings, job)
    case "probe":
      return probeDevice(request.base, job)
  }
}

const post = (message: FromEngine): void => postMessage(message)

interface Running {
  readonly job: Job
  readonly fiber: Fiber.Fiber<unknown, unknown>
}
const running = new Map<number, Running>()
/** Ends with the last question asked: the next one waits for it. */
let before: Promise<unknown> = Promise.resolve()

const run = (id: number, request: EngineRequest): void => {
  const job: Job = { tell: (response) => post({ id, response }), lose: () => {} }
  const earlier = before
  const fiber = Effect.runFork(
    Effect.andThen(
      Effect.promise(() => earlier),
      answer(request, job)
    )
  )
  running.set(id, { job, fiber })
  before = Effect.runPromise(Fiber.await(fiber)).then((exit) => {
    running.delete(id)
    if (Exit.isFailure(exit) && !Exit.hasInterrupts(exit))
      job.tell({ kind: "problem", message: sentence(exit) })
    job.tell({ kind: "done" })
  })
}

const sentence = (exit: Exit.Failure<unknown, unknown>): string => {
  const [first] = exit.cause.reasons
  const error = first?._tag === "Fail" ? first.error : first?._tag === "Die" ? first.defect : undefined
  return error instanceof Error ? error.message : String(error)
}

addEventListener("message", ({ data }: MessageEvent<ToEngine>) => {
  if ("request" in data) run(data.id, data.request)
  else if ("lose" in data) running.get(data.id)?.job.lose()
  else {
    const job = running.get(data.id)
    if (job !== undefined) void Effect.runPromise(Fiber.interrupt(job.fiber))
  }
})
