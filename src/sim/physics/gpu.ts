/**
 * The GPU of a group in virtual time. A run of decode or draft steps grows by the same KV every step, so its step times are
 * affine in the step: the run is priced at its ends and costs the same however long it is.
 */
import { Effect } from "effect"
import type { Group, Iteration, IterationResult } from "../../runtime/ports.ts"
import type { CostModel } from "../cost/cost-model.ts"
import { type AttentionLoad, costSeconds, emptyCost, emptyLoad, type PassCost } from "../cost/load.ts"
import type { Kernel } from "../kernel/kernel.ts"
import type { Judge } from "./judge.ts"

/** How a group's passes are priced and judged. */
export interface GpuModel {
  readonly cost: CostModel
  readonly judge: Judge
  /** Query–key pairs per KV token of a draft step: 1 for dropped entries, 1/keep for quantised ones. */
  readonly draftPairs: number
  /** Window of sliding-window layers, tokens; 0 if there are none. */
  readonly window: number
  /** Bytes a classical drafter reads per proposal, and per KV token it has. */
  readonly drafterWeights: number
  readonly drafterKv: number
}

/** A run of steps whose costs go from those of the first to those of the last in equal strides. */
interface Steps {
  readonly first: PassCost
  readonly last: PassCost
  readonly count: number
}

/** Value at step `i` of `count` that go evenly from `first` to `last`. */
const at = (first: number, last: number, count: number, i: number): number =>
  count === 1 ? first : first + ((last - first) * i) / (count - 1)

/** Sum over steps [from, to), at least one. */
const sum = (first: number, last: number, count: number, from: number, to: number): number =>
  ((at(first, last, count, from) + at(first, last, count, to - 1)) / 2) * (to - from)

export class SimulatedGpu {
  readonly #kernel: Kernel
  readonly #model: GpuModel
  readonly #reactor: number
  readonly #load = emptyLoad()
  #run:
    | {
        readonly iteration: Iteration
        readonly steps: Steps
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
      const first = this.#price(iteration, 0)
      const last = iteration.steps === 1 ? first : this.#price(iteration, iteration.steps - 1)
      const steps = { first, last, count: iteration.steps }
      this.#run = {
        iteration,
        steps,
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
    const { first, last, count } = this.#run!.steps
    const hbm = at(first.hbm, last.hbm, count, i)
    const rest =
      at(first.compute, last.compute, count, i) +
      at(first.interconnect, last.interconnect, count, i) +
      at(first.scheduling, last.scheduling, count, i)
    return (rest + hbm / this.#share) * 1e9
  }

  /** ns from the end of step `from` to the end of step `to`. */
  #between(from: number, to: number): number {
    if (to <= from) return 0
    const { first, last, count } = this.#run!.steps
    const hbm = sum(first.hbm, last.hbm, count, from + 1, to + 1)
    const rest =
      sum(first.compute, last.compute, count, from + 1, to + 1) +
      sum(first.interconnect, last.interconnect, count, from + 1, to + 1) +
      sum(first.scheduling, last.scheduling, count, from + 1, to + 1)
    return (rest + hbm / this.#share) * 1e9
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
    const { iteration, steps, start, resume } = this.#run!
    this.#run = undefined
    this.#event = -1
    const count = this.#stopAfter + 1
    const seconds = (this.#kernel.now - start) * 1e-9
    const { first, last } = steps
    const compute = sum(first.compute, last.compute, steps.count, 0, count)
    const interconnect = sum(first.interconnect, last.interconnect, steps.count, 0, count)
    const scheduling = sum(first.scheduling, last.scheduling, steps.count, 0, count)
    resume({
      steps: count,
      seconds,
      limits: {
        hbm: Math.max(0, seconds - compute - interconnect - scheduling),
        compute,
        interconnect,
        scheduling
      },
      hbmBytes: sum(first.bytes, last.bytes, steps.count, 0, count),
      ...this.#model.judge.judge(iteration)
    })
  }

  /** Price of step `i` of a run. */
  #price(iteration: Iteration, i: number): PassCost {
    const { decode, draft, verify, prefill, proposals } = iteration
    const load = this.#load
    group(load.decode, decode, i, proposals, 1)
    group(load.draft, draft, i, proposals, this.#model.draftPairs)
    clear(load.verify)
    for (const { drafted, context } of verify) span(load.verify, drafted + 1, context - 1, this.#model.window)
    clear(load.prefill)
    let logits = load.decode.positions + load.draft.positions + load.verify.positions
    for (const { tokens, cached, last } of prefill) {
      span(load.prefill, tokens, cached, this.#model.window)
      if (last) logits++
    }
    load.logits = logits
    load.drafterBytes =
      proposals *
      (this.#model.drafterWeights + this.#model.drafterKv * (load.decode.kvTokens + load.draft.kvTokens))
    if (load.decode.requests + load.draft.requests === 0) load.drafterBytes = 0
    const cost = emptyCost()
    this.#model.cost.price(load, cost)
    if (!(costSeconds(cost) > 0)) throw new Error("a pass takes no time")
    return cost
  }
}

/** One position, and the proposals behind it, of every member after `i` more steps. */
const group = (load: AttentionLoad, members: Group, i: number, proposals: number, pairs: number): void => {
  load.requests = members.count
  load.positions = members.count * (1 + proposals)
  load.kvTokens = members.kvTokens + members.count * i
  load.localKvTokens = members.localKvTokens + members.localGrowing * i
  load.pairs = load.kvTokens * (1 + proposals) * pairs
  load.localPairs = load.localKvTokens * (1 + proposals) * pairs
}

const clear = (load: AttentionLoad): void => {
  load.requests = 0
  load.positions = 0
  load.kvTokens = 0
  load.localKvTokens = 0
  load.pairs = 0
  load.localPairs = 0
}

/** `positions` causal positions after `cached` tokens, the last of which sees `cached + positions`; `window` of local layers. */
const span = (load: AttentionLoad, positions: number, cached: number, window: number): void => {
  const reach = cached + positions
  load.requests++
  load.positions += positions
  load.kvTokens += reach
  load.pairs += positions * cached + (positions * (positions + 1)) / 2
  load.localKvTokens += Math.min(reach, window + positions - 1)
  const growing = Math.min(positions, Math.max(0, window - cached))
  load.localPairs += growing * cached + (growing * (growing + 1)) / 2 + (positions - growing) * window
}
