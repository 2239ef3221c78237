/**
 * Draft, reload, verify: the VeriCache side of a scheduler. ADMIT on arrival and after each verify, reloads started when
 * their first reserved window opens, late and failed reloads, lock-step rounds. Pure, like the scheduler it is part of.
 */
import { admit } from "../protocol/admit.ts"
import { ReservationRings } from "../protocol/rings.ts"
import { bestWindow, estimateAlpha, observeRound } from "../protocol/window.ts"
import type { RequestCommand } from "../protocol/vocabulary.ts"
import type { Core } from "./core.ts"
import { BatchGroup } from "./group.ts"
import { contextPages, kvBytes, localTokens, pageBytes } from "./kv.ts"
import type { Verified, VerifyItem } from "./ports.ts"
import { bytesAhead, foldedLength, linkIterations, reloadBytes, streamsIntoVerify } from "./reloads.ts"
import { planAhead, plannedPages, reloadPages, residentEntries, residentPages } from "./residency.ts"
import type { Served } from "./served.ts"

export class Rounds {
  readonly drafting: BatchGroup
  readonly #core: Core
  readonly #rings: ReservationRings
  /** Requests for which ADMIT found no iteration yet, in order. */
  readonly #deferred = new Set<Served>()
  /** Requests whose reload is due but cannot start: no pages yet, or their newest KV is not home yet. */
  readonly #late = new Set<Served>()
  readonly #toVerify = new Set<Served>()
  readonly #stalled = new Set<Served>()
  /** Lock-step only: the iteration at which the running round ends. */
  #roundEnd = 0
  #staged = 0
  /** Requests whose round is in the hands of a group elsewhere. */
  #away = 0

  constructor(core: Core) {
    this.#core = core
    const { layout, tokensPerDraftStep, engine } = core.setup
    this.drafting = new BatchGroup(tokensPerDraftStep, layout.localBytesPerToken > 0 ? layout.window : 0)
    this.#rings = new ReservationRings(engine.horizon)
  }

  /** A group elsewhere has a request of ours to reload or verify. */
  get awaitsVerifier(): boolean {
    return this.#away > 0
  }

  /** Something waits for pages, a place in the rings or its KV to come home: every pass may change its fate. */
  get unsettled(): boolean {
    return this.#deferred.size > 0 || this.#late.size > 0
  }

  /** Pages of full KV that are in HBM for a verify or on their way home. */
  get stagedPages(): number {
    return this.#staged
  }

  isStalled(request: Served): boolean {
    return this.#stalled.has(request)
  }

  /** The context is there in full or compressed: keep the compressed KV and send home what host memory lacks. */
  compress(request: Served): void {
    const { layout, plan } = this.#core.setup
    request.folded = request.length
    if (plan.reload === "none") return
    const keep = Math.min(request.pages, residentPages(this.#core.setup, request, 0))
    if (plan.verifies === "remote") {
      this.#shrink(request, Math.min(request.pages, keep))
      return
    }
    if (request.home < request.needed) {
      const bytes = kvBytes(layout, request.needed) - kvBytes(layout, request.home)
      // The rest of the full KV stays until it is home.
      request.stagedPages += request.pages - keep
      this.#staged += request.pages - keep
      request.pages = keep
      this.#save(request, bytes)
    }
  }

  /** ADMIT: books the next verify and its reload, or puts the request in the waiting queue. */
  reserve(request: Served, window: number, now: number): void {
    const { cancelAfter } = request.spec
    if (cancelAfter !== undefined && request.context.committed >= cancelAfter)
      this.#core.agenda.push(this.#core.index, "cancel", request)
    request.want = this.#wanted(request, window)
    if (this.#book(request, now)) return
    this.#deferred.add(request)
    this.#core.send(request, { type: "DEFERRED" }, now)
  }

  /** Tries again what could not be booked or started; first come, first served. */
  retry(now: number): void {
    // The last that drafted may have left in the middle of its window.
    this.#reloadTogether(now)
    for (const request of this.#late) this.reloadDue(request, now)
    for (const request of this.#deferred) {
      if (!this.#book(request, now)) return
    }
  }

  /** The round begins: `window` tokens are to be drafted. */
  draft(request: Served, window: number): void {
    const { layout, plan, tokensPerDraftStep } = this.#core.setup
    request.window = Math.ceil(window / tokensPerDraftStep)
    request.since = this.#core.index
    // A reload that streams wholly into its verify is due when the window is full, and first.
    if (plan.verifies !== "remote" && request.reservation !== undefined && plan.schedule === "staggered")
      if (plan.reload !== "none") this.#core.agenda.push(request.reservation.start, "reload", request)
    this.#core.agenda.push(this.#core.index + request.window, "drafted", request)
    if (plan.verifies === "remote") this.#core.agenda.push(this.#core.index, "reload", request)
    if (request.window === 0) return
    const attended =
      plan.reload === "none" ? plan.keep * request.length : residentEntries(this.#core.setup, request)
    this.drafting.join(request.spec.id, attended, plan.keep * localTokens(layout, request.length))
  }

  /** The window is full. A late reload lets the request draft on, up to a cap; otherwise it stops here. */
  windowEnds(request: Served, now: number): void {
    const { plan, engine, tokensPerDraftStep } = this.#core.setup
    const steps = this.#core.index - request.since
    const { reservation } = request
    const late =
      plan.reload !== "none" && plan.verifies === "here" && plan.schedule === "staggered" && !request.reloaded
    if (late && reservation !== undefined && this.#core.index >= reservation.due) {
      const cap = Math.min(2 * request.window, engine.horizon - 1)
      const more = Math.max(
        0,
        residentPages(this.#core.setup, request, this.#mostTokens(steps + 1) + 1) - request.pages
      )
      if (steps < cap && (steps + 1) * tokensPerDraftStep < request.remaining && this.#core.pool.take(more)) {
        request.pages += more
        this.#core.agenda.push(this.#core.index + 1, "drafted", request)
        return
      }
    }
    this.#stopDrafting(request)
    const tokens = Math.min(Math.round(steps * tokensPerDraftStep), request.remaining)
    this.#core.observe.drafted(request, tokens, now)
    if (plan.reload === "none" || request.reloaded) {
      if (plan.reload === "none") this.#core.send(request, { type: "RELOAD_STARTED" }, now)
      this.#core.send(request, { type: "RELOADED" }, now)
      this.#core.send(request, { type: "DRAFTED", tokens }, now)
      return
    }
    this.#stalled.add(request)
    this.#core.send(request, { type: "DRAFTED", tokens }, now)
    this.#reloadTogether(now)
  }

  /** In lock-step all reload once nobody drafts any more. */
  #reloadTogether(now: number): void {
    if (this.#core.setup.plan.schedule !== "lock-step" || this.drafting.count > 0) return
    for (const request of this.#stalled) if (request.reloadTag === undefined) this.reloadDue(request, now)
  }

  /** The first reserved window opens. */
  reloadDue(request: Served, now: number): void {
    const { plan, tokensPerDraftStep } = this.#core.setup
    const pages = reloadPages(this.#core.setup, request, Math.ceil(request.window * tokensPerDraftStep))
    if (plan.verifies === "remote") {
      this.#away += request.away ? 0 : 1
      request.away = true
      this.#core.ask({
        type: "reload",
        request: request.spec.id,
        bytes: reloadBytes(this.#core.setup, request),
        pages
      })
      this.#core.send(request, { type: "RELOAD_STARTED" }, now)
      return
    }
    if (request.saving || !this.#stage(request, pages)) {
      this.#late.add(request)
      return
    }
    this.#late.delete(request)
    this.startReload(request, now)
  }

  /** Starts a reload, the first time or again after a failure. */
  startReload(request: Served, now: number): void {
    if (this.#core.setup.plan.verifies === "remote") {
      this.reloadDue(request, now)
      return
    }
    const streams = streamsIntoVerify(this.#core.setup)
    const ahead = streams ? { layers: request.layersAhead } : {}
    const bytes = bytesAhead(this.#core.setup, request)
    if (bytes > 0 || !streams)
      request.reloadTag = this.#core.move("in", { request: request.spec.id, kind: "reload", bytes, ...ahead })
    this.#core.send(request, { type: "RELOAD_STARTED" }, now)
    if (request.reloadTag === undefined) this.reloaded(request, now)
  }

  reloaded(request: Served, now: number): void {
    request.reloadTag = undefined
    request.reloaded = true
    if (this.#stalled.delete(request)) this.#core.observe.unstalled(request, now)
    this.#core.send(request, { type: "RELOADED" }, now)
  }

  reloadFailed(request: Served, now: number): void {
    request.reloadTag = undefined
    request.reloaded = false
    this.#core.send(request, { type: "RELOAD_FAILED" }, now)
  }

  /** Its newest full KV is home. */
  saved(request: Served): void {
    request.saving = false
    request.home = request.needed
    if (request.reloadTag === undefined && !request.reloaded) this.#unstage(request)
  }

  readyToVerify(request: Served): void {
    if (this.#core.setup.plan.verifies === "here") this.#toVerify.add(request)
    else
      this.#core.ask({
        type: "verify",
        item: this.#verifyItem(request),
        proposals: this.#core.setup.proposals
      })
  }

  /** Takes the verifies of the next pass, within `budget` positions; at least one if any is ready. */
  takeVerifies(budget: number): VerifyItem[] {
    if (this.#toVerify.size === 0) return []
    if (this.#core.setup.plan.schedule === "lock-step") {
      for (const request of this.#stalled) if (request.reloadTag !== undefined) return []
    }
    const items: VerifyItem[] = []
    let left = budget
    for (const request of this.#toVerify) {
      const { drafted } = request.context
      if (items.length > 0 && drafted + 1 > left) break
      left -= drafted + 1
      this.#toVerify.delete(request)
      items.push(this.#verifyItem(request))
    }
    return items
  }

  #verifyItem(request: Served): VerifyItem {
    const { drafted, rounds } = request.context
    const steps = this.#core.setup.proposals > 0 ? request.window : drafted
    return { request: request.spec.id, drafted, steps, context: request.length, round: rounds + 1 }
  }

  verified(request: Served, result: Verified, now: number): void {
    const drafted = Math.min(result.drafted, Math.max(0, request.remaining - 1))
    const accepted = Math.min(result.accepted, drafted)
    if (result.proposals !== undefined) this.#core.observe.proposed(result.proposals)
    this.#core.send(request, { type: "VERIFIED", drafted, accepted }, now)
  }

  /** Tokens are committed: both caches are cut behind them, the reserved memory is free, the new full KV goes home. */
  commit(request: Served, command: Extract<RequestCommand, { type: "commit" }>, now: number): void {
    const { layout, plan, proposals } = this.#core.setup
    this.#core.observe.committed(request, command, now)
    if (proposals > 0) this.#core.observe.rejected(request, command.rejected, now)
    request.history = observeRound(request.history, command.accepted + command.rejected, command.accepted)
    this.#endRound(request)
    if (plan.reload === "none") {
      this.#shrink(request, contextPages(layout, request.length))
      return
    }
    if (plan.folds) request.folded = foldedLength(this.#core.setup, request, command.tokens)
    this.#shrink(request, residentPages(this.#core.setup, request, 0))
    if (plan.verifies === "remote") request.home = request.needed
    else if (request.remaining > 0)
      this.#save(request, kvBytes(layout, request.needed) - kvBytes(layout, request.home))
  }

  /** The request leaves for good, for full KV, or to wait for memory: nothing of its round remains. */
  leave(request: Served): void {
    this.#stopDrafting(request)
    if (request.away) this.#core.ask({ type: "drop", request: request.spec.id })
    this.#endRound(request)
    this.#deferred.delete(request)
    request.saving = false
  }

  /** Passes over, or iterations skipped while nothing could run. */
  advance(iterations: number): void {
    this.#rings.advance(iterations)
  }

  /** Pages that `request` and those running will want at their longest; see `plannedPages`. */
  planned(request: Served, running: readonly Served[]): number {
    return plannedPages(this.#core.setup, [request, ...running], linkIterations(this.#core, request))
  }

  /** The window a request wants next: the workload's, or what its own acceptance makes best. */
  #wanted(request: Served, window: number): number {
    const { plan, roundCost } = this.#core.setup
    if (plan.window.kind !== "adaptive") return window
    return bestWindow(estimateAlpha(request.history), roundCost, plan.window.min, plan.window.max)
  }

  #book(request: Served, now: number): boolean {
    const { tokensPerDraftStep } = this.#core.setup
    const useful = Math.max(0, request.remaining - 1)
    const anchor = Math.max(1, Math.ceil(Math.min(request.want, useful) / tokensPerDraftStep))
    const due = this.#due(request, anchor)
    if (due === undefined) return false
    const steps = due - this.#core.index
    const window = Math.min(Math.floor(steps * tokensPerDraftStep), useful)
    const ahead = Math.min(this.#mostTokens(steps), useful) + 1
    const more = Math.max(0, residentPages(this.#core.setup, request, ahead) - request.pages)
    if (!this.#core.pool.take(more)) {
      this.#cancelBooking(request)
      return false
    }
    request.pages += more
    this.#deferred.delete(request)
    this.#core.observe.booked(request, due, now)
    this.#core.send(request, { type: "SCHEDULED", window }, now)
    return true
  }

  /** Iteration of the next verify: common in lock-step, free where another group verifies, else by ADMIT. */
  #due(request: Served, anchor: number): number | undefined {
    const { schedule, verifies } = this.#core.setup.plan
    if (verifies === "remote") return this.#core.index + anchor
    if (schedule === "staggered") return this.#admit(request, anchor)
    if (this.#roundEnd <= this.#core.index) this.#roundEnd = this.#core.index + anchor
    return this.#roundEnd
  }

  #admit(request: Served, anchor: number): number | undefined {
    const { setup } = this.#core
    const { layout, tokensPerDraftStep } = setup
    const tokens = Math.ceil(anchor * tokensPerDraftStep)
    const free = this.#core.pool.free + this.#staged
    request.layersAhead = planAhead(setup, request, linkIterations(this.#core, request), tokens, free)
    const staged = reloadPages(setup, request, tokens)
    const reservation = admit(this.#rings, {
      anchor,
      linkNs: Math.ceil((reloadBytes(setup, request) / setup.linkBandwidth) * 1e9),
      iterationNs: Math.ceil(this.#core.iterationSeconds * 1e9),
      bytes: staged * pageBytes(layout),
      freeBytes: free * pageBytes(layout),
      streams: streamsIntoVerify(setup)
    })
    request.reservation = reservation
    return reservation?.due
  }

  #cancelBooking(request: Served): void {
    if (request.reservation !== undefined) this.#rings.release(request.reservation)
    request.reservation = undefined
  }

  #endRound(request: Served): void {
    request.epoch++
    this.#cancelBooking(request)
    this.#unstage(request)
    this.#late.delete(request)
    this.#toVerify.delete(request)
    this.#stalled.delete(request)
    request.reloaded = false
    request.reloadTag = undefined
    if (!request.away) return
    request.away = false
    this.#away--
  }

  #stopDrafting(request: Served): void {
    if (this.drafting.members.has(request.spec.id)) this.drafting.leave(request.spec.id)
  }

  /** Tokens that many draft steps can yield at most. */
  #mostTokens(steps: number): number {
    return steps * (1 + this.#core.setup.proposals)
  }

  #save(request: Served, bytes: number): void {
    request.saving = true
    this.#core.move("out", { request: request.spec.id, kind: "save", bytes })
  }

  #stage(request: Served, pages: number): boolean {
    if (!this.#core.pool.take(pages)) return false
    request.stagedPages += pages
    this.#staged += pages
    return true
  }

  #unstage(request: Served): void {
    this.#core.pool.give(request.stagedPages)
    this.#staged -= request.stagedPages
    request.stagedPages = 0
  }

  #shrink(request: Served, pages: number): void {
    if (pages > request.pages)
      throw new Error(`request ${request.spec.id} committed more than it had pages for`)
    this.#core.pool.give(request.pages - pages)
    request.pages = pages
  }
}
