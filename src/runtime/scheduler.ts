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
import type { IterationResult, RequestId, Transfer } from "./ports.ts"
import { Passes } from "./passes.ts"
import { Prefills } from "./prefills.ts"
import { Rounds } from "./rounds.ts"
import { type RequestSpec, Served } from "./served.ts"
import type { ServingSetup } from "./setup.ts"
import { Transfers } from "./transfers.ts"
import type { Ask } from "./verifying.ts"

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
  readonly #transfers: Transfers
  readonly #passes: Passes
  /** Requests here that keep their full KV in HBM though others draft. */
  #pinned = 0
  #busy = false
  #passed: IterationResult | undefined
  /** When the last pass ended, ns. */
  #passEnd = -1
  /** Mail that came during a pass and must not change it, and when it came, ns. */
  #pending: { readonly mail: Mail; readonly at: number }[] = []
  readonly #commands: RequestCommand[] = []

  constructor(setup: ServingSetup, observe: Observer, out: Outbox) {
    this.setup = setup
    this.observe = observe
    this.#out = out
    this.pool = new PagePool(setup.pages)
    this.iterationSeconds = setup.iterationSeconds
    this.#transfers = new Transfers(out)
    this.#rounds = new Rounds(this)
    this.#decoding = new Decoding(this)
    this.#prefills = new Prefills(this)
    this.#admission = new Admission(this, this.#rounds)
    this.#passes = new Passes(this, {
      rounds: this.#rounds,
      decoding: this.#decoding,
      prefills: this.#prefills,
      admission: this.#admission,
      transfers: this.#transfers
    })
  }

  request(id: RequestId): Served {
    const request = this.#requests.get(id)
    if (request === undefined) throw new Error(`request ${id} is not here`)
    return request
  }

  /** Takes mail at `now`, ns. Mail that could change a pass in progress waits for its end; some of it hastens that end. */
  receive(mail: Mail, now: number): void {
    if (mail.type === "moved" || mail.type === "move-failed") this.observe.heard(mail, this.#busy)
    else if (mail.type === "device-lost") this.#toldOfLoss(mail, now)
    if (!this.#busy) {
      this.#handle(mail, now)
      return
    }
    switch (mail.type) {
      case "passed":
        this.#passed = mail.result
        if (this.#transfers.awaiting) this.observe.gpuIdle(this.setup.slowestPath, now)
        break
      case "moved":
        if (this.#transfers.arrived(mail.order)) this.#handle(mail, now)
        else this.#defer(mail, now, this.#hastens(mail.order))
        break
      case "move-failed":
        if (!this.#transfers.failed(mail)) this.#defer(mail, now, false)
        break
      case "arrive":
        this.#defer(mail, now, this.#admission.open)
        break
      case "remote-reloaded":
        this.#defer(mail, now, this.#isStalled(mail.request))
        break
      case "device-lost":
        this.#busy = false
        this.#transfers.abandon()
        this.#handle(mail, now)
        this.#drain(now)
        return
      default:
        this.#defer(mail, now, true)
    }
    if (this.#passed !== undefined && !this.#transfers.awaiting) this.#complete(this.#passed, now)
  }

  /** Starts the next pass, if none is running and there is anything to run. */
  advance(now: number): void {
    if (this.#busy) return
    if (this.#requests.size === 0 && this.pool.used > 0)
      throw new Error(`${this.pool.used} pages belong to nobody`)
    for (let tries = 0; ; tries++) {
      if (tries > 10_000) throw new Error(`the scheduler goes round in circles at ${now} ns`)
      this.#settle(now)
      this.#rounds.retry(now)
      if (this.#run(now)) return
      if (!this.#skipAhead(now)) break
    }
    this.observe.gpuIdle(
      this.#transfers.any ? this.setup.slowestPath : this.#requests.size > 0 ? "scheduling" : "idle",
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
    return this.#transfers.start(path, transfer)
  }

  ask(ask: Ask): void {
    this.#out.ask(ask)
  }

  // --- what happened ---

  /** `at`: when the mail came, ns, if a pass was running. */
  #handle(mail: Mail, now: number, at?: number): void {
    switch (mail.type) {
      case "arrive":
        this.#arrive(mail.spec, now, at)
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

  /** Latencies count from when the request came, whatever it had to wait for before it was looked at. */
  #arrive(spec: RequestSpec, now: number, during?: number): void {
    const at = during ?? now
    const { plan, optimalWindow, maxRetries } = this.setup
    const window = plan.window.kind === "fixed" ? plan.window.tokens : optimalWindow
    const pinned = this.#pinned < plan.fullKvRequests
    if (pinned) this.#pinned++
    const mode = pinned ? "full" : plan.mode
    const context = requestTable.initialContext({ mode, output: spec.output, window, maxRetries })
    const request = new Served(spec, at, requestTable.initialState, context, this.setup.prior, pinned)
    this.#requests.set(spec.id, request)
    this.observe.arrived(request, at, during !== undefined)
    for (const command of requestTable.initialCommands) this.#perform(request, command, now)
  }

  #moved(order: Order, now: number): void {
    // News of a transfer can lie behind the news that stopped it.
    if (!this.#transfers.ended(order)) return
    const request = this.#requests.get(order.transfer.request)
    if (request === undefined) return
    if (order.transfer.kind === "fetch") this.#prefills.fetched(request, now)
    else if (order.transfer.kind === "reload") this.#rounds.reloaded(request, now)
    else if (order.transfer.kind === "save") this.#rounds.saved(request)
  }

  #moveFailed(order: Order, now: number): void {
    if (!this.#transfers.ended(order)) return
    const request = this.#requests.get(order.transfer.request)
    this.observe.transferFailed(request, now)
    if (request !== undefined && order.transfer.kind === "fetch") this.#prefills.fetchFailed(request, now)
    else if (request !== undefined && order.transfer.kind === "reload")
      this.#rounds.reloadFailed(request, now)
    else this.#transfers.start(order.path, order.transfer)
  }

  #toldOfLoss({ during }: Extract<Mail, { type: "device-lost" }>, now: number): void {
    if (during !== undefined) this.observe.heard(during, this.#busy)
    this.observe.deviceLost(now, this.#busy)
  }

  #deviceLost(now: number): void {
    this.#passed = undefined
    this.#prefills.abandon()
    this.#decoding.givePages()
    for (const request of this.#admission.running.toReversed()) {
      this.#decoding.stop(request, now)
      this.send(request, { type: "DEVICE_LOST" }, now)
    }
  }

  #defer(mail: Mail, at: number, hasten: boolean): void {
    this.#pending.push({ mail, at })
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
    for (const { mail, at } of pending) this.#handle(mail, now, at)
  }

  /** The pass is over: count its tokens, tell the requests, then take the mail that came meanwhile. */
  #complete(result: IterationResult, now: number): void {
    this.#passed = undefined
    this.#busy = false
    this.#passEnd = now
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
      if (request !== undefined && !this.#transfers.isVoid(verified.request))
        this.#rounds.verified(request, verified, now)
    }
    for (const id of this.#transfers.takeVoided()) {
      const request = this.#requests.get(id)
      this.observe.transferFailed(request, now)
      if (request !== undefined) this.#rounds.reloadFailed(request, now)
    }
    // What arrived during the pass came before what is due at its end: a reload that made it is not late.
    this.#drain(now)
    this.#settle(now)
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
        return this.#transfers.stop(request.spec.id, "reload")
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
        if (request.pinned) this.#pinned--
        this.#out.ended(request.spec.id, command.outcome)
    }
  }

  #release(request: Served): void {
    this.#transfers.stop(request.spec.id, undefined)
    this.#rounds.leave(request)
    this.#prefills.leave(request)
    this.#admission.leave(request)
    request.rebuilding = false
    this.#out.release(request.spec.id)
  }

  // --- the next pass ---

  /** Starts the next pass; false if there is nothing to run. */
  #run(now: number): boolean {
    const iteration = this.#passes.compose(now, this.#passEnd === now)
    if (iteration === undefined) return false
    this.#busy = true
    const occupancy = {
      hbmBytes: this.setup.weightBytes + this.pool.used * pageBytes(this.setup.layout),
      hostBytes: this.#admission.hostBytes,
      batch: this.#admission.running.length,
      waiting: this.#admission.waiting
    }
    this.observe.passStarts(iteration, occupancy, now)
    this.#out.run(iteration)
    return true
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
    if (this.#transfers.any || this.#requests.size === 0 || this.#rounds.awaitsVerifier) return false
    if (this.#admission.running.length > 1) return this.#passes.preempt(now)
    const stuck = this.#admission.running[0] ?? this.#admission.head
    if (stuck === undefined) return false
    this.send(stuck, { type: "REJECTED" }, now)
    return true
  }
}
