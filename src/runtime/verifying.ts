/**
 * The local side of remote prefix caching: a group beside the store that reloads full KV for requests drafted elsewhere and
 * verifies them. A pure reactor like the scheduler; it serves whoever asks, first come, first served.
 */
import { BatchGroup } from "./group.ts"
import { pageBytes, PagePool } from "./kv.ts"
import type { Mail, Order, Path } from "./mail.ts"
import type { Observer } from "./observer.ts"
import type { Iteration, RequestId, Transfer, Verified, VerifyItem } from "./ports.ts"
import type { ServingSetup } from "./setup.ts"

/** What a drafting group asks of a verifying one. */
export type Ask =
  /** Bring the full KV in; `pages` are what it takes in HBM. */
  | { readonly type: "reload"; readonly request: RequestId; readonly bytes: number; readonly pages: number }
  | { readonly type: "verify"; readonly item: VerifyItem; readonly proposals: number }
  /** The request is gone, or starts over. */
  | { readonly type: "drop"; readonly request: RequestId }

/** What it answers. */
export type Answer =
  | { readonly type: "remote-reloaded"; readonly request: RequestId }
  | { readonly type: "remote-reload-failed"; readonly request: RequestId }
  | { readonly type: "remote-verified"; readonly result: Verified }

export interface VerifierOutbox {
  readonly run: (iteration: Iteration) => void
  readonly move: (order: Order) => void
  readonly stop: (order: Order) => void
  readonly answer: (answer: Answer) => void
}

interface Held {
  pages: number
  order: Order | undefined
}

export class VerifyingGroup {
  readonly #observe: Observer
  readonly #out: VerifierOutbox
  readonly #pool: PagePool
  readonly #setup: ServingSetup
  readonly #held = new Map<RequestId, Held>()
  /** Reloads that wait for pages. */
  readonly #waiting = new Map<RequestId, Extract<Ask, { type: "reload" }>>()
  readonly #ready = new Map<RequestId, VerifyItem>()
  readonly #nobody = new BatchGroup(1, 0)
  #proposals = 0
  #running: readonly VerifyItem[] = []
  #index = 0
  #nextTag = 0
  #lost: RequestId[] = []

  constructor(setup: ServingSetup, observe: Observer, out: VerifierOutbox) {
    this.#setup = setup
    this.#pool = new PagePool(setup.pages)
    this.#observe = observe
    this.#out = out
  }

  ask(ask: Ask): void {
    if (ask.type === "reload") {
      this.#waiting.set(ask.request, ask)
      this.#startReloads()
    } else if (ask.type === "verify") {
      this.#ready.set(ask.item.request, ask.item)
      this.#proposals = ask.proposals
    } else {
      this.#drop(ask.request)
    }
  }

  receive(
    mail: Extract<Mail, { type: "passed" | "moved" | "move-failed" | "device-lost" }>,
    now: number
  ): void {
    switch (mail.type) {
      case "moved":
      case "move-failed": {
        this.#observe.heard(mail, this.#running.length > 0)
        const { request } = mail.order.transfer
        const held = this.#held.get(request)
        if (held?.order?.tag !== mail.order.tag) return
        held.order = undefined
        if (mail.type === "moved") this.#out.answer({ type: "remote-reloaded", request })
        else {
          this.#free(request)
          this.#out.answer({ type: "remote-reload-failed", request })
        }
        return
      }
      case "passed":
        this.#running = []
        this.#index++
        this.#observe.passed(mail.result, 0, now)
        for (const result of mail.result.verified) {
          if (this.#held.has(result.request) && !this.#lost.includes(result.request))
            this.#out.answer({ type: "remote-verified", result })
          this.#free(result.request)
        }
        this.#lost = []
        this.#startReloads()
        return
      case "device-lost":
        if (mail.during !== undefined) this.#observe.heard(mail.during, this.#running.length > 0)
        this.#running = []
        for (const request of this.#held.keys()) this.#out.answer({ type: "remote-reload-failed", request })
        for (const request of this.#held.keys()) this.#free(request)
    }
  }

  /** Starts the next pass if one is due. */
  advance(now: number): void {
    if (this.#running.length > 0) return
    const verify: VerifyItem[] = []
    let left = this.#setup.engine.maxNumBatchedTokens
    for (const [request, item] of this.#ready) {
      if (verify.length > 0 && item.drafted + 1 > left) break
      left -= item.drafted + 1
      this.#ready.delete(request)
      verify.push(item)
    }
    if (verify.length === 0) {
      this.#observe.gpuIdle(this.#held.size > 0 ? "link" : "idle", now)
      return
    }
    this.#running = verify
    const iteration = {
      index: this.#index,
      steps: 1,
      decode: this.#nobody,
      draft: this.#nobody,
      verify,
      prefill: [],
      proposals: this.#proposals
    }
    this.#observe.passStarts(
      iteration,
      {
        hbmBytes: this.#setup.weightBytes + this.#pool.used * pageBytes(this.#setup.layout),
        hostBytes: 0,
        batch: verify.length,
        waiting: this.#waiting.size
      },
      now
    )
    this.#out.run(iteration)
  }

  #startReloads(): void {
    for (const [request, { bytes, pages }] of this.#waiting) {
      if (this.#held.has(request)) continue
      if (!this.#pool.take(pages)) return
      this.#waiting.delete(request)
      this.#held.set(request, { pages, order: this.#move("network", { request, kind: "reload", bytes }) })
    }
  }

  #move(path: Path, transfer: Transfer): Order {
    const order = { tag: this.#nextTag++, path, transfer }
    this.#out.move(order)
    return order
  }

  #drop(request: RequestId): void {
    this.#waiting.delete(request)
    this.#ready.delete(request)
    if (this.#running.some((item) => item.request === request)) {
      // Its pages go when the pass that reads them is over; the result is nobody's.
      this.#lost.push(request)
      return
    }
    this.#free(request)
    this.#startReloads()
  }

  #free(request: RequestId): void {
    const held = this.#held.get(request)
    if (held === undefined) return
    if (held.order !== undefined) this.#out.stop(held.order)
    this.#pool.give(held.pages)
    this.#held.delete(request)
  }
}
