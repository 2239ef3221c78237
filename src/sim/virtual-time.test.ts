import { Cause, Effect, Exit, Fiber, Schedule, Semaphore } from "effect"
import { describe, expect, it } from "vitest"
import { Deadlock, VirtualTime } from "./virtual-time.ts"

const run = <A, E>(
  program: (time: VirtualTime) => Effect.Effect<A, E>
): { readonly exit: Exit.Exit<A, E>; readonly now: number } => {
  const time = new VirtualTime()
  const exit = time.simulate(program(time))
  return { exit, now: time.kernel.now }
}

describe("virtual time", () => {
  it("moves only when nobody can run, in the order of deadlines and then of sleeping", () => {
    const log: string[] = []
    const { now } = run((time) =>
      Effect.all(
        [3, 1, 2, 1].map((ms, i) =>
          time
            .hold(ms * 1e6)
            .pipe(Effect.andThen(Effect.sync(() => log.push(`${i}@${time.kernel.now / 1e6}`))))
        ),
        { concurrency: "unbounded" }
      )
    )
    expect(log).toEqual(["1@1", "3@1", "2@2", "0@3"])
    expect(now).toBe(3e6)
  })

  it("carries Effect's own sleep, timeout, retry and semaphores", () => {
    const { exit, now } = run(() =>
      Effect.gen(function* () {
        const lock = yield* Semaphore.make(1)
        yield* Effect.all(
          [1, 2, 3].map(() => Semaphore.withPermit(lock)(Effect.sleep("1 hour"))),
          { concurrency: "unbounded" }
        )
        const slow = yield* Effect.sleep("1 day").pipe(Effect.timeout("2 hours"), Effect.exit)
        let tries = 0
        yield* Effect.suspend(() => (++tries < 3 ? Effect.fail("not yet") : Effect.void)).pipe(
          Effect.retry(Schedule.spaced("30 minutes"))
        )
        return Exit.isFailure(slow)
      })
    )
    expect(exit).toEqual(Exit.succeed(true))
    expect(now / 3.6e12).toBe(6)
  })

  it("an interrupted sleeper does not move the clock", () => {
    const { now } = run((time) =>
      Effect.gen(function* () {
        const sleeper = yield* Effect.forkChild(time.hold(1e12))
        yield* time.hold(5)
        yield* Fiber.interrupt(sleeper)
      })
    )
    expect(now).toBe(5)
  })

  it("reports a deadlock, and a promise where none may be", () => {
    for (const stuck of [Effect.never, Effect.promise(() => Promise.resolve(1))]) {
      const { exit } = run(() => stuck)
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(Deadlock)
    }
  })

  it("stops in slices, and on a signal interrupts the program, which cleans up", async () => {
    const time = new VirtualTime()
    const abort = new AbortController()
    let cleaned = false
    const program = Effect.forever(time.hold(10)).pipe(
      Effect.onInterrupt(() => Effect.sync(() => void (cleaned = true)))
    )
    let slices = 0
    const exit = await time.simulateAsync(program, {
      events: 100,
      signal: abort.signal,
      onSlice: () => void (++slices === 3 && abort.abort()),
      pause: () => Promise.resolve()
    })
    expect([Exit.isFailure(exit), cleaned, slices]).toEqual([true, true, 3])
  })
})
