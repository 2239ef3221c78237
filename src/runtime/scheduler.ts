/**
 * The scheduler of one replica: a pure reactor. Mail goes in, orders come out; it owns no clock and waits for nothing.
 *
 * Between two passes it applies what happened, lets each request's machine say what it wants, and composes the next pass
 * by vLLM V1's rules: running requests first, chunked prefill under one token budget, paged KV, preemption by recompute of
 * the request admitted last. Rounds, decoding and prefill are its three parts; this file joins them.
 */
import { requestTable } from "../protocol/table.ts"
import type { RequestCommand, RequestEvent } from "../protocol/vocabulary.ts"
import { Admission } from "./admission.ts"
import { Agenda } from "./agenda.ts"
import type { Core } from "./core.ts"
import { Decoding } from "./decoding.ts"
import { pageBytes, PagePool } from "./kv.ts"
import type { Mail, Order, Outbox, Path } from "./mail.ts"
import type { Observer } from "./observer.ts"
import type { Iteration, IterationResult, RequestId, Transfer } from "./ports.ts"
import { Prefills } from "./prefills.ts"
import { Rounds } from "./rounds.ts"
import { Served } from "./served.ts"
import type { ServingSetup } from "./setup.ts"
import type { Ask } from "./verifying.ts"

/** Passes that may repeat unattended at most; bounds how long a change of plan goes unseen. */
const LONGEST_SPAN = 4096

export class Scheduler implements Core {
  readonly setup: ServingSetup
  readonly observe: Observer
  readonly pool: PagePool
  readonly agenda = new Agenda<Served>()
  index = 0
  iterationSeconds: number
  readonly #out: Outbox
  readonly #requests = new Map<RequestId, Served>()
  readonly #rounds: Rounds
  readonly #decoding: Decoding
  readonly #prefills: Prefills
  readonly #admission: Admission
  readonly #orders = new Map<number, Order>()
  #nextTag = 0
  #busy = false
  #passed: IterationResult | undefined
  /** Transfers the pass in progress has to end with: streamed KV, reloads it reads as they arrive. */
  readonly #awaited = new Set<number>()
  /** Requests whose verify read a reload that failed under it: what the pass says of them counts for nothing. */
  readonly #voided = new Map<RequestId, Mail>()
  /** Mail that came during a pass and must not change it. */
  #pending: Mail[] = []
  readonly #commands: RequestCommand[] = []

  constructor(setup: ServingSetup, observe: Observer, out: Outbox) {
    this.setup = setup
    this.observe = observe
    this.#out = out
    this.pool = new PagePool(setup.pages)
    this.iterationSeconds = setup.iterationSeconds
    this.#rounds = new Rounds(this)
    this.#decoding = new Decoding(this)
    this.#prefills = new Prefills(this)
    this.#admission = new Admission(this, this.#rounds)
  }

  request(id: RequestId): Served {
    const request = this.#requests.get(id)
    if (request === undefined) throw new Error(`request ${id} is not here`)
    return request
  }

  /** Takes mail at `now`, ns. Mail that could change a pass in progress waits for its end; some of it hastens that end. */
  receive(mail: Mail, now: number): void {
    if (!this.#busy) {
      this.#handle(mail, now)
      return
    }
    switch (mail.type) {
      case "passed":
        this.#passed = mail.result
        if (this.#awaited.size > 0) this.observe.gpuIdle(this.setup.slowestPath, now)
        break
      case "moved":
        if (this.#awaited.delete(mail.order.tag)) this.#handle(mail, now)
        else this.#defer(mail, this.#hastens(mail.order))
        break
      case "move-failed":
        if (!this.#awaited.delete(mail.order.tag)) this.#defer(mail, false)
        else if (mail.order.transfer.kind === "reload") this.#voided.set(mail.order.transfer.request, mail)
        else this.#awaited.add(this.#again(mail.order))
        break
      case "arrive":
        this.#defer(mail, this.#admission.open)
        break
      case "remote-reloaded":
        this.#defer(mail, this.#isStalled(mail.request))
        break
      case "device-lost":
        this.#busy = false
        this.#awaited.clear()
        this.#handle(mail, now)
        this.#drain(now)
        return
      default:
        this.#defer(mail, true)
    }
    if (this.#passed !== undefined && this.#awaited.size === 0) this.#complete(this.#passed, now)
  }

  /** Starts the next pass, if none is running and there is anything to run. */
  advance(now: number): void {
    if (this.#busy) return
    for (let tries = 0; ; tries++) {
      if (tries > 10_000) throw new Error(`the scheduler goes round in circles at ${now} ns`)
      this.#settle(now)
      this.#rounds.retry(now)
      if (this.#compose(now)) return
      if (!this.#skipAhead(now)) break
    }
    this.observe.gpuIdle(
      this.#orders.size > 0 ? this.setup.slowestPath : this.#requests.size > 0 ? "scheduling" : "idle",
      now
    )
  }

  send(request: Served, event: RequestEvent, now: number): void {
    const commands = this.#commands
    const from = commands.length
    requestTable.step(request, event, commands)
    const given = commands.slice(from)
    commands.length = from
    for (const command of given) this.#perform(request, command, now)
  }

  move(path: Path, transfer: Transfer): number {
    const order = { tag: this.#nextTag++, path, transfer }
    this.#orders.set(order.tag, order)
    this.#out.move(order)
    return order.tag
  }

  ask(ask: Ask): void {
    this.#out.ask(ask)
  }

  // --- what happened ---

  #handle(mail: Mail, now: number): void {
    switch (mail.type) {
      case "arrive":
        this.#arrive(mail.spec.id, mail, now)
        return
      case "cancel":
      case "timeout": {
        const request = this.#requests.get(mail.request)
        if (request === undefined) return
        this.#decoding.stop(request, now)
        this.send(request, { type: mail.type === "cancel" ? "CANCEL" : "TIMEOUT" }, now)
        return
      }
      case "moved":
        this.#moved(mail.order, now)
        return
      case "move-failed":
        this.#moveFailed(mail.order, now)
        return
      case "device-lost":
        this.#deviceLost(now)
        return
      case "remote-reloaded":
      case "remote-reload-failed":
      case "remote-verified": {
        const request = this.#requests.get(
          mail.type === "remote-verified" ? mail.result.request : mail.request
        )
        if (request === undefined) return
        if (mail.type === "remote-reloaded") this.#rounds.reloaded(request, now)
        else if (mail.type === "remote-reload-failed") this.#rounds.reloadFailed(request, now)
        else this.#rounds.verified(request, mail.result, now)
        return
      }
      case "passed":
        throw new Error("a pass ended that was not running")
    }
  }

  #arrive(id: RequestId, { spec }: Extract<Mail, { type: "arrive" }>, now: number): void {
    const { plan, optimalWindow, maxRetries } = this.setup
    const window = plan.window.kind === "fixed" ? plan.window.tokens : optimalWindow
    const context = requestTable.initialContext({ mode: plan.mode, output: spec.output, window, maxRetries })
    const request = new Served(spec, now, requestTable.initialState, context, this.setup.prior)
    this.#requests.set(id, request)
    this.observe.arrived(request, now)
    for (const command of requestTable.initialCommands) this.#perform(request, command, now)
  }

  #moved(order: Order, now: number): void {
    this.#orders.delete(order.tag)
    const request = this.#requests.get(order.transfer.request)
    if (request === undefined) return
    if (order.transfer.kind === "fetch") this.#prefills.fetched(request, now)
    else if (order.transfer.kind === "reload") this.#rounds.reloaded(request, now)
    else if (order.transfer.kind === "save") this.#rounds.saved(request)
  }

  #moveFailed(order: Order, now: number): void {
    const request = this.#requests.get(order.transfer.request)
    this.observe.transferFailed(request, now)
    if (order.transfer.kind === "fetch" && request !== undefined) {
      this.#orders.delete(order.tag)
      this.#prefills.fetchFailed(request, now)
    } else if (order.transfer.kind === "reload" && request !== undefined) {
      this.#orders.delete(order.tag)
      this.#rounds.reloadFailed(request, now)
    } else this.#again(order)
  }

  #again(order: Order): number {
    this.#orders.delete(order.tag)
    return this.move(order.path, order.transfer)
  }

  #deviceLost(now: number): void {
    this.#passed = undefined
    for (const request of this.#admission.running.toReversed()) {
      this.#decoding.stop(request, now)
      this.send(request, { type: "DEVICE_LOST" }, now)
    }
  }

  #defer(mail: Mail, hasten: boolean): void {
    this.#pending.push(mail)
    if (hasten) this.#out.cut()
  }

  /** Whether the end of a transfer is worth cutting a run of passes for. */
  #hastens(order: Order): boolean {
    if (order.transfer.kind === "fetch") return true
    if (order.transfer.kind === "save") return this.#rounds.unsettled
    return this.#isStalled(order.transfer.request)
  }

  #isStalled(id: RequestId): boolean {
    const request = this.#requests.get(id)
    return request !== undefined && this.#rounds.isStalled(request)
  }

  #drain(now: number): void {
    const pending = this.#pending
    this.#pending = []
    for (const mail of pending) this.#handle(mail, now)
  }

  /** The pass is over: count its tokens, tell the requests, then take the mail that came meanwhile. */
  #complete(result: IterationResult, now: number): void {
    this.#passed = undefined
    this.#busy = false
    const first = this.index
    this.index += result.steps
    this.#rounds.advance(result.steps)
    this.iterationSeconds += 0.2 * (result.seconds / result.steps - this.iterationSeconds)
    this.observe.passed(result, this.setup.proposals > 0 ? 0 : this.#decoding.count, now)
    this.#rounds.drafting.grow(result.steps)
    this.#decoding.passed(result, first, now)
    this.#prefills.passed((request) => this.#decoding.start(request, "full"), now)
    for (const verified of result.verified) {
      const request = this.#requests.get(verified.request)
      if (request !== undefined && !this.#voided.has(verified.request))
        this.#rounds.verified(request, verified, now)
    }
    for (const failure of this.#voided.values()) this.#handle(failure, now)
    this.#voided.clear()
    this.#settle(now)
    this.#drain(now)
  }

  /** Does what is due at this iteration. */
  #settle(now: number): void {
    for (let due = this.agenda.pop(this.index); due !== undefined; due = this.agenda.pop(this.index)) {
      const { kind, request } = due
      if (kind === "drafted") this.#rounds.windowEnds(request, now)
      else if (kind === "reload") this.#rounds.reloadDue(request, now)
      else {
        this.#decoding.stop(request, now)
        if (kind === "cancel") this.send(request, { type: "CANCEL" }, now)
      }
    }
  }

  // --- what a machine commands ---

  #perform(request: Served, command: RequestCommand, now: number): void {
    switch (command.type) {
      case "enqueue":
        this.observe.queued(request, now)
        return this.#admission.enqueue(request, command.at)
      case "prefill":
        return this.#prefills.start(request)
      case "fetch":
        return this.#prefills.fetch(request)
      case "compress":
        return this.#rounds.compress(request)
      case "reserve":
        return this.#rounds.reserve(request, command.window, now)
      case "draft":
        return this.#rounds.draft(request, command.window)
      case "reload":
        return this.#rounds.startReload(request, now)
      case "cancelReload":
        return this.#stopOrders(request, "reload")
      case "verify":
        return this.#rounds.readyToVerify(request)
      case "commit":
        return this.#rounds.commit(request, command, now)
      case "decode":
        if (request.rebuilding) return this.#prefills.start(request)
        return this.#decoding.start(request, command.on)
      case "fallback":
        this.observe.fellBack(request, now)
        this.#rounds.leave(request)
        request.rebuilding = true
        return
      case "release":
        return this.#release(request)
      case "finish":
        this.observe.ended(request, command.outcome, now)
        this.#requests.delete(request.spec.id)
        this.#out.ended(request.spec.id, command.outcome)
    }
  }

  #release(request: Served): void {
    this.#stopOrders(request, undefined)
    this.#rounds.leave(request)
    this.#prefills.leave(request)
    this.#admission.leave(request)
    request.rebuilding = false
  }

  #stopOrders(request: Served, kind: Transfer["kind"] | undefined): void {
    for (const order of this.#orders.values()) {
      if (order.transfer.request !== request.spec.id || (kind !== undefined && order.transfer.kind !== kind))
        continue
      this.#orders.delete(order.tag)
      this.#awaited.delete(order.tag)
      this.#out.stop(order)
    }
  }

  // --- the next pass ---

  #compose(now: number): boolean {
    const { proposals, plan, engine } = this.setup
    while (!this.#decoding.takePages()) {
      if (!this.#preempt(now)) throw new Error("decode steps need more pages than there are")
    }
    let budget =
      engine.maxNumBatchedTokens - (this.#decoding.count + this.#rounds.drafting.count) * (1 + proposals)
    const verify = this.#rounds.takeVerifies(Math.max(1, budget))
    for (const item of verify) budget -= item.drafted + 1
    budget = this.#composePrefill(budget, now)
    const prefill = this.#prefills.items()
    if (this.#decoding.count + this.#rounds.drafting.count + verify.length + prefill.length === 0)
      return false

    const unattended =
      verify.length + prefill.length === 0 && !this.#rounds.unsettled && !this.#awaitsStream()
    const limit = Math.min(LONGEST_SPAN, Math.max(1, this.agenda.next() - this.index))
    const steps = unattended
      ? Math.min(this.#decoding.stepsWithin(limit), this.#rounds.drafting.stepsUntilWindowFull())
      : 1
    const draft = plan.mode === "unverified" ? this.#decoding.lossy : this.#rounds.drafting
    this.#busy = true
    this.#awaitTransfers(verify.map((item) => this.request(item.request)))
    const iteration: Iteration = {
      index: this.index,
      steps,
      decode: this.#decoding.full,
      draft,
      verify,
      prefill,
      proposals
    }
    const hbmBytes = this.setup.weightBytes + this.pool.used * pageBytes(this.setup.layout)
    const occupancy = {
      hbmBytes,
      hostBytes: this.#admission.hostBytes,
      batch: this.#admission.running.length,
      waiting: this.#admission.waiting
    }
    this.observe.passStarts(iteration, occupancy, now)
    this.#out.run(iteration)
    return true
  }

  /** Chunks of running prompts, then of newly admitted ones. */
  #composePrefill(tokens: number, now: number): number {
    let budget = tokens
    let preempted = false
    for (const request of this.#prefills.requests()) {
      if (budget <= 0) break
      if (!this.#prefills.has(request)) continue
      while (!this.#admission.takePages(request, this.#prefills.pagesFor(request, budget))) {
        preempted = true
        this.#preempt(now)
        if (!this.#prefills.has(request)) break
      }
      if (this.#prefills.has(request)) budget -= this.#prefills.chunk(request, budget)
    }
    while (!preempted && budget > 0) {
      const request = this.#admission.admit(budget)
      if (request === undefined) break
      this.observe.admitted(request, now)
      const context = request.home >= request.needed ? "fetch" : "prefill"
      this.send(request, { type: "ADMITTED", context }, now)
      if (!this.#prefills.has(request)) continue
      if (!this.#admission.takePages(request, this.#prefills.pagesFor(request, budget)))
        throw new Error("admitted without pages")
      budget -= this.#prefills.chunk(request, budget)
    }
    return budget
  }

  /** Preempts the request admitted last that holds pages; false if there is none. */
  #preempt(now: number): boolean {
    const victim = this.#admission.running.findLast((request) => request.pages + request.stagedPages > 0)
    if (victim === undefined) return false
    this.#decoding.stop(victim, now)
    this.observe.preempted(victim, now)
    this.send(victim, { type: "PREEMPT" }, now)
    return true
  }

  #awaitsStream(): boolean {
    return this.setup.plan.offloaded && this.#decoding.full.count > 0
  }

  /** Offloaded KV streams through in every step; a streaming verify reads its reload as it arrives. */
  #awaitTransfers(verifying: readonly Served[]): void {
    if (this.#awaitsStream()) {
      const { globalBytesPerToken, localBytesPerToken } = this.setup.layout
      const { kvTokens, localKvTokens } = this.#decoding.full
      const bytes = kvTokens * globalBytesPerToken + localKvTokens * localBytesPerToken
      this.#awaited.add(this.move("in", { request: -1, kind: "stream", bytes }))
      const written = this.#decoding.full.count * (globalBytesPerToken + localBytesPerToken)
      this.move("out", { request: -1, kind: "save", bytes: written })
    }
    for (const request of verifying) if (request.reloadTag !== undefined) this.#awaited.add(request.reloadTag)
  }

  /**
   * Nothing can run. Iterations count passes, so what is booked for a later one starts now; what waits for memory that
   * nobody will give back gets it from the request admitted last. False if only mail can help.
   */
  #skipAhead(now: number): boolean {
    const next = this.agenda.next()
    if (next !== Number.POSITIVE_INFINITY) {
      this.#rounds.advance(next - this.index)
      this.index = next
      return true
    }
    if (this.#orders.size > 0 || this.#requests.size === 0 || this.#rounds.awaitsVerifier) return false
    if (this.#admission.running.length > 1) return this.#preempt(now)
    const stuck = this.#admission.running[0] ?? this.#admission.head
    if (stuck === undefined) return false
    this.send(stuck, { type: "REJECTED" }, now)
    return true
  }
}
