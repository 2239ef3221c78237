/**
 * The roofline of one kind of operation (Williams, Waterman and Patterson, CACM 52(4), 2009): it takes as long as its bytes or
 * its FLOPs take, whichever is longer, each at the share of the peak that its kind reaches. Attention has more to it: blocks of
 * queries cost something each besides their arithmetic, and no call is shorter than its longest walk over the KV.
 */
import type { Efficiency } from "../../scenario/resolved.ts"
import type { PassCost } from "./load.ts"

/** What an attention call does, all layers together. */
export interface AttentionWork {
  /** Bytes of KV it has to read. */
  readonly stored: number
  /** FLOPs it has to do, and that its blocks do, rows that are not in use included. */
  readonly flops: number
  readonly computed: number
  /** Blocks of queries. */
  readonly blocks: number
  /** Tokens of KV that a block walks over, of the request with the longest, summed over layers; 0 where blocks share them out. */
  readonly walk: number
}

export class Roofline {
  readonly #bandwidth: number
  readonly #flops: number
  readonly #memory: number
  readonly #compute: number
  readonly #perBlock: number
  readonly #perToken: number

  /** Peaks of the group of `ranks` GPUs in bytes/s and FLOP/s; `kind`: what is reached of them. */
  constructor(bandwidth: number, flops: number, kind: Efficiency, ranks: number) {
    this.#bandwidth = bandwidth
    this.#flops = flops
    this.#memory = bandwidth * kind.memory
    this.#compute = flops * kind.compute
    this.#perBlock = (kind.perBlock ?? 0) / ranks
    this.#perToken = kind.perToken ?? 0
  }

  /**
   * Adds an operation to a pass. `stored`: bytes of weights and KV it has to read; `passing`: bytes of activations, which may
   * stay on the chip and so bind no measurement; `computed`: FLOPs that its blocks do, rows that are not in use included. A measured
   * time counts for what the roofline says bounds the operation.
   */
  add(
    out: PassCost,
    stored: number,
    passing: number,
    flops: number,
    { measured, computed = flops }: { readonly measured?: number; readonly computed?: number } = {}
  ): void {
    const bytes = stored + passing
    const memory = bytes / this.#memory
    const compute = computed / this.#compute
    if (memory >= compute) out.hbm += measured ?? memory
    else out.compute += measured ?? compute
    out.bytes += bytes
    out.flops += flops
    out.memoryFloor += stored / this.#bandwidth
    out.computeFloor += flops / this.#flops
  }

  /** Adds an attention call to a pass. */
  addAttention(out: PassCost, work: AttentionWork, measured: number | undefined): void {
    const { stored, flops, computed, blocks, walk } = work
    const memory = stored / this.#memory
    const compute = Math.max(computed / this.#compute + blocks * this.#perBlock, walk * this.#perToken)
    if (memory >= compute) out.hbm += measured ?? memory
    else out.compute += measured ?? compute
    out.bytes += stored
    out.flops += flops
    out.memoryFloor += stored / this.#bandwidth
    out.computeFloor += flops / this.#flops
  }

  /** The least seconds the operation can take. */
  floor(stored: number, flops: number): number {
    return Math.max(stored / this.#bandwidth, flops / this.#flops)
  }
}
