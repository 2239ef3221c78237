/** The GPU of a group in virtual time, beside whose passes copies run on engines of their own. */
import { Effect } from "effect"
import type { Iteration, IterationResult } from "../../runtime/ports.ts"
import type { Kernel } from "../kernel/kernel.ts"
import { type GpuModel, PricedRun } from "./priced-run.ts"

export class SimulatedGpu {
  readonly #kernel: Kernel
  readonly #model: GpuModel
  readonly #reactor: number
  #run:
    | {
        readonly iteration: Iteration
        readonly priced: PricedRun
        readonly start: number
        readonly resume: (result: IterationResult) => void
      }
    | undefined
  /** Step in progress and when it ends, ns, at the present bandwidth. */
  #step = 0
  #stepEnd = 0
  #stopAfter = 0
  #event = -1
  /** Share of HBM bandwidth DMA leaves to the passes. */
  #share = 1

  constructor(kernel: Kernel, model: GpuModel) {
    this.#kernel = kernel
    this.#model = model
    this.#reactor = kernel.add({ receive: () => this.#finish() })
  }

  readonly run = (iteration: Iteration): Effect.Effect<IterationResult> =>
    Effect.callback<IterationResult>((resume) => {
      this.#run = {
        iteration,
        priced: new PricedRun(this.#model, iteration),
        start: this.#kernel.now,
        resume: (result) => resume(Effect.succeed(result))
      }
      this.#step = 0
      this.#stopAfter = iteration.steps - 1
      this.#stepEnd = this.#kernel.now + this.#duration(0)
      this.#schedule()
      return Effect.sync(() => {
        this.#kernel.cancel(this.#event)
        this.#run = undefined
      })
    })

  /** Nothing of a request is on a simulated device. */
  readonly release = (): void => {}

  readonly cut = (): void => {
    if (this.#run === undefined) return
    this.#catchUp()
    if (this.#step >= this.#stopAfter) return
    this.#stopAfter = this.#step
    this.#schedule()
  }

  /** DMA takes or frees HBM bandwidth: the step in progress ends later or sooner from here on. */
  setShare(share: number): void {
    if (share === this.#share) return
    if (this.#run === undefined) {
      this.#share = share
      return
    }
    this.#catchUp()
    const left = (this.#stepEnd - this.#kernel.now) / this.#duration(this.#step)
    this.#share = share
    this.#stepEnd = this.#kernel.now + left * this.#duration(this.#step)
    this.#schedule()
  }

  /** ns of a step at the present share. */
  #duration(i: number): number {
    return this.#run!.priced.nanoseconds(i, i + 1, this.#share)
  }

  /** ns from the end of step `from` to the end of step `to`. */
  #between(from: number, to: number): number {
    return this.#run!.priced.nanoseconds(from + 1, to + 1, this.#share)
  }

  /** Moves `#step` on to the one in progress now. */
  #catchUp(): void {
    const { now } = this.#kernel
    let low = this.#step
    let high = this.#stopAfter
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#stepEnd + this.#between(this.#step, middle) >= now) high = middle
      else low = middle + 1
    }
    this.#stepEnd += this.#between(this.#step, low)
    this.#step = low
  }

  #schedule(): void {
    if (this.#event >= 0) this.#kernel.cancel(this.#event)
    const end = this.#stepEnd + this.#between(this.#step, this.#stopAfter)
    this.#event = this.#kernel.at(Math.max(this.#kernel.now, end), this.#reactor, 0, 0)
  }

  #finish(): void {
    const { iteration, priced, start, resume } = this.#run!
    this.#run = undefined
    this.#event = -1
    const seconds = (this.#kernel.now - start) * 1e-9
    resume({ ...priced.outcome(this.#stopAfter + 1, seconds), ...this.#model.judge.judge(iteration) })
  }
}
