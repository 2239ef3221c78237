/** The transfers a scheduler has ordered, and those the pass in progress cannot end without. */
import type { Mail, Order, Outbox, Path } from "./mail.ts"
import type { RequestId, Transfer } from "./ports.ts"

export class Transfers {
  readonly #out: Outbox
  readonly #orders = new Map<number, Order>()
  #nextTag = 0
  /** Tags of what the pass reads as it arrives. */
  readonly #awaited = new Set<number>()
  /** Requests whose KV failed to arrive under the pass: what it says of these counts for nothing. */
  readonly #voided = new Set<RequestId>()

  constructor(out: Outbox) {
    this.#out = out
  }

  /** Something is under way. */
  get any(): boolean {
    return this.#orders.size > 0
  }
  /** The pass has more to wait for than the GPU. */
  get awaiting(): boolean {
    return this.#awaited.size > 0
  }

  /** Starts a transfer; its tag. */
  start(path: Path, transfer: Transfer): number {
    const order = { tag: this.#nextTag++, path, transfer }
    this.#orders.set(order.tag, order)
    this.#out.move(order)
    return order.tag
  }

  /** A transfer is over; false if it had been stopped, so that what became of it is nobody's concern. */
  ended(order: Order): boolean {
    return this.#orders.delete(order.tag)
  }

  /** The pass about to run ends no sooner than this transfer. */
  awaits(tag: number): void {
    this.#awaited.add(tag)
  }

  /** An awaited transfer has arrived; false if the pass was not waiting for it. */
  arrived(order: Order): boolean {
    return this.#awaited.delete(order.tag)
  }

  /** An awaited transfer failed: it voids the verifies it was for, or is sent again. False if the pass was not waiting for it. */
  failed({ order }: Extract<Mail, { type: "move-failed" }>): boolean {
    const { tag, path, transfer } = order
    if (!this.#awaited.delete(tag)) return false
    this.#orders.delete(tag)
    if (transfer.verifies === undefined) this.#awaited.add(this.start(path, transfer))
    else for (const request of transfer.verifies) this.#voided.add(request)
    return true
  }

  isVoid(request: RequestId): boolean {
    return this.#voided.has(request)
  }

  /** Takes the requests whose verifies the pass that has ended voided. */
  takeVoided(): readonly RequestId[] {
    const requests = [...this.#voided]
    this.#voided.clear()
    return requests
  }

  /** The pass died: nothing is awaited any more, and what was is nobody's concern. */
  abandon(): void {
    for (const tag of this.#awaited) {
      const order = this.#orders.get(tag)
      if (order === undefined) continue
      this.#orders.delete(tag)
      this.#out.stop(order)
    }
    this.#awaited.clear()
    this.#voided.clear()
  }

  /** Stops a request's transfers, all or those of one kind. */
  stop(request: RequestId, kind: Transfer["kind"] | undefined): void {
    for (const order of this.#orders.values()) {
      if (order.transfer.request !== request || (kind !== undefined && order.transfer.kind !== kind)) continue
      this.#orders.delete(order.tag)
      this.#awaited.delete(order.tag)
      this.#out.stop(order)
    }
  }
}
