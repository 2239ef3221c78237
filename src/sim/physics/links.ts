/** Links and host memory in virtual time: transfers are flows, and flows share what they pass through. */
import { Effect } from "effect"
import { LinkDown, type LinkShape, type Transfer } from "../../runtime/ports.ts"
import { FluidNetwork } from "../kernel/fluid.ts"
import type { Kernel } from "../kernel/kernel.ts"
import { hashUniform } from "../kernel/random.ts"

/** Shares of HBM bandwidth that DMA takes from a GPU's passes. */
export interface DmaListener {
  readonly setShare: (share: number) => void
}

export interface LinkModel {
  readonly bandwidth: number
  /** Fixed cost of a transfer, seconds. */
  readonly latency: number
  /** Resources of the fluid network besides the link: host memory, the store. */
  readonly through: readonly number[]
  /** Probability that a reload fails. */
  readonly failure: number
}

/** All links of a run, on one fluid network. */
export class SimulatedLinks {
  readonly network: FluidNetwork
  readonly #kernel: Kernel
  readonly #seed: number
  readonly #reactor: number
  readonly #starting: (() => void)[] = []

  constructor(kernel: Kernel, seed: number) {
    this.#kernel = kernel
    this.#seed = seed
    this.network = new FluidNetwork(kernel)
    this.#reactor = kernel.add({ receive: (_code, slot) => this.#starting[slot]!() })
  }

  /** A link into or out of the HBM of the GPU behind `dma`. */
  link(model: LinkModel, dma: Dma): LinkShape {
    const resources = [this.network.resource(model.bandwidth), ...model.through]
    const slot = this.#starting.length
    let transfers = 0
    let active = 0
    const occupy = (change: 1 | -1): void => {
      active += change
      if (active === (change > 0 ? 1 : 0)) dma.change(change * model.bandwidth)
    }
    const begun: (() => void)[] = []
    this.#starting.push(() => begun.shift()!())
    const move = (transfer: Transfer) =>
      Effect.callback<{ readonly bytes: number; readonly seconds: number }, LinkDown>((resume) => {
        const start = this.#kernel.now
        const number = transfers++
        let flow = -1
        let cancelled = false
        const end = (): void => {
          if (transfer.bytes > 0) occupy(-1)
          const seconds = (this.#kernel.now - start) * 1e-9
          const fails =
            (transfer.kind === "reload" || transfer.verifies !== undefined) &&
            hashUniform(this.#seed, transfer.request, number, 0xfa11) < model.failure
          resume(
            fails
              ? Effect.fail(new LinkDown({ moved: transfer.bytes }))
              : Effect.succeed({ bytes: transfer.bytes, seconds })
          )
        }
        begun.push(() => {
          if (cancelled) return
          if (transfer.bytes === 0) {
            end()
            return
          }
          occupy(1)
          flow = this.network.open(resources, transfer.bytes, model.bandwidth, end)
        })
        this.#kernel.at(start + model.latency * 1e9, this.#reactor, 0, slot)
        return Effect.sync(() => {
          cancelled = true
          if (flow < 0) return
          this.network.close(flow)
          occupy(-1)
        })
      })
    return { move }
  }
}

/** The HBM side of a group's transfers: what DMA takes, the passes lack. */
export class Dma {
  readonly #bandwidth: number
  readonly #gpu: DmaListener
  #taken = 0

  /** `bandwidth`: HBM of the group, bytes/s. */
  constructor(bandwidth: number, gpu: DmaListener) {
    this.#bandwidth = bandwidth
    this.#gpu = gpu
  }

  /** A link into or out of this HBM starts to carry bytes at `rate`, or stops (negative). */
  change(rate: number): void {
    this.#update(this.#taken + rate)
  }

  // Max–min fair between one pass, which takes all it can get, and DMA, which takes its rate: the pass keeps at least half.
  #update(taken: number): void {
    this.#taken = Math.max(0, taken)
    this.#gpu.setShare(Math.max(0.5, 1 - this.#taken / this.#bandwidth))
  }
}
