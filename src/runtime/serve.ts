/** A whole deployment at work: replicas, the clients that send to them, and the books at the end. */
import { Deferred, Effect, type Scope } from "effect"
import type { Outcome } from "../protocol/vocabulary.ts"
import type { OutOfMemory, RequestId, Time } from "./ports.ts"
import { Time as TimePort } from "./ports.ts"
import { Mailbox } from "./actors/mailbox.ts"
import type { Replica } from "./actors/replica.ts"
import { startActor, type Supervisor } from "./actors/supervisor.ts"
import type { RequestSpec } from "./served.ts"

/** What clients do. `next` yields specs with the time they arrive, ns; a closed loop sends one whenever one ends. */
export interface Clients {
  readonly concurrency: number | undefined
  readonly total: number
  readonly next: () => { readonly spec: RequestSpec; readonly arrival: number } | undefined
  /** Gives up on a request this many ns after it arrived; undefined = never. */
  readonly timeout: number | undefined
}

/** Starts replica number `index`; it tells every end to `onEnded`. */
export type StartReplica = (
  index: number,
  onEnded: (request: RequestId, outcome: Outcome) => void
) => Effect.Effect<Replica, OutOfMemory, Time | Supervisor | Scope.Scope>

/**
 * Serves all requests of `clients` on `replicas` replicas and returns the time of the last end, ns. A request goes to the
 * replica with the fewest outstanding ones, the lowest number on a tie.
 */
export const serve = (
  clients: Clients,
  replicas: number,
  start: StartReplica,
  onProgress: (ended: number) => void
): Effect.Effect<number, OutOfMemory, Time | Supervisor> =>
  Effect.scoped(
    Effect.gen(function* () {
      const time = yield* TimePort
      const done = yield* Deferred.make<number>()
      const home = new Map<RequestId, Replica>()
      const group: Replica[] = []
      const { timeout } = clients
      const deadlines = new Mailbox<{ readonly id: RequestId; readonly at: number }>()
      let ended = 0

      const send = (spec: RequestSpec): void => {
        const target = group.reduce((best, replica) =>
          replica.outstanding() < best.outstanding() ? replica : best
        )
        home.set(spec.id, target)
        if (timeout !== undefined) deadlines.offer({ id: spec.id, at: time.now() + timeout })
        target.send(spec)
      }
      const onEnded = (request: RequestId): void => {
        home.delete(request)
        ended++
        onProgress(ended)
        if (clients.concurrency !== undefined) {
          const next = clients.next()
          if (next !== undefined) send(next.spec)
        }
        if (ended === clients.total) Deferred.doneUnsafe(done, Effect.succeed(time.now()))
      }
      for (let index = 0; index < replicas; index++) group.push(yield* start(index, onEnded))

      const watch = Effect.gen(function* () {
        // One patience for all: deadlines come in order of arrival.
        for (;;) {
          for (const { id, at } of yield* deadlines.take) {
            yield* time.until(at)
            home.get(id)?.cancel(id, "timeout")
          }
        }
      })
      const arrive = Effect.gen(function* () {
        for (let next = clients.next(); next !== undefined; next = clients.next()) {
          yield* time.until(next.arrival)
          send(next.spec)
        }
      })
      if (timeout !== undefined) yield* startActor(watch)
      if (clients.total === 0) return 0
      if (clients.concurrency === undefined) yield* startActor(arrive)
      else {
        for (let i = 0; i < clients.concurrency; i++) {
          const next = clients.next()
          if (next !== undefined) send(next.spec)
        }
      }
      return yield* Deferred.await(done)
    })
  )
