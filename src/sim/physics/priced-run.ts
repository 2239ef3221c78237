/**
 * A run of passes with its prices. It grows by the same KV every step, so its step times are affine in the step: the run is priced at its
 * ends and costs the same however long it is.
 */
import type { Group, Iteration, IterationResult } from "../../runtime/ports.ts"
import { recentTokens } from "../../protocol/recent.ts"
import type { CostModel } from "../cost/cost-model.ts"
import { type AttentionLoad, costSeconds, emptyCost, emptyLoad, type PassCost } from "../cost/load.ts"
import type { Judge } from "./judge.ts"

/** How a group's passes are priced and judged. */
export interface GpuModel {
  readonly cost: CostModel
  readonly judge: Judge
  /** Query–key pairs per KV token of a draft step: 1 for dropped entries, 1/keep for quantised ones. */
  readonly draftPairs: number
  /** Prompts are compressed when they are complete; absent: nothing is. */
  readonly compresses?: Compresses
  /** Window of sliding-window layers, tokens; 0 if there are none. */
  readonly window: number
  /** Bytes a classical drafter reads per proposal, and per KV token it has. */
  readonly drafterWeights: number
  readonly drafterKv: number
  /** What reads full KV layer by layer as it comes, each layer a submission of its own; absent: nothing. */
  readonly streams?: Streams
}

export interface Compresses {
  /** Entries kept of a token. */
  readonly entries: number
  /** What is verified is compressed anew. */
  readonly verifies: boolean
}

export interface Streams {
  readonly what: "everything" | "verifies"
  readonly layers: number
}

/** Submissions of a pass on a device with one queue, besides those that only hold its other steps. */
export const submissionsOf = (streams: Streams | undefined, verifies: boolean): number =>
  streams !== undefined && (streams.what === "everything" || verifies) ? streams.layers : 1

/** Entries that a context of so many tokens packs: what is kept of it, but for the newest tokens, which stay as they are. */
export const packedOf = (compresses: Compresses | undefined, tokens: number): number =>
  compresses === undefined ? 0 : Math.max(0, compresses.entries * tokens - recentTokens(tokens))

/** Value at step `i` of `count` that go evenly from `first` to `last`. */
const at = (first: number, last: number, count: number, i: number): number =>
  count === 1 ? first : first + ((last - first) * i) / (count - 1)

export class PricedRun {
  readonly #first: PassCost
  readonly #last: PassCost
  readonly #count: number
  readonly #together: number

  /** `together`: steps that one submission holds, with the host's work around it. */
  constructor(model: GpuModel, iteration: Iteration, together = 1) {
    this.#count = iteration.steps
    this.#together = together
    this.#first = priceOf(model, iteration, 0)
    this.#last = iteration.steps === 1 ? this.#first : priceOf(model, iteration, iteration.steps - 1)
  }

  /** ns of steps [from, to) while DMA leaves `share` of HBM bandwidth to them. */
  nanoseconds(from: number, to: number, share: number): number {
    if (to <= from) return 0
    const [first, last] = [this.#first, this.#last]
    const rest =
      this.#sum(first.compute, last.compute, from, to) +
      this.#sum(first.interconnect, last.interconnect, from, to)
    const scheduling = this.#scheduling(from, to)
    return (rest + scheduling + this.#sum(first.hbm, last.hbm, from, to) / share) * 1e9
  }

  /** Of them ns of the host's work around the submissions, while the device is free. */
  hostNanoseconds(from: number, to: number): number {
    return to <= from ? 0 : this.#host(from, to) * 1e9
  }

  /** What the first `steps` came to, in `seconds`; `idle` of them the GPU waited for the host between submissions. */
  outcome(steps: number, seconds: number, idle = 0): Omit<IterationResult, "verified" | "stepped"> {
    const [first, last] = [this.#first, this.#last]
    const compute = this.#sum(first.compute, last.compute, 0, steps)
    const interconnect = this.#sum(first.interconnect, last.interconnect, 0, steps)
    const scheduling = this.#scheduling(0, steps) + idle
    return {
      steps,
      seconds,
      limits: {
        hbm: Math.max(0, seconds - compute - interconnect - scheduling),
        compute,
        interconnect,
        scheduling
      },
      priced: true,
      hbmBytes: this.#sum(first.bytes, last.bytes, 0, steps)
    }
  }

  /** Launches of steps [from, to), and the host's work around the submissions that begin with one of them. */
  #scheduling(from: number, to: number): number {
    const [first, last] = [this.#first, this.#last]
    const launches = this.#sum(first.scheduling - first.host, last.scheduling - last.host, from, to)
    return launches + this.#host(from, to)
  }

  #host(from: number, to: number): number {
    return (Math.ceil(to / this.#together) - Math.ceil(from / this.#together)) * this.#first.host
  }

  /** Sum over steps [from, to), at least one, of what goes from `first` to `last` over the whole run. */
  #sum(first: number, last: number, from: number, to: number): number {
    return ((at(first, last, this.#count, from) + at(first, last, this.#count, to - 1)) / 2) * (to - from)
  }
}

/** Price of step `i` of a run. */
const priceOf = (model: GpuModel, iteration: Iteration, i: number): PassCost => {
  const { decode, draft, verify, prefill, proposals } = iteration
  const load = emptyLoad()
  group(load.decode, decode, i, proposals, 1)
  group(load.draft, draft, i, proposals, model.draftPairs)
  for (const { drafted, context } of verify) {
    span(load.verify, drafted + 1, context - 1, model.window)
    if (model.compresses?.verifies === true) load.packed += packedOf(model.compresses, context + drafted)
  }
  let complete = 0
  for (const { tokens, cached, last } of prefill) {
    span(load.prefill, tokens, cached, model.window)
    if (!last) continue
    complete++
    load.packed += packedOf(model.compresses, cached + tokens)
  }
  load.logits = load.decode.positions + load.draft.positions + load.verify.positions + complete
  load.drafterBytes =
    load.decode.requests + load.draft.requests === 0
      ? 0
      : proposals * (model.drafterWeights + model.drafterKv * (load.decode.kvTokens + load.draft.kvTokens))
  const cost = emptyCost()
  model.cost.price(load, cost)
  if (!(costSeconds(cost) > 0)) throw new Error("a pass takes no time")
  return cost
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
