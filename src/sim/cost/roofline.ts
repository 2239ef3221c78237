/**
 * The roofline of one kind of operation (Williams, Waterman and Patterson, CACM 52(4), 2009): it takes as long as its bytes or
 * its FLOPs take, whichever is longer, each at the share of the peak that its kind reaches.
 */
import type { Efficiency } from "../../scenario/resolved.ts"
import type { PassCost } from "./load.ts"

export class Roofline {
  readonly #bandwidth: number
  readonly #flops: number
  readonly #memory: number
  readonly #compute: number

  /** Peaks of the group in bytes/s and FLOP/s; `kind`: the shares of them that are reached. */
  constructor(bandwidth: number, flops: number, kind: Pick<Efficiency, "memory" | "compute">) {
    this.#bandwidth = bandwidth
    this.#flops = flops
    this.#memory = bandwidth * kind.memory
    this.#compute = flops * kind.compute
  }

  /**
   * Adds an operation to a pass. `stored`: bytes of weights and KV it has to read; `passing`: bytes of activations, which may
   * stay on the chip and so bind no measurement. A measured time counts for what the roofline says bounds the operation.
   */
  add(out: PassCost, stored: number, passing: number, flops: number, measured: number | undefined): void {
    const bytes = stored + passing
    const memory = bytes / this.#memory
    const compute = flops / this.#compute
    if (memory >= compute) out.hbm += measured ?? memory
    else out.compute += measured ?? compute
    out.bytes += bytes
    out.flops += flops
    out.memoryFloor += stored / this.#bandwidth
    out.computeFloor += flops / this.#flops
  }

  /** The least seconds the operation can take. */
  floor(stored: number, flops: number): number {
    return Math.max(stored / this.#bandwidth, flops / this.#flops)
  }
}
