/** A request while it is being served: its machine, what it holds, and the times its metrics need. */
import type { RequestContext } from "../protocol/vocabulary.ts"
import type { Reservation } from "../protocol/rings.ts"
import type { AcceptanceHistory } from "../protocol/window.ts"

/** What a client sends. */
export interface RequestSpec {
  readonly id: number
  /** Prompt tokens, ≥ 1. */
  readonly input: number
  /** Tokens it will produce, ≥ 1. */
  readonly output: number
  /** Prompt tokens, from the first on, whose KV lies in host memory or the store already: 0…input. */
  readonly stored: number
  /** The client hangs up after this many output tokens; absent = it does not. */
  readonly cancelAfter?: number
}

export class Served {
  readonly spec: RequestSpec
  /** When it arrived, ns. */
  readonly arrival: number
  /** State of the request machine; changed by the machine's table only. */
  state: number
  context: RequestContext

  /** One of those that keep their full KV in HBM though others draft. */
  readonly pinned: boolean

  /** Raised when a round or a run of decode steps ends, so that what was due for it is void. */
  epoch = 0

  // Memory: pages of HBM for the KV that stays, pages for the full KV while it is in for a verify or on its way home,
  // bytes reserved in host memory.
  pages = 0
  stagedPages = 0
  hostBytes = 0

  // Context: leading tokens whose full KV host memory has; tokens prefill has computed; length at the last compression.
  home: number
  computed = 0
  folded = 0
  /** Pages it gave back full, and the count of pages taken from which on they are overwritten, last page first. */
  left: { readonly pages: number; readonly until: number } | undefined
  /** Leading tokens that admission found in pages it had left. */
  found = 0
  /** Its full KV is recomputed in HBM, after rounds were given up. */
  rebuilding = false

  // Round or run of decode steps: the iteration it began, KV entries then, steps to draft, tokens wanted, and what is under way.
  since = 0
  entries = 0
  window = 0
  want = 0
  history: AcceptanceHistory
  reservation: Reservation | undefined
  saving = false
  /** A group elsewhere has it to reload or verify. */
  away = false
  reloaded = false
  /** Layers of the full KV that are to be there before the verify; the others stream into it. */
  layersAhead = 0
  /** Tag of the reload under way. */
  reloadTag: number | undefined

  // Times, ns; and what the trace needs to draw arrows.
  firstToken: number | undefined
  lastDelivery: number
  phaseSince: number
  draftEvent: number | undefined

  constructor(
    spec: RequestSpec,
    arrival: number,
    state: number,
    context: RequestContext,
    history: AcceptanceHistory,
    pinned = false
  ) {
    this.spec = spec
    this.arrival = arrival
    this.state = state
    this.context = context
    this.history = history
    this.pinned = pinned
    this.home = spec.stored
    this.lastDelivery = arrival
    this.phaseSince = arrival
  }

  /** Tokens the next position attends to: the prompt and everything committed. */
  get length(): number {
    return this.spec.input + this.context.committed
  }

  /** Tokens whose KV must be there before the next position: the newest committed token brings its own. */
  get needed(): number {
    return this.context.committed === 0 ? this.spec.input : this.length - 1
  }

  /** Tokens still to be produced. */
  get remaining(): number {
    return this.context.output - this.context.committed
  }
}
