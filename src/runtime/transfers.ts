/** The transfers a scheduler has ordered, and those the pass in progress cannot end without. */
import type { Mail, Order, Outbox, Path } from "./mail.ts"
import type { RequestId, Transfer } from "./ports.ts"

export class Transfers {
  readonly #out: Outbox
  readonly #orders = new Map<number, Order>()
  #nextTag = 0
  /** Tags of what the pass reads as it arrives: streamed KV, reloads. */
  readonly #awaited = new Set<number>()
  /** Failures under the pass, by request: what it says of these counts for nothing. */
  readonly #voided = new Map<RequestId, Mail>()

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

  /** An awaited transfer failed: a reload voids its verify, anything else is sent again. False if the pass was not waiting for it. */
  failed(mail: Extract<Mail, { type: "move-failed" }>): boolean {
    const { tag, path, transfer } = mail.order
    if (!this.#awaited.delete(tag)) return false
    if (transfer.kind === "reload") this.#voided.set(transfer.request, mail)
    else {
      this.#orders.delete(tag)
      this.#awaited.add(this.start(path, transfer))
    }
    return true
  }

  isVoid(request: RequestId): boolean {
    return this.#voided.has(request)
  }

  /** Takes the failures of the pass that has ended. */
  takeVoided(): readonly Mail[] {
    const failures = [...this.#voided.values()]
    this.#voided.clear()
    return failures
  }

  /** The pass died: nothing is awaited any more. */
  abandon(): void {
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
