/**
 * Effect fibers on virtual time: the kernel as Effect's Clock and Scheduler. Runnable tasks are drained first in, first out
 * before the clock moves; a fiber that waits is a kernel event or a callback held by an actor. No promises in simulated
 * actors: nothing in virtual time could ever wake one.
 */
import { Cause, Clock, Context, Duration, Effect, Exit, type Fiber, Scheduler } from "effect"
import { Kernel } from "./kernel/kernel.ts"

/** The program lives, and nothing can ever wake it: fibers wait for each other, or one for a promise. A defect. */
export class Deadlock extends Error {
  override readonly name = "Deadlock"
  /** When it stopped, ns, and how many kernel events and tasks of fibers had run by then. */
  readonly now: number
  readonly events: number
  readonly tasks: number

  constructor(now: number, events: number, tasks: number) {
    super(
      `deadlock at ${now} ns, after ${events} events and ${tasks} tasks: no event is due and no task is ready, ` +
        "yet the program has not ended. Its fibers wait for each other, or for something outside virtual time (a promise)."
    )
    this.now = now
    this.events = events
    this.tasks = tasks
  }
}

/** How `simulateAsync` gives way to the host. */
export interface Slices {
  /** Kernel events between two pauses. */
  readonly events: number
  /** Ends in a later macrotask of the host (`setImmediate`, a message channel). */
  readonly pause: () => Promise<void>
  /** Aborting interrupts the program, which then cleans up in virtual time. */
  readonly signal?: AbortSignal
  /** Told the virtual time, ns, at each pause. */
  readonly onSlice?: (now: number) => void
}

export class VirtualTime implements Clock.Clock, Scheduler.Scheduler {
  readonly kernel = new Kernel()
  readonly executionMode = "sync"
  readonly #ready = new TaskQueue()
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

  /** Waits `ns` nanoseconds, rounded up, from when it runs. */
  hold(ns: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => this.#wait(this.kernel.now + ns, resume))
  }

  /** Waits until `time`, ns, rounded up; goes on at once if that is past. Infinity waits for ever. */
  until(time: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => this.#wait(time, resume))
  }

  /** Waits until everything that happens at this instant has happened. */
  readonly settled = Effect.callback<void>((resume) => {
    const slot = this.#freeSlots.pop() ?? this.#sleepers.length
    this.#sleepers[slot] = () => resume(Effect.void)
    this.kernel.at(this.kernel.now, this.#reactor, 0, slot)
  })

  #wait(time: number, resume: (effect: Effect.Effect<void>) => void): Effect.Effect<void> | undefined {
    if (time <= this.kernel.now) resume(Effect.void)
    if (time <= this.kernel.now || time === Number.POSITIVE_INFINITY) return undefined
    const slot = this.#freeSlots.pop() ?? this.#sleepers.length
    this.#sleepers[slot] = () => resume(Effect.void)
    const event = this.kernel.at(time, this.#reactor, 0, slot)
    // An interrupted sleeper is cancelled, so that it does not move the clock.
    return Effect.sync(() => {
      this.kernel.cancel(event)
      this.#freeSlots.push(slot)
    })
  }

  /** Runs a program to its end, synchronously. One that can never end is interrupted and exits with a `Deadlock` defect. */
  simulate<A, E>(program: Effect.Effect<A, E>): Exit.Exit<A, E> {
    const fiber = Effect.runForkWith(this.context)(program)
    const exit = this.#advance(fiber, Number.POSITIVE_INFINITY)
    if (exit === undefined) throw new Error("a run without limit stopped before its end")
    return exit
  }

  /** The same in slices, so that the host can answer to a signal or draw progress. */
  async simulateAsync<A, E>(program: Effect.Effect<A, E>, slices: Slices): Promise<Exit.Exit<A, E>> {
    const fiber = Effect.runForkWith(this.context)(program)
    let interrupted = false
    for (;;) {
      if (slices.signal?.aborted === true && !interrupted) {
        interrupted = true
        fiber.interruptUnsafe()
      }
      const exit = this.#advance(fiber, slices.events)
      if (exit !== undefined) return exit
      slices.onSlice?.(this.kernel.now)
      await slices.pause()
    }
  }

  /** Runs until the program has ended (its exit) or `events` events are executed (undefined). */
  #advance<A, E>(fiber: Fiber.Fiber<A, E>, events: number): Exit.Exit<A, E> | undefined {
    for (let count = 0; count < events; count++) {
      this.#ready.drain()
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      if (!this.kernel.step()) return this.#abandon(fiber)
    }
    return undefined
  }

  /** Ends a program that cannot go on: it is interrupted so that it cleans up, and the deadlock is told whatever comes of that. */
  #abandon<A, E>(fiber: Fiber.Fiber<A, E>): Exit.Exit<A, E> {
    const deadlock = new Deadlock(this.kernel.now, this.kernel.executed, this.#ready.executed)
    fiber.interruptUnsafe()
    do this.#ready.drain()
    while (fiber.pollUnsafe() === undefined && this.kernel.step())
    return Exit.failCause(Cause.die(deadlock))
  }

  // --- Effect's Scheduler. Priorities would reorder tasks that are ready at the same instant; there are none here. ---

  readonly #dispatcher: Scheduler.SchedulerDispatcher = {
    scheduleTask: (task) => this.#ready.add(task),
    flush: () => this.#ready.drain()
  }
  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#dispatcher
  }
  /** Never: a pre-emption after so many operations would show in the order of events. */
  shouldYield(): boolean {
    return false
  }

  // --- Effect's Clock ---

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
    // Milliseconds are fractions: to the nearest nanosecond, lest 1.1 ms become 1,100,001 ns.
    return this.hold(Math.round(Duration.toMillis(duration) * 1e6))
  }
}

/** Tasks in the order they came, in a ring that grows by doubling. */
class TaskQueue {
  #ring: (() => void)[] = Array.from({ length: 64 }, () => idle)
  #head = 0
  #size = 0
  /** Tasks run so far. */
  executed = 0

  add(task: () => void): void {
    const length = this.#ring.length
    if (this.#size === length) {
      const inOrder = [...this.#ring.slice(this.#head), ...this.#ring.slice(0, this.#head)]
      this.#ring = [...inOrder, ...Array.from({ length }, () => idle)]
      this.#head = 0
    }
    this.#ring[(this.#head + this.#size++) & (this.#ring.length - 1)] = task
  }

  /** Runs tasks, and those they add, until there are none. May be called by a task: that one then runs those behind it. */
  drain(): void {
    while (this.#size > 0) {
      const task = this.#ring[this.#head]!
      this.#ring[this.#head] = idle
      this.#head = (this.#head + 1) & (this.#ring.length - 1)
      this.#size--
      this.executed++
      task()
    }
  }
}

const idle = (): void => {}
