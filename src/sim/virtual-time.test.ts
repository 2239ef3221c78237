import {
  Cause,
  Clock,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Option,
  Queue,
  Schedule,
  Semaphore
} from "effect"
import { describe, expect, it } from "vitest"
import { Random } from "./kernel/random.ts"
import { Deadlock, VirtualTime } from "./virtual-time.ts"

const MS = 1e6
const HOUR = 3600e9

/** Runs a program on a new clock: its value and when it ended, ns. */
const run = <A, E>(
  program: (time: VirtualTime) => Effect.Effect<A, E>
): { readonly value: A; readonly end: number } => {
  const time = new VirtualTime()
  const exit = time.simulate(program(time))
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  return { value: exit.value, end: time.kernel.now }
}

/** The deadlock a program ended in. */
const deadlockOf = (exit: Exit.Exit<unknown, unknown>): Deadlock => {
  const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  if (!(defect instanceof Deadlock)) throw new Error(`no deadlock: ${String(exit)}`)
  return defect
}

const pause = (): Promise<void> => new Promise((resume) => setImmediate(resume))

describe("order", () => {
  it("runs everything that is ready at an instant, first in first out, before time moves", () => {
    const { value, end } = run((time) =>
      Effect.gen(function* () {
        const log: string[] = []
        const fiber = (name: string, ns: number) =>
          Effect.gen(function* () {
            log.push(`${name} starts`)
            yield* Effect.yieldNow
            log.push(`${name} goes on`)
            yield* time.hold(ns)
            log.push(`${name} at ${time.kernel.now}`)
          })
        yield* Effect.all([fiber("a", 20), fiber("b", 10), fiber("c", 20)], { concurrency: "unbounded" })
        return log
      })
    )
    expect(value.slice(0, 3)).toEqual(["a starts", "b starts", "c starts"])
    expect(value.slice(3, 6)).toEqual(["a goes on", "b goes on", "c goes on"])
    expect(value.slice(6)).toEqual(["b at 10", "a at 20", "c at 20"])
    expect(end).toBe(20)
  })

  it("keeps the order of thousands of tasks at one instant", () => {
    const ids = Array.from({ length: 5000 }, (_, i) => i)
    const { value, end } = run(() =>
      Effect.gen(function* () {
        const order: number[] = []
        // The queue has moved on before it must grow.
        yield* Effect.yieldNow.pipe(Effect.repeat(Schedule.recurs(9)))
        const task = (id: number) => Effect.yieldNow.pipe(Effect.andThen(Effect.sync(() => order.push(id))))
        yield* Effect.forEach(ids, task, { concurrency: "unbounded", discard: true })
        return order
      })
    )
    expect(value).toEqual(ids)
    expect(end).toBe(0)
  })

  it("repeats itself exactly", () => {
    const history = (): readonly string[] =>
      run((time) =>
        Effect.gen(function* () {
          const random = new Random(11, "jobs")
          const log: string[] = []
          const mail = yield* Queue.unbounded<number>()
          const worker = (name: string) =>
            Effect.gen(function* () {
              const job = yield* Queue.take(mail)
              yield* time.hold(random.exponential(50))
              log.push(`${time.kernel.now} ${name} ${job}`)
            }).pipe(Effect.forever)
          for (const name of ["x", "y", "z"]) yield* Effect.forkChild(worker(name))
          for (let job = 0; job < 200; job++) {
            yield* time.hold(random.exponential(20))
            yield* Queue.offer(mail, job)
          }
          yield* time.hold(10_000)
          return log
        })
      ).value
    const log = history()
    expect(log).toHaveLength(200)
    expect(history()).toEqual(log)
  })
})

describe("waiting", () => {
  it("counts a hold from when it runs, not from when it was written down", () => {
    const { end } = run((time) => {
      const step = time.hold(7)
      return step.pipe(Effect.repeat(Schedule.recurs(4)))
    })
    expect(end).toBe(35)
  })

  it("goes on at once when the time to wait for is past", () => {
    const { end } = run((time) =>
      time.hold(10).pipe(Effect.andThen(time.until(3)), Effect.andThen(time.until(10)))
    )
    expect(end).toBe(10)
  })

  it("rounds a duration to the nearest nanosecond", () => {
    const lengths = [1.1, 0.3, 2.7, 1234.567891]
    const { end } = run(() => Effect.forEach(lengths, (ms) => Effect.sleep(Duration.millis(ms))))
    expect(end).toBe(1_100_000 + 300_000 + 2_700_000 + 1_234_567_891)
  })

  it("tells Effect's clock the virtual time", () => {
    const now = Effect.all([Clock.currentTimeMillis, Clock.currentTimeNanos])
    const { value } = run(() => Effect.sleep("1500 millis").pipe(Effect.andThen(now)))
    expect(value).toEqual([1500, 1_500_000_000n])
  })

  it("retries on a schedule in virtual time", () => {
    let attempts = 0
    const { value, end } = run(() =>
      Effect.suspend(() => (++attempts < 5 ? Effect.fail("not yet") : Effect.succeed("done"))).pipe(
        Effect.retry(Schedule.exponential("10 millis"))
      )
    )
    expect(value).toBe("done")
    expect(end).toBe((10 + 20 + 40 + 80) * MS)
  })

  it("queues fibers at a semaphore in the order they came", () => {
    const { value, end } = run((time) =>
      Effect.gen(function* () {
        const order: number[] = []
        const permits = yield* Semaphore.make(2)
        const job = (id: number) =>
          Semaphore.withPermit(permits)(
            time.hold(HOUR).pipe(Effect.tap(() => Effect.sync(() => order.push(id))))
          )
        yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6], job, { concurrency: "unbounded", discard: true })
        return order
      })
    )
    expect(value).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(end).toBe(4 * HOUR)
  })
})

describe("an interrupted sleeper", () => {
  it("does not move the clock when a timeout won", () => {
    const { value, end } = run((time) =>
      Effect.gen(function* () {
        const slow = yield* time.hold(HOUR).pipe(Effect.timeoutOption("2 seconds"))
        const fast = yield* time.hold(1e9).pipe(Effect.as("in time"), Effect.timeoutOption("2 seconds"))
        return [slow, fast]
      })
    )
    expect(value).toEqual([Option.none(), Option.some("in time")])
    expect(end).toBe(3e9)
  })

  it("leaves no event behind", () => {
    const { value, end } = run((time) =>
      Effect.gen(function* () {
        const sleeper = yield* Effect.forkChild(time.hold(1e12))
        yield* time.hold(5)
        yield* Fiber.interrupt(sleeper)
        return time.kernel.pending
      })
    )
    expect([value, end]).toEqual([0, 5])
  })
})

describe("the end", () => {
  it("is the program's own exit", () => {
    expect(new VirtualTime().simulate(Effect.succeed(1))).toEqual(Exit.succeed(1))
    expect(new VirtualTime().simulate(Effect.fail("no"))).toEqual(Exit.fail("no"))
    const defect = new VirtualTime().simulate(Effect.die("broken"))
    expect(Exit.isFailure(defect) && Cause.squash(defect.cause)).toBe("broken")
  })

  it("is a deadlock, told with when and after how much, once the program has cleaned up", () => {
    const time = new VirtualTime()
    let cleaned = -1
    const stuck = Effect.gen(function* () {
      const never = yield* Deferred.make<void>()
      yield* time.hold(42)
      yield* Deferred.await(never)
    })
    const clean = time.hold(5).pipe(Effect.andThen(Effect.sync(() => void (cleaned = time.kernel.now))))
    const deadlock = deadlockOf(time.simulate(stuck.pipe(Effect.ensuring(clean))))
    expect([deadlock.now, deadlock.events]).toEqual([42, 1])
    expect(deadlock.message).toContain("deadlock at 42 ns, after 1 events")
    expect(cleaned).toBe(47)
  })

  it("is a deadlock when two fibers wait for each other, or one for ever", () => {
    const crossed = Effect.gen(function* () {
      const [left, right] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const pass = (from: typeof left, to: typeof left) =>
        Deferred.await(from).pipe(Effect.andThen(Deferred.succeed(to, undefined)))
      yield* Effect.all([pass(left, right), pass(right, left)], { concurrency: 2 })
    })
    for (const stuck of [crossed, Effect.never, Effect.sleep(Duration.infinity)]) {
      expect(deadlockOf(new VirtualTime().simulate(stuck)).now).toBe(0)
    }
  })

  it("is a deadlock when an actor waits for a promise, however long the host pauses", async () => {
    const promise = Effect.promise(() => Promise.resolve(1))
    const program = (time: VirtualTime) => time.hold(8).pipe(Effect.andThen(promise))
    const straight = new VirtualTime()
    expect(deadlockOf(straight.simulate(program(straight))).message).toContain("a promise")
    const sliced = new VirtualTime()
    const exit = await sliced.simulateAsync(program(sliced), { events: 8, pause })
    expect(deadlockOf(exit).now).toBe(8)
  })
})

describe("in slices", () => {
  it("pauses every so many events, and ends as it would without", async () => {
    const program = (time: VirtualTime) => time.hold(10).pipe(Effect.repeat(Schedule.recurs(9)))
    const sliced = new VirtualTime()
    const slices: number[] = []
    const exit = await sliced.simulateAsync(program(sliced), {
      events: 4,
      pause,
      onSlice: (now) => slices.push(now)
    })
    const straight = new VirtualTime()
    expect(exit).toEqual(straight.simulate(program(straight)))
    expect(slices).toEqual([40, 80])
    expect([sliced.kernel.now, straight.kernel.now]).toEqual([100, 100])
  })

  it("interrupts the program when the host aborts, and its cleaning up takes virtual time", async () => {
    const time = new VirtualTime()
    const host = new AbortController()
    let cleaned = -1
    const clean = time.hold(5).pipe(Effect.andThen(Effect.sync(() => void (cleaned = time.kernel.now))))
    const exit = await time.simulateAsync(time.hold(10).pipe(Effect.forever, Effect.ensuring(clean)), {
      events: 10,
      pause,
      signal: host.signal,
      onSlice: (now) => {
        if (now >= 200) host.abort()
      }
    })
    expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
    expect(cleaned).toBe(205)
  })
})
