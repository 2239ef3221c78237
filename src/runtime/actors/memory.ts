import { Deferred, Effect, type Scope } from "effect"
import { OutOfMemory } from "../ports.ts"
import { Mailbox } from "./mailbox.ts"
import { startActor, type Supervisor } from "./supervisor.ts"

/** A memory with a capacity: HBM of a group, or the host memory of a node. */
export interface MemoryActor {
  /** Holds `bytes` until the scope closes; fails at once if they are not free. */
  readonly reserve: (bytes: number) => Effect.Effect<void, OutOfMemory, Scope.Scope>
  readonly used: () => number
  readonly capacity: number
}

type Letter =
  | {
      readonly type: "reserve"
      readonly bytes: number
      readonly answer: Deferred.Deferred<void, OutOfMemory>
    }
  | { readonly type: "release"; readonly bytes: number }

/** Starts the actor in the current scope. It owns the ledger; leases are its scoped resources. */
export const startMemory = (capacity: number): Effect.Effect<MemoryActor, never, Supervisor | Scope.Scope> =>
  Effect.gen(function* () {
    const mailbox = new Mailbox<Letter>()
    let used = 0
    const serve = Effect.gen(function* () {
      for (;;) {
        for (const letter of yield* mailbox.take) {
          if (letter.type === "release") {
            used -= letter.bytes
            continue
          }
          const free = capacity - used
          if (letter.bytes > free) {
            yield* Deferred.fail(letter.answer, new OutOfMemory({ asked: letter.bytes, free }))
            continue
          }
          used += letter.bytes
          yield* Deferred.succeed(letter.answer, undefined)
        }
      }
    })
    yield* startActor(serve)
    return {
      capacity,
      used: () => used,
      reserve: (bytes) =>
        Effect.acquireRelease(
          Effect.gen(function* () {
            const answer = yield* Deferred.make<void, OutOfMemory>()
            mailbox.offer({ type: "reserve", bytes, answer })
            yield* Deferred.await(answer)
          }),
          () => Effect.sync(() => mailbox.offer({ type: "release", bytes }))
        )
    }
  })
