/**
 * The seam between the runtime and a physics: the calibrated model (virtual time) or a WebGPU device (wall clock).
 * Both implement these services; one contract suite (`ports.contract.ts`) runs against both.
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"

export class OutOfMemory extends Schema.TaggedError<OutOfMemory>()("OutOfMemory", {
  asked: Schema.Finite,
  free: Schema.Finite
}) {}
export class LinkDown extends Schema.TaggedError<LinkDown>()("LinkDown", { moved: Schema.Finite }) {}
export class DeviceLost extends Schema.TaggedError<DeviceLost>()("DeviceLost", { reason: Schema.String }) {}
export class Corrupt extends Schema.TaggedError<Corrupt>()("Corrupt", { reason: Schema.String }) {}

export type RequestId = number

/**
 * Requests that each compute the same kind of position in a pass. The sums are kept up to date as members come and go,
 * so a pass costs the same however many tokens the members have behind them.
 */
export interface Group {
  /** Members in order of joining, with the KV entries they joined with. */
  readonly members: ReadonlyMap<RequestId, { readonly kvTokens: number }>
  readonly count: number
  /** Σ over members of KV entries their next position attends to, in tokens of full-KV bytes (a compressed entry counts `keep`). */
  readonly kvTokens: number
  /** The same for sliding-window layers, where an entry beyond the window is not read. */
  readonly localKvTokens: number
  /** Members whose `localKvTokens` still grow by one a step. */
  readonly localGrowing: number
}

/** Verify `drafted` positions + 1 of a request against its full KV. */
export interface VerifyItem {
  readonly request: RequestId
  /** Tokens drafted in this round; with a classical drafter under the draft, what the steps are expected to yield. */
  readonly drafted: number
  /** Draft steps that produced them. */
  readonly steps: number
  /** Context length in tokens before the drafted ones. */
  readonly context: number
  /** Round number within the request, from 1. */
  readonly round: number
}

/** Compute `tokens` prompt positions of a request after `cached` that are there already. */
export interface PrefillItem {
  readonly request: RequestId
  readonly tokens: number
  readonly cached: number
  /** The chunk ends the prompt, so its last position yields a token. */
  readonly last: boolean
}

/**
 * One forward pass of the whole batch, repeated `steps` times while nothing is due. With `steps` > 1 the groups grow by
 * one entry per member and step; `verify` and `prefill` are then empty.
 */
export interface Iteration {
  /** Number of the first pass, ascending. */
  readonly index: number
  readonly steps: number
  /** One position each against full KV. */
  readonly decode: Group
  /** One position each against compressed KV. */
  readonly draft: Group
  readonly verify: readonly VerifyItem[]
  readonly prefill: readonly PrefillItem[]
  /** Proposals per decoding or drafting request by a classical drafter in each step, 0 for none. */
  readonly proposals: number
}

/** What a classical drafter proposed to steps that checked it, and how many of these tokens they agreed with. */
export interface Proposals {
  readonly proposed: number
  readonly agreed: number
}

export interface Verified {
  readonly request: RequestId
  /** Tokens that were really drafted. */
  readonly drafted: number
  /** Drafted tokens that agreed, 0…drafted. */
  readonly accepted: number
  /** With a classical drafter under the draft: what its draft steps made of its proposals. */
  readonly proposals?: Proposals
}

/** A decode step with a classical drafter: it brings one token more than it agreed with, unless the output ends. */
export interface Stepped extends Proposals {
  /** Tokens the request got, ≥ 1. */
  readonly tokens: number
}

/** Where the time of the passes went, seconds; the parts sum to `seconds` of the result. */
export interface TimeByLimit {
  readonly hbm: number
  readonly compute: number
  readonly interconnect: number
  /** Launches, host work between passes. */
  readonly scheduling: number
}

export interface IterationResult {
  /** Passes that ran: `steps`, or fewer when the run was cut. At least 1. */
  readonly steps: number
  readonly seconds: number
  readonly verified: readonly Verified[]
  /** With `proposals`: what each member of `decode` got in this step, in the order of `members`. */
  readonly stepped?: readonly Stepped[]
  readonly limits: TimeByLimit
  /** The passes were priced part by part, so that `limits` are what they took; absent: a guess from their bytes. */
  readonly priced?: true
  /** Bytes the passes read and wrote in HBM. */
  readonly hbmBytes: number
  /** When they began and ended by the device's own clock, ns from the start of the run; `seconds` is the host's. */
  readonly device?: { readonly begin: number; readonly end: number }
}

/** The passes of a tensor-parallel group. */
export class Gpu extends Context.Service<
  Gpu,
  {
    /** Runs passes until `steps` are done or `cut` is called; never stops inside a pass. */
    readonly run: (iteration: Iteration) => Effect.Effect<IterationResult, DeviceLost>
    /** Ends the running call at the end of the pass that is in progress. No call running: no effect. */
    readonly cut: () => void
    /** What a request has on the device is void: it ended, or gave way and will start over. */
    readonly release: (request: RequestId) => void
  }
>()("vericache/Gpu") {}

export interface Transfer {
  /** −1: several together. */
  readonly request: RequestId
  readonly kind: "reload" | "save" | "fetch" | "stream"
  readonly bytes: number
  /** Of a reload: the first so many layers of the model only; the others stream into the verify. Absent: all. */
  readonly layers?: number
  /** Of a fetch: tokens that are taken to be there; where the context has more, they are computed behind these. */
  readonly tokens?: number
  /** Of a stream: the requests whose verifies read it as it arrives; absent: every request of the pass decodes over it. */
  readonly verifies?: readonly RequestId[]
}

export interface Receipt {
  /** What was carried: a model carries what was ordered, a machine whole pages, or what really was lacking. */
  readonly bytes: number
  readonly seconds: number
}

export interface LinkShape {
  /** Moves all bytes or fails; a failed transfer moved nothing that counts. Interruption stops it and frees the link. */
  readonly move: (transfer: Transfer) => Effect.Effect<Receipt, LinkDown | Corrupt | DeviceLost>
}
/** Host memory → HBM of one group. */
export class LinkIn extends Context.Service<LinkIn, LinkShape>()("vericache/LinkIn") {}
/** HBM → host memory of one group. */
export class LinkOut extends Context.Service<LinkOut, LinkShape>()("vericache/LinkOut") {}
/** Store → group, over the network or a local bus (remote prefix caching). */
export class Network extends Context.Service<Network, LinkShape>()("vericache/Network") {}

/** Virtual or wall-clock time, ns from the start of the run. */
export class Time extends Context.Service<
  Time,
  {
    readonly now: () => number
    /** Waits until `at`; at once if that is past. */
    readonly until: (at: number) => Effect.Effect<void>
    /** Lets what else happens now be said. */
    readonly settled: Effect.Effect<void>
  }
>()("vericache/Time") {}
