import { Cause, Context, Deferred, Effect, type Scope } from "effect"

/** Watches over the actors of a run: the fault of one ends all, with its cause. */
export class Supervisor extends Context.Service<
  Supervisor,
  { readonly escalate: (cause: Cause.Cause<never>) => void }
>()("vericache/Supervisor") {}

/** Starts an actor's loop in the current scope, under supervision. */
export const startActor = (loop: Effect.Effect<void>): Effect.Effect<void, never, Supervisor | Scope.Scope> =>
  Effect.gen(function* () {
    const { escalate } = yield* Supervisor
    yield* Effect.forkScoped(loop.pipe(Effect.onError((cause) => Effect.sync(() => escalate(cause)))))
  })

/** Runs a program whose actors, when one of them fails, take it down with them. Closing their scope is no failure. */
export const supervised = <A, E, R>(
  program: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Supervisor>> =>
  Effect.gen(function* () {
    const fault = yield* Deferred.make<never>()
    const escalate = (cause: Cause.Cause<never>): void => {
      if (!Cause.hasInterruptsOnly(cause)) Deferred.doneUnsafe(fault, Effect.failCause(cause))
    }
    const watched = Effect.provideService(program, Supervisor, Supervisor.of({ escalate }))
    return yield* Effect.raceFirst(watched, Deferred.await(fault))
  })
