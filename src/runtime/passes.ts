/**
 * What the next pass computes, by vLLM V1's rules: decode and draft steps first, then due verifies, then chunks of running
 * prompts, then newly admitted requests, within one token budget; when pages run out, whoever was admitted last gives way.
 */
import type { Admission } from "./admission.ts"
import type { Core } from "./core.ts"
import type { Decoding } from "./decoding.ts"
import { kvBytes } from "./kv.ts"
import type { Iteration, PrefillItem, VerifyItem } from "./ports.ts"
import type { Prefills } from "./prefills.ts"
import { streamBytes } from "./reloads.ts"
import type { Rounds } from "./rounds.ts"
import type { Served } from "./served.ts"
import type { Transfers } from "./transfers.ts"

/** Passes that may repeat unattended at most; bounds how long a change of plan goes unseen. */
const LONGEST_SPAN = 4096

/** The parts of a scheduler that put requests into a pass. */
interface Parts {
  readonly rounds: Rounds
  readonly decoding: Decoding
  readonly prefills: Prefills
  readonly admission: Admission
  readonly transfers: Transfers
}

export class Passes {
  readonly #core: Core
  readonly #parts: Parts
  /** Somebody gave way in the pass being composed: nobody is admitted beside that. */
  #preempted = false

  constructor(core: Core, parts: Parts) {
    this.#core = core
    this.#parts = parts
  }

  /**
   * The next pass, or a run of equal ones; undefined if there is nothing to run. `follows`: a pass ended at this instant, so
   * that an engine that schedules ahead made up its mind about this one when that began.
   */
  compose(now: number, follows: boolean): Iteration | undefined {
    const core = this.#core
    const { decoding, rounds, prefills } = this.#parts
    const { proposals, plan, engine } = core.setup
    while (!decoding.takePages()) {
      if (!this.preempt(now)) throw new Error("decode steps need more pages than there are")
    }
    let budget = engine.maxNumBatchedTokens - (decoding.count + rounds.drafting.count) * (1 + proposals)
    const verify = rounds.takeVerifies(Math.max(1, budget))
    for (const item of verify) budget -= item.drafted + 1
    const ahead = engine.asyncScheduling === true
    const running = decoding.count + rounds.drafting.count + verify.length + prefills.count > 0
    this.#composePrefill(budget, now, !(ahead && follows && running))
    if (ahead) this.#admitAhead(now)
    const prefill = prefills.items()
    if (decoding.count + rounds.drafting.count + verify.length + prefill.length === 0) return undefined

    const unattended = verify.length + prefills.count === 0 && !rounds.unsettled && !this.#awaitsStream()
    const limit = Math.min(LONGEST_SPAN, Math.max(1, core.agenda.next() - core.index))
    const steps = unattended
      ? Math.min(decoding.stepsWithin(limit), rounds.drafting.stepsUntilWindowFull())
      : 1
    this.#orderStreams(prefill, verify)
    return {
      index: core.index,
      steps,
      decode: decoding.full,
      draft: plan.mode === "unverified" ? decoding.lossy : rounds.drafting,
      verify,
      prefill,
      proposals
    }
  }

  /** Chunks of running prompts, then, where this pass may have them, of newly admitted ones. */
  #composePrefill(tokens: number, now: number, admits: boolean): void {
    const { prefills, admission, decoding } = this.#parts
    let budget = tokens
    let preempted = false
    for (const request of prefills.requests()) {
      if (budget <= 0) break
      if (!prefills.has(request)) continue
      while (!admission.takePages(request, prefills.pagesFor(request, budget))) {
        preempted = true
        this.preempt(now)
        if (!decoding.takePages()) throw new Error("a preemption freed nothing")
        if (!prefills.has(request)) break
      }
      if (prefills.has(request)) budget -= prefills.chunk(request, budget)
    }
    this.#preempted = preempted
    while (admits && !preempted && budget > 0) {
      const request = this.#admit(budget, now)
      if (request === undefined) break
      if (!prefills.has(request)) continue
      if (!admission.takePages(request, prefills.pagesFor(request, budget)))
        throw new Error("admitted without pages")
      budget -= prefills.chunk(request, budget)
    }
  }

  /** Admits requests for the pass after this one, as far as its budget will go: they are computed from then on. */
  #admitAhead(now: number): void {
    const { prefills, decoding } = this.#parts
    let budget = this.#core.setup.engine.maxNumBatchedTokens - decoding.count - prefills.left
    while (!this.#preempted && budget > 0) {
      const request = this.#admit(budget, now)
      if (request === undefined) return
      if (prefills.has(request)) budget -= request.needed - request.computed
    }
  }

  #admit(budget: number, now: number): Served | undefined {
    const request = this.#parts.admission.admit(budget)
    if (request === undefined) return undefined
    this.#core.observe.admitted(request, now)
    const context = request.home >= request.needed ? "fetch" : "prefill"
    this.#core.send(request, { type: "ADMITTED", context }, now)
    return request
  }

  /** Preempts the request admitted last that holds pages; false if there is none. */
  preempt(now: number): boolean {
    const victim = this.#parts.admission.running.findLast(
      (request) => request.pages + request.stagedPages > 0
    )
    if (victim === undefined) return false
    this.#parts.decoding.givePages()
    this.#parts.decoding.stop(victim, now)
    const { prefills, admission } = this.#parts
    admission.leaveCached(victim, prefills.has(victim) ? victim.computed : victim.needed)
    this.#core.observe.preempted(victim, now)
    this.#core.send(victim, { type: "PREEMPT" }, now)
    return true
  }

  #awaitsStream(): boolean {
    return this.#core.setup.plan.offloaded && this.#parts.decoding.full.count > 0
  }

  /**
   * What the pass reads as it arrives: of verifies that stream, what has not come before; of full KV that lives in host memory,
   * all of it in every step, while what the step adds goes home.
   */
  #orderStreams(prefill: readonly PrefillItem[], verify: readonly VerifyItem[]): void {
    const { plan, layout } = this.#core.setup
    const missing = streamBytes(this.#core, verify)
    if (missing !== undefined) {
      const verifies = verify.map(({ request }) => request)
      const request = verifies.length === 1 ? verifies[0]! : -1
      this.#parts.transfers.awaits(
        this.#core.move("in", { request, kind: "stream", bytes: missing, verifies })
      )
    }
    if (!plan.offloaded) return
    const { globalBytesPerToken, localBytesPerToken } = layout
    const { kvTokens, localKvTokens, count } = this.#parts.decoding.full
    const cached = prefill.reduce((sum, item) => sum + kvBytes(layout, item.cached), 0)
    const bytes = kvTokens * globalBytesPerToken + localKvTokens * localBytesPerToken + cached
    if (bytes > 0) this.#parts.transfers.awaits(this.#core.move("in", { request: -1, kind: "stream", bytes }))
    const rows = prefill.reduce((sum, { tokens }) => sum + tokens, count)
    if (rows > 0)
      this.#core.move("out", {
        request: -1,
        kind: "save",
        bytes: rows * (globalBytesPerToken + localBytesPerToken)
      })
  }
}
