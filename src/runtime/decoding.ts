/**
 * Requests that get their tokens step by step: on full KV (the baselines and the fallback), or on compressed KV without
 * verification. What they produce follows from the iterations since they began; nothing here happens per token.
 */
import { BatchGroup } from "./group.ts"
import { growingPages, Growth, localPages, localTokens } from "./kv.ts"
import type { Core } from "./core.ts"
import type { IterationResult, Stepped } from "./ports.ts"
import type { Served } from "./served.ts"

export class Decoding {
  /** On full KV. */
  readonly full: BatchGroup
  /** On compressed KV, unverified. */
  readonly lossy: BatchGroup
  readonly #core: Core
  readonly #growth: Growth
  /** Requests whose first token the next step brings. */
  #awaitingFirst: Served[] = []
  /** Pages taken for the next step. */
  #taken = 0

  constructor(core: Core) {
    this.#core = core
    const { layout } = core.setup
    const window = layout.localBytesPerToken > 0 ? layout.window : 0
    this.full = new BatchGroup(1, window)
    this.lossy = new BatchGroup(1, window)
    this.#growth = new Growth(layout.pageTokens)
  }

  get count(): number {
    return this.full.count + this.lossy.count
  }

  /** Begins to decode; its context is in HBM, or streams in every step when it is offloaded. */
  start(request: Served, on: "full" | "compressed"): void {
    const { layout, plan, proposals } = this.#core.setup
    const share = on === "compressed" ? plan.keep : 1
    const attended = on === "compressed" ? Math.ceil(share * request.length) : request.length
    request.since = this.#core.index
    request.entries = attended - 1
    if (!plan.offloaded) {
      this.#resize(
        request,
        growingPages(layout, request.entries) + Math.ceil(share * localPages(layout, request.length))
      )
      if (proposals === 0) this.#growth.join(request.entries, this.#core.index)
    }
    const group = on === "compressed" ? this.lossy : this.full
    group.join(request.spec.id, attended, share * localTokens(layout, request.length))
    if (request.firstToken === undefined) this.#awaitingFirst.push(request)
    if (proposals > 0) return
    this.#core.agenda.push(this.#core.index + request.remaining, "finish", request)
    const { cancelAfter } = request.spec
    if (cancelAfter !== undefined && cancelAfter > request.context.committed) {
      this.#core.agenda.push(this.#core.index + cancelAfter - request.context.committed, "cancel", request)
    }
  }

  has(request: Served): boolean {
    return this.full.members.has(request.spec.id) || this.lossy.members.has(request.spec.id)
  }

  /** Ends a request's run of steps and commits what it produced. Not decoding: no effect. */
  stop(request: Served, now: number): void {
    const { id } = request.spec
    const group = this.full.members.has(id) ? this.full : this.lossy.members.has(id) ? this.lossy : undefined
    if (group === undefined) return
    const { layout, plan, proposals } = this.#core.setup
    group.leave(id)
    request.epoch++
    this.#awaitingFirst = this.#awaitingFirst.filter((other) => other !== request)
    if (proposals > 0) return
    const steps = this.#core.index - request.since
    if (!plan.offloaded) {
      this.#growth.leave(request.entries, request.since)
      request.pages += growingPages(layout, request.entries + steps) - growingPages(layout, request.entries)
    }
    if (steps === 0) return
    this.#core.observe.decoded(request, steps, now)
    this.#core.send(request, { type: "STEPPED", tokens: steps }, now)
  }

  /** Takes the pages the next step writes to; false, and nothing taken, if they are not free. */
  takePages(): boolean {
    const { layout, plan, proposals } = this.#core.setup
    if (plan.offloaded || this.count === 0) return true
    if (proposals === 0) {
      const need = this.#growth.need(this.#core.index)
      if (!this.#core.pool.take(need)) return false
      this.#taken = need
      return true
    }
    let extra = 0
    for (const id of this.full.members.keys())
      extra += this.#lookahead(this.#core.request(id), layout.pageTokens, proposals)
    if (!this.#core.pool.take(extra)) return false
    for (const id of this.full.members.keys()) {
      const request = this.#core.request(id)
      request.pages += this.#lookahead(request, layout.pageTokens, proposals)
    }
    return true
  }

  /** Gives the pages taken for the next step back: the batch is about to change. */
  givePages(): void {
    this.#core.pool.give(this.#taken)
    this.#taken = 0
  }

  /** Most passes, at most `limit`, that may follow unattended; the pages of the first are taken already. */
  stepsWithin(limit: number): number {
    const { plan, proposals } = this.#core.setup
    if (this.count === 0) return limit
    if (proposals > 0 || this.#awaitingFirst.length > 0) return 1
    const bounded = Math.min(limit, this.full.stepsUntilWindowFull(), this.lossy.stepsUntilWindowFull())
    if (plan.offloaded) return 1
    return 1 + this.#growth.stepsWithin(this.#core.index + 1, this.#core.pool.free, bounded - 1)
  }

  /** Takes the pages of the passes after the first that really ran; `stepsWithin` has seen to it that they are free. */
  passed(result: IterationResult, firstIndex: number, now: number): void {
    const { plan, proposals } = this.#core.setup
    this.#taken = 0
    this.lossy.grow(result.steps)
    if (proposals > 0) {
      this.#stepped(result.stepped ?? [], now)
      return
    }
    this.full.grow(result.steps)
    if (!plan.offloaded) {
      let pages = 0
      for (let step = 1; step < result.steps; step++) pages += this.#growth.need(firstIndex + step)
      if (!this.#core.pool.take(pages)) throw new Error("a run of decode steps outgrew its pages")
    }
    for (const request of this.#awaitingFirst) this.#core.observe.firstToken(request, now)
    this.#awaitingFirst = []
  }

  /** A step with a classical drafter: each member got its own number of tokens. */
  #stepped(stepped: readonly Stepped[], now: number): void {
    const { layout } = this.#core.setup
    for (const [i, id] of [...this.full.members.keys()].entries()) {
      const request = this.#core.request(id)
      const step = stepped[i]!
      const got = Math.min(step.tokens, request.remaining)
      if (request.firstToken === undefined) this.#core.observe.firstToken(request, now)
      this.#core.observe.speculated(request, { ...step, tokens: got }, now)
      this.full.leave(id)
      this.#core.send(request, { type: "STEPPED", tokens: got }, now)
      if (request.remaining === 0) continue
      this.full.join(id, request.length, localTokens(layout, request.length))
      const { cancelAfter } = request.spec
      if (cancelAfter !== undefined && request.context.committed >= cancelAfter)
        this.#core.agenda.push(this.#core.index, "cancel", request)
    }
    this.#awaitingFirst = []
  }

  #lookahead(request: Served, pageTokens: number, proposals: number): number {
    const { layout } = this.#core.setup
    const want = Math.ceil((request.length + proposals) / pageTokens) + localPages(layout, request.length)
    return Math.max(0, want - request.pages)
  }

  #resize(request: Served, pages: number): void {
    if (pages < request.pages) this.#core.pool.give(request.pages - pages)
    else if (!this.#core.pool.take(pages - request.pages))
      throw new Error(`request ${request.spec.id} decodes without pages for its context`)
    request.pages = pages
  }
}
