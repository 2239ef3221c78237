/**
 * A device with one queue, as WebGPU has: passes and copies run one after the other in the order they were submitted. A copy waits for
 * the passes before it and delays those behind it; nothing hides behind anything but the host's own work.
 */
import { Effect } from "effect"
import {
  type Iteration,
  type IterationResult,
  LinkDown,
  type LinkShape,
  type Transfer
} from "../../runtime/ports.ts"
import type { OneQueue } from "../../scenario/resolved.ts"
import type { Kernel } from "../kernel/kernel.ts"
import { hashUniform } from "../kernel/random.ts"
import type { LinkModel } from "./links.ts"
import { type GpuModel, PricedRun, submissionsOf } from "./priced-run.ts"

/** When everything submitted so far is done. */
export class DeviceQueue {
  readonly kernel: Kernel
  #idle = 0
  #passes = false
  readonly #withPass: ((end: number) => void)[] = []

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  /** Submits work of `ns`; the time at which it is done. */
  submit(ns: number): number {
    this.#idle = Math.max(this.kernel.now, this.#idle) + ns
    return this.#idle
  }

  /** Submits passes of `ns`, with which end the copies that go layer by layer with them. */
  submitPasses(ns: number): number {
    const end = this.submit(ns)
    this.#passes = true
    for (const tell of this.#withPass.splice(0)) tell(end)
    return end
  }

  passesDone(): void {
    this.#passes = false
  }

  /** Tells when the passes end that are submitted next, unless others are on the device. */
  whenPassesEnd(tell: (end: number) => void): void {
    if (!this.#passes) this.#withPass.push(tell)
  }
}

/** What a run of passes waits for: the host, then the device. */
const RECORDED = 0
const DONE = 1

/** The passes of a device whose copies wait in the same queue. */
export class QueuedGpu {
  readonly #queue: DeviceQueue
  readonly #model: GpuModel
  readonly #facts: OneQueue
  readonly #reactor: number
  #run:
    | {
        readonly iteration: Iteration
        readonly priced: PricedRun
        readonly start: number
        readonly resume: (result: IterationResult) => void
      }
    | undefined
  /** Steps submitted. */
  #submitted = 0
  #cut = false
  #event = -1

  constructor(queue: DeviceQueue, model: GpuModel, facts: OneQueue) {
    this.#queue = queue
    this.#model = model
    this.#facts = facts
    this.#reactor = queue.kernel.add({
      receive: (code) => (code === RECORDED ? this.#submit() : this.#done())
    })
  }

  readonly run = (iteration: Iteration): Effect.Effect<IterationResult> =>
    Effect.callback<IterationResult>((resume) => {
      this.#run = {
        iteration,
        priced: new PricedRun(this.#model, iteration, this.#facts.steps),
        start: this.#queue.kernel.now,
        resume: (result) => resume(Effect.succeed(result))
      }
      this.#submitted = 0
      this.#cut = false
      this.#record()
      return Effect.sync(() => {
        this.#queue.kernel.cancel(this.#event)
        this.#run = undefined
      })
    })

  /** Nothing of a request is on a simulated device. */
  readonly release = (): void => {}

  /** What is submitted runs: the end of a run in progress comes with the end of its submission. */
  readonly cut = (): void => {
    this.#cut = true
  }

  /** The host records the next passes; copies that are submitted meanwhile go before them. */
  #record(): void {
    const { kernel } = this.#queue
    this.#event = kernel.at(kernel.now + this.#facts.submission * 1e9, this.#reactor, RECORDED, 0)
  }

  #submit(): void {
    const { iteration, priced } = this.#run!
    const from = this.#submitted
    this.#submitted = Math.min(iteration.steps, from + this.#facts.steps)
    // Copies behind a pass run while the host reads what it chose.
    const host = priced.hostNanoseconds(from, this.#submitted)
    const work = priced.nanoseconds(from, this.#submitted, 1) - host
    const layers = submissionsOf(this.#model.streams, iteration.verify.length > 0)
    const between = (layers - 1) * this.#facts.submission * 1e9
    const end = this.#queue.submitPasses(work + between) + host
    this.#event = this.#queue.kernel.at(end, this.#reactor, DONE, 0)
  }

  #done(): void {
    const { iteration, priced, start, resume } = this.#run!
    this.#queue.passesDone()
    if (this.#submitted < iteration.steps && !this.#cut) {
      this.#record()
      return
    }
    this.#run = undefined
    const seconds = (this.#queue.kernel.now - start) * 1e-9
    // Behind copies a pass takes longer than it costs; what is more is the wait for the queue.
    const own = priced.nanoseconds(0, this.#submitted, 1) * 1e-9
    resume({
      ...priced.outcome(this.#submitted, seconds, Math.max(0, seconds - own)),
      ...this.#model.judge.judge(iteration)
    })
  }
}

/**
 * A link whose copies in wait in the device's queue. A large copy is submitted piece by piece, and passes slip in between. A staging buffer has to
 * be had first, which is the latency; where it is had at once (`copiesFirst`) the copy is submitted at once, and the latency is when the host hears of
 * it at the earliest. What streams keeps the queue for its time, since the pass that reads it waits for each layer, and ends with that pass. Rows of a
 * commit were copied out of the cache behind the pass that made them, and are read beside whatever runs; rows of all requests of a pass (no request's
 * own) go home with it.
 */
export const queuedLink = (
  queue: DeviceQueue,
  model: LinkModel,
  { chunk, copiesFirst = false }: OneQueue,
  way: "in" | "out",
  seed: number
): LinkShape => {
  const { kernel } = queue
  const latency = model.latency * 1e9
  const waiting: (() => void)[] = []
  const free: number[] = []
  const reactor = kernel.add({ receive: (_code, slot) => waiting[slot]!() })
  let transfers = 0
  const move = (transfer: Transfer) =>
    Effect.callback<{ readonly bytes: number; readonly seconds: number }, LinkDown>((resume) => {
      const start = kernel.now
      const number = transfers++
      let left = transfer.bytes
      let event = -1
      let gone = false
      const slot = free.pop() ?? waiting.length
      waiting[slot] = () => {
        if (left > 0) {
          const piece = Math.min(left, chunk)
          left -= piece
          const done = queue.submit((piece / model.bandwidth) * 1e9)
          event = kernel.at(copiesFirst ? Math.max(done, start + latency) : done, reactor, 0, slot)
          return
        }
        free.push(slot)
        gone = true
        const fails =
          transfer.kind === "reload" && hashUniform(seed, transfer.request, number, 0xfa11) < model.failure
        resume(
          fails
            ? Effect.fail(new LinkDown({ moved: transfer.bytes }))
            : Effect.succeed({ bytes: transfer.bytes, seconds: (kernel.now - start) * 1e-9 })
        )
      }
      const copying = latency + (transfer.bytes / model.bandwidth) * 1e9
      const endsAt = (at: number): void => {
        left = 0
        event = kernel.at(at, reactor, 0, slot)
      }
      /** Layer by layer with the pass that is about to be submitted; at a time of its own if none is by then. */
      const endsWithPass = (own: number): void => {
        endsAt(own)
        queue.whenPassesEnd((end) => {
          if (gone) return
          kernel.cancel(event)
          endsAt(Math.max(end, own))
        })
      }
      if (transfer.kind === "stream") endsWithPass(queue.submit(copying))
      else if (way === "out" && transfer.request < 0) endsWithPass(start + copying)
      else if (way === "out") endsAt(start + copying)
      else if (copiesFirst) waiting[slot]()
      else event = kernel.at(start + latency, reactor, 0, slot)
      return Effect.sync(() => {
        gone = true
        kernel.cancel(event)
        free.push(slot)
      })
    })
  return { move }
}
