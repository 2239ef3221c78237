/** Who waits and who runs: first come, first served, as memory and `max_num_seqs` allow. */
import type { Core } from "./core.ts"
import { contextPages, growingPages, kvBytes, localPages } from "./kv.ts"
import { residentPages, streamedPages } from "./residency.ts"
import type { Rounds } from "./rounds.ts"
import type { Served } from "./served.ts"

export class Admission {
  readonly #core: Core
  readonly #rounds: Rounds
  readonly #queue: (Served | undefined)[] = []
  #front = 0
  #hostUsed = 0
  /** Admitted requests in order of admission. */
  readonly running: Served[] = []

  constructor(core: Core, rounds: Rounds) {
    this.#core = core
    this.#rounds = rounds
  }

  /** Bytes of host memory promised to admitted requests. */
  get hostBytes(): number {
    return this.#hostUsed
  }
  get waiting(): number {
    return this.#queue.length - this.#front
  }
  get head(): Served | undefined {
    return this.#queue[this.#front]
  }
  /** A request that arrives now might be admitted. */
  get open(): boolean {
    return this.waiting === 0 && this.running.length < this.#core.setup.engine.maxNumSeqs
  }

  enqueue(request: Served, at: "front" | "back"): void {
    if (at === "back") this.#queue.push(request)
    else if (this.#front > 0) this.#queue[--this.#front] = request
    else this.#queue.unshift(request)
  }

  /** Admits the head of the queue if it may run and a pass with `budget` tokens left can take it; undefined if not. */
  admit(budget: number): Served | undefined {
    const request = this.head
    if (request === undefined || this.running.length >= this.#core.setup.engine.maxNumSeqs) return undefined
    if (!this.#reserve(request, budget)) return undefined
    this.#queue[this.#front++] = undefined
    if (this.#front > 1024 && this.#front * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#front)
      this.#front = 0
    }
    this.running.push(request)
    return request
  }

  /** The request runs no more, or waits no more; everything it holds is free. */
  leave(request: Served): void {
    this.#core.pool.give(request.pages)
    request.pages = 0
    this.#hostUsed -= request.hostBytes
    request.hostBytes = 0
    const at = this.running.lastIndexOf(request)
    if (at >= 0) this.running.splice(at, 1)
    else {
      const place = this.#queue.indexOf(request, this.#front)
      if (place >= 0) this.#queue.splice(place, 1)
    }
  }

  /**
   * A request gives way that has `entries` tokens in its pages: full pages keep what they hold until others take them, from the last page to the first (vLLM V1
   * with prefix caching). Where KV lives elsewhere too, it comes back from there.
   */
  leaveCached(request: Served, entries: number): void {
    const { plan, layout, engine } = this.#core.setup
    if (!engine.enablePrefixCaching || plan.mode !== "full" || plan.offloaded) return
    if (layout.localBytesPerToken > 0 || request.home > 0 || request.rebuilding) return
    const { free, taken } = this.#core.pool
    request.left = { pages: Math.floor(entries / layout.pageTokens), until: taken + free }
  }

  takePages(request: Served, pages: number): boolean {
    if (!this.#core.pool.take(pages)) return false
    request.pages += pages
    return true
  }

  #reserve(request: Served, budget: number): boolean {
    const { setup, pool } = this.#core
    const { layout, plan } = setup
    const atHome = plan.offloaded || (plan.mode === "rounds" && plan.reload !== "none" && !request.pinned)
    const host = atHome ? kvBytes(layout, request.spec.input + request.spec.output) : 0
    if (this.#hostUsed + host > setup.hostBytes) return false
    if (plan.offloaded) {
      const places = streamedPages(setup, request.spec.input + request.spec.output, 0)
      if (!pool.take(places)) return false
      request.pages = places
      this.#hold(request, host)
      return true
    }
    const computes = request.home < request.needed
    request.found = computes ? this.#stillThere(request) : 0
    const now = computes ? this.#firstChunk(request, budget) : this.#fetched(request)
    const planned = this.#rounds.planned(request, this.running)
    // The whole prompt must fit, though it is computed and paged chunk by chunk (vLLM's scheduler_reserve_full_isl).
    const whole = computes ? contextPages(layout, request.length) : 0
    if ((this.running.length > 0 && (planned > pool.capacity || whole > pool.free)) || !pool.take(now))
      return false
    request.left = undefined
    request.pages = now
    this.#hold(request, host)
    return true
  }

  #hold(request: Served, host: number): void {
    this.#hostUsed += host
    request.hostBytes = host
  }

  /** Tokens of a request that its old pages still hold; the last one is always computed, for what follows from it. */
  #stillThere({ left, length }: Served): number {
    if (left === undefined) return 0
    const overwritten = Math.max(0, this.#core.pool.taken - left.until)
    const { pageTokens } = this.#core.setup.layout
    return Math.min(Math.max(0, left.pages - overwritten), Math.floor((length - 1) / pageTokens)) * pageTokens
  }

  /** Pages of a context that is computed: what is there already and the first chunk; later chunks take their own. */
  #firstChunk(request: Served, budget: number): number {
    const { layout } = this.#core.setup
    return contextPages(layout, Math.min(request.length, request.home + request.found + budget))
  }

  /** Pages of a context that comes ready made. */
  #fetched(request: Served): number {
    const { layout, plan } = this.#core.setup
    if (request.context.mode === "full") return contextPages(layout, request.length)
    if (request.context.mode === "rounds") {
      request.folded = request.length
      return residentPages(this.#core.setup, request, 0)
    }
    return (
      growingPages(layout, plan.keep * request.length) +
      Math.ceil(plan.keep * localPages(layout, request.length))
    )
  }
}
