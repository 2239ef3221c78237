/** Contexts on their way into HBM: prompts computed chunk by chunk, stored KV fetched, or first one and then the other. */
import type { Core } from "./core.ts"
import { contextPages, kvBytes } from "./kv.ts"
import type { PrefillItem } from "./ports.ts"
import type { Served } from "./served.ts"

export class Prefills {
  readonly #core: Core
  /** Requests whose prompt is being computed, in order of admission. */
  readonly #computing = new Set<Served>()
  /** Requests whose stored part is on its way; what is missing is computed behind it. */
  readonly #loading = new Set<Served>()
  #chunks: { readonly request: Served; readonly tokens: number }[] = []

  constructor(core: Core) {
    this.#core = core
  }

  get count(): number {
    return this.#computing.size
  }

  /** Tokens of running prompts that the pass being composed leaves to later ones. */
  get left(): number {
    let tokens = 0
    for (const request of this.#computing) tokens += this.#target(request) - request.computed
    for (const chunk of this.#chunks) tokens -= chunk.tokens
    return tokens
  }

  /** Bytes of stored KV that have to come in: all of it where attention needs it exactly, else its compressed copy. */
  fetchBytes(request: Served): number {
    const { layout, plan } = this.#core.setup
    if (plan.offloaded) return 0
    const { mode } = request.context
    const exact = mode === "full" || (mode === "rounds" && plan.reload === "none")
    const share = exact || request.home < request.needed ? 1 : plan.keep
    return Math.ceil(kvBytes(layout, request.home) * share)
  }

  /** Starts to compute what is not stored; fetches what is. A rebuild does not trust the link that failed: it computes all. */
  start(request: Served): void {
    request.computed = request.found
    request.found = 0
    if (request.home === 0 || request.rebuilding) this.#computing.add(request)
    else {
      this.#loading.add(request)
      this.fetch(request)
    }
  }

  fetch(request: Served): void {
    const bytes = this.fetchBytes(request)
    this.#core.move(this.#core.setup.contextPath, {
      request: request.spec.id,
      kind: "fetch",
      bytes,
      tokens: request.home
    })
  }

  fetched(request: Served, now: number): void {
    if (!this.#loading.delete(request)) {
      this.#core.send(request, { type: "FETCHED" }, now)
      return
    }
    request.computed = request.home
    this.#computing.add(request)
  }

  fetchFailed(request: Served, now: number): void {
    request.home = 0
    if (this.#loading.delete(request)) this.#computing.add(request)
    else this.#core.send(request, { type: "FETCH_FAILED" }, now)
  }

  /** The pass died: its chunks were not computed. */
  abandon(): void {
    this.#chunks = []
  }

  leave(request: Served): void {
    this.#computing.delete(request)
    this.#loading.delete(request)
  }

  requests(): readonly Served[] {
    return [...this.#computing]
  }

  has(request: Served): boolean {
    return this.#computing.has(request)
  }

  /** Pages the next chunk of at most `budget` tokens needs beyond those held. */
  pagesFor(request: Served, budget: number): number {
    const { layout, plan } = this.#core.setup
    if (plan.offloaded) return 0
    const tokens = Math.min(this.#target(request) - request.computed, budget)
    return Math.max(0, contextPages(layout, request.computed + tokens) - request.pages)
  }

  /** Puts the next chunk, of at most `budget` tokens, into the pass; its pages are taken already. Returns its tokens. */
  chunk(request: Served, budget: number): number {
    const tokens = Math.min(this.#target(request) - request.computed, budget)
    this.#chunks.push({ request, tokens })
    return tokens
  }

  /** The chunks of the pass that is about to run. */
  items(): PrefillItem[] {
    return this.#chunks.map(({ request, tokens }) => ({
      request: request.spec.id,
      tokens,
      cached: request.computed,
      last: !request.rebuilding && request.computed + tokens === this.#target(request)
    }))
  }

  /** The pass is over. Requests whose prompt is complete have a token, or go on decoding after a rebuild. */
  passed(rebuilt: (request: Served) => void, now: number): void {
    const chunks = this.#chunks
    this.#chunks = []
    for (const { request, tokens } of chunks) {
      if (!this.#computing.has(request)) continue
      request.computed += tokens
      this.#core.observe.prefilled(request, tokens, now)
      if (request.computed < this.#target(request)) continue
      this.#computing.delete(request)
      if (request.rebuilding) {
        request.rebuilding = false
        rebuilt(request)
        continue
      }
      if (request.firstToken === undefined) this.#core.observe.firstToken(request, now)
      else this.#core.observe.delivered(request, now)
      this.#core.send(request, { type: "PREFILLED", tokens: 1 }, now)
    }
  }

  /** Tokens to have computed before the request can go on: its last position yields the next token. */
  #target(request: Served): number {
    return request.rebuilding ? request.needed : request.length
  }
}
