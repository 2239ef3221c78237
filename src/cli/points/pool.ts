/** Points simulated on worker threads, a kernel each: the `PointRunner` of the command line. */
import { availableParallelism } from "node:os"
import type { Worker } from "node:worker_threads"
import { Cause, Effect, Layer, Queue, Stream } from "effect"
import {
  type BaseScenario,
  type PointOptions,
  type PointRequest,
  type PointResult,
  PointRunner,
  readBase
} from "../../planning/points.ts"
import { readFile } from "../files.ts"
import { type OutcomeMessage, type PointMessage, type ReadyMessage, startWorker } from "./worker.ts"

/** Points that were asked for together. */
interface Run {
  readonly id: number
  readonly base: BaseScenario
  readonly options: PointOptions
  readonly points: Iterator<PointRequest>
  /** Number of the next point. */
  next: number
  /** Points sent and not back. */
  outstanding: number
  /** All points have been taken. */
  exhausted: boolean
  readonly onResult: (result: PointResult) => void
  readonly onEnd: () => void
  /** Threads cannot be started. */
  readonly onBroken: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  ready: boolean
  /** What it works on. */
  current: PointMessage | undefined
  /** Runs whose base it has. */
  readonly bases: Set<number>
}

/** Threads are started as there is work for them, and kept for what comes next. */
class Pool {
  readonly #most: number
  readonly #threads: Thread[] = []
  readonly #runs = new Map<number, Run>()
  #started = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Begins a run; the function returned drops what is left of it. */
  begin(run: Omit<Run, "id" | "next" | "outstanding" | "exhausted">): () => void {
    const id = this.#started++
    this.#runs.set(id, { ...run, id, next: 0, outstanding: 0, exhausted: false })
    this.#dispatch()
    return () => this.#forget(id)
  }

  async stop(): Promise<void> {
    const threads = this.#threads.splice(0)
    await Promise.all(threads.map(({ worker }) => worker.removeAllListeners().terminate()))
  }

  #forget(id: number): void {
    if (!this.#runs.delete(id)) return
    for (const { worker, bases } of this.#threads)
      if (bases.delete(id)) worker.postMessage({ run: id, ended: true })
  }

  #dispatch(): void {
    for (;;) {
      const idle = this.#threads.find(({ current }) => current === undefined)
      if (idle === undefined && this.#threads.length >= this.#most) return
      const taken = this.#take()
      if (taken === undefined) return
      this.#send(idle ?? this.#start(), ...taken)
    }
  }

  /** The next point of the oldest run that has one. */
  #take(): readonly [run: Run, point: PointMessage] | undefined {
    for (const run of this.#runs.values()) {
      if (run.exhausted) continue
      const { done, value } = run.points.next()
      if (done !== true) return [run, { run: run.id, index: run.next++, point: value }]
      run.exhausted = true
      this.#endIfDone(run)
    }
    return undefined
  }

  #send(thread: Thread, run: Run, message: PointMessage): void {
    const { id, base, options } = run
    if (!thread.bases.has(id)) {
      thread.bases.add(id)
      thread.worker.postMessage({ run: id, base, options })
    }
    thread.current = message
    run.outstanding++
    thread.worker.postMessage(message)
  }

  #start(): Thread {
    const worker = startWorker()
    const thread: Thread = { worker, ready: false, current: undefined, bases: new Set() }
    worker.on("message", (message: OutcomeMessage | ReadyMessage) => {
      if ("ready" in message) thread.ready = true
      else this.#back(thread, message)
    })
    worker.on("error", (error: unknown) => this.#broken(thread, error))
    this.#threads.push(thread)
    return thread
  }

  #back(thread: Thread, { run: id, index, outcome }: OutcomeMessage): void {
    thread.current = undefined
    const run = this.#runs.get(id)
    if (run !== undefined) {
      run.outstanding--
      run.onResult({ index, outcome })
    }
    this.#dispatch()
    if (run !== undefined) this.#endIfDone(run)
  }

  /** A thread that ended by itself, out of memory for one: its point has failed, another thread takes its place. */
  #broken(thread: Thread, error: unknown): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1)
    const { current } = thread
    if (current === undefined || !thread.ready) {
      for (const run of this.#runs.values()) run.onBroken(error)
      return
    }
    const reason = error instanceof Error ? error.message : String(error)
    this.#back(thread, {
      run: current.run,
      index: current.index,
      outcome: { kind: "failed", reason }
    })
  }

  #endIfDone(run: Run): void {
    if (!run.exhausted || run.outstanding > 0 || !this.#runs.has(run.id)) return
    this.#forget(run.id)
    run.onEnd()
  }
}

/** As many threads as there are cores, or `workers`. */
export const pointWorkers = (workers: number = availableParallelism()): Layer.Layer<PointRunner> =>
  Layer.effect(
    PointRunner,
    Effect.acquireRelease(
      Effect.sync(() => new Pool(workers)),
      (pool) => Effect.promise(() => pool.stop())
    ).pipe(
      Effect.map((pool) =>
        PointRunner.of({
          run: (base, points, options = {}) =>
            Stream.callback((queue) =>
              Effect.andThen(
                Effect.fromResult(readBase(base, readFile)),
                Effect.acquireRelease(
                  Effect.sync(() =>
                    pool.begin({
                      base,
                      options,
                      points: points[Symbol.iterator](),
                      onResult: (result) => Queue.offerUnsafe(queue, result),
                      onEnd: () => Queue.endUnsafe(queue),
                      onBroken: (error) => Queue.failCauseUnsafe(queue, Cause.die(error))
                    })
                  ),
                  (drop) => Effect.sync(drop)
                )
              )
            )
        })
      )
    )
  )
