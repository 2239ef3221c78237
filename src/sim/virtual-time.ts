/**
 * Effect fibers on virtual time: the kernel as Effect's Clock and Scheduler. Runnable tasks are drained in order before the
 * clock moves; a fiber that waits is a kernel event or a callback held by an actor. No promises in simulated actors.
 */
import { Clock, Context, Duration, Effect, type Exit, Scheduler } from "effect"
import { Kernel } from "./kernel/kernel.ts"

/** Fibers wait for each other and nothing is due: the simulated program can never go on. */
export class Deadlock extends Error {
  constructor(now: number) {
    super(`deadlock at ${now} ns: a fiber waits and no event is due`)
  }
}

export class VirtualTime implements Clock.Clock, Scheduler.Scheduler {
  readonly kernel = new Kernel()
  readonly executionMode = "sync"
  #ready: (() => void)[] = []
  readonly #sleepers: (() => void)[] = []
  readonly #freeSlots: number[] = []
  readonly #reactor: number

  constructor() {
    this.#reactor = this.kernel.add({
      receive: (_code, slot) => {
        const wake = this.#sleepers[slot]!
        this.#freeSlots.push(slot)
        wake()
      }
    })
  }

  /** What a fiber needs to live on this clock. */
  readonly context = Context.make(Clock.Clock, this as Clock.Clock).pipe(
    Context.add(Scheduler.Scheduler, this as Scheduler.Scheduler)
  )

  /** Waits `ns` nanoseconds. */
  hold(ns: number): Effect.Effect<void> {
    return this.until(this.kernel.now + ns)
  }

  /** Waits until `time`, ns; returns at once if it is past. */
  until(time: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (time <= this.kernel.now) {
        resume(Effect.void)
        return undefined
      }
      const slot = this.#freeSlots.pop() ?? this.#sleepers.length
      this.#sleepers[slot] = () => resume(Effect.void)
      const event = this.kernel.at(time, this.#reactor, 0, slot)
      return Effect.sync(() => {
        this.kernel.cancel(event)
        this.#freeSlots.push(slot)
      })
    })
  }

  /** Runs a program to its end, synchronously. Throws `Deadlock` if it cannot end. */
  simulate<A, E>(program: Effect.Effect<A, E>): Exit.Exit<A, E> {
    const fiber = Effect.runForkWith(this.context)(program)
    for (;;) {
      const exit = this.#advance(() => fiber.pollUnsafe(), Number.POSITIVE_INFINITY)
      if (exit !== undefined) return exit
    }
  }

  /**
   * The same in slices of `events` kernel events with a macrotask between them, so that the host can answer to a signal or
   * draw progress. `onSlice` sees the virtual time, ns; an aborted signal interrupts the program, which then cleans up.
   */
  async simulateAsync<A, E>(
    program: Effect.Effect<A, E>,
    options: {
      readonly events: number
      readonly signal?: AbortSignal
      readonly onSlice?: (now: number) => void
      readonly pause: () => Promise<void>
    }
  ): Promise<Exit.Exit<A, E>> {
    const fiber = Effect.runForkWith(this.context)(program)
    for (;;) {
      if (options.signal?.aborted === true) fiber.interruptUnsafe()
      const exit = this.#advance(() => fiber.pollUnsafe(), options.events)
      if (exit !== undefined) return exit
      options.onSlice?.(this.kernel.now)
      await options.pause()
    }
  }

  /** Runs until the program has ended (its exit) or `events` events are executed (undefined). */
  #advance<X>(poll: () => X | undefined, events: number): X | undefined {
    for (let count = 0; count < events; count++) {
      this.#drain()
      const exit = poll()
      if (exit !== undefined) return exit
      if (!this.kernel.step()) throw new Deadlock(this.kernel.now)
    }
    return undefined
  }

  #drain(): void {
    while (this.#ready.length > 0) {
      const tasks = this.#ready
      this.#ready = []
      for (const task of tasks) task()
    }
  }

  // --- Effect's Scheduler and Clock ---

  readonly #dispatcher: Scheduler.SchedulerDispatcher = {
    scheduleTask: (task) => {
      this.#ready.push(task)
    },
    flush: () => this.#drain()
  }
  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#dispatcher
  }
  shouldYield(): boolean {
    return false
  }
  currentTimeMillisUnsafe(): number {
    return this.kernel.now / 1e6
  }
  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.kernel.now)
  }
  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.kernel.now)
  }
  readonly currentTimeMillis = Effect.sync(() => this.kernel.now / 1e6)
  readonly currentTimeNanos = Effect.sync(() => BigInt(this.kernel.now))
  readonly monotonicTimeNanos = this.currentTimeNanos
  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return this.hold(Duration.toMillis(duration) * 1e6)
  }
}
