/** What reaches a replica's scheduler, and what it asks of the actors around it. */
import type { Outcome } from "../protocol/vocabulary.ts"
import type { Iteration, IterationResult, RequestId, Transfer } from "./ports.ts"
import type { RequestSpec } from "./served.ts"
import type { Answer, Ask } from "./verifying.ts"

/** Where bytes travel: host memory → HBM, HBM → host memory, store → HBM. */
export type Path = "in" | "out" | "network"

/** One transfer under way. `tag` is unique within a replica. */
export interface Order {
  readonly tag: number
  readonly path: Path
  readonly transfer: Transfer
}

/** A transfer and from when to when its link was at it, ns; the bytes that arrived, if it did. */
export interface Carried {
  readonly order: Order
  readonly start: number
  readonly end: number
  readonly bytes?: number
}

export type Mail =
  | { readonly type: "arrive"; readonly spec: RequestSpec }
  | { readonly type: "cancel" | "timeout"; readonly request: RequestId }
  | { readonly type: "passed"; readonly result: IterationResult }
  /** `during`: the transfer that found it so; absent: a pass did. */
  | { readonly type: "device-lost"; readonly reason: string; readonly during?: Carried }
  | ({ readonly type: "moved"; readonly bytes: number } & Carried)
  | ({ readonly type: "move-failed"; readonly reason: string } & Carried)
  | Answer

/** The actors around a scheduler, as it sees them. Every call returns at once; answers come as mail. */
export interface Outbox {
  readonly run: (iteration: Iteration) => void
  /** Ends the running passes at the next boundary. */
  readonly cut: () => void
  /** What a request has on the device is void. */
  readonly release: (request: RequestId) => void
  readonly move: (order: Order) => void
  /** Stops a transfer; no mail about it follows. */
  readonly stop: (order: Order) => void
  /** Asks the group that verifies for this one, where there is such a group. */
  readonly ask: (ask: Ask) => void
  /** Told once per request, at its end. */
  readonly ended: (request: RequestId, outcome: Outcome) => void
}
