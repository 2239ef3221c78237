/** What the parts of a scheduler share. `Scheduler` is the only implementation; its parts know it by this. */
import type { RequestEvent } from "../protocol/vocabulary.ts"
import type { Agenda } from "./agenda.ts"
import type { PagePool } from "./kv.ts"
import type { Path } from "./mail.ts"
import type { Observer } from "./observer.ts"
import type { RequestId, Transfer } from "./ports.ts"
import type { Served } from "./served.ts"
import type { ServingSetup } from "./setup.ts"
import type { Ask } from "./verifying.ts"

export interface Core {
  readonly setup: ServingSetup
  readonly observe: Observer
  readonly pool: PagePool
  readonly agenda: Agenda<Served>
  /** Index of the next pass. */
  readonly index: number
  /** Smoothed seconds of one pass: the unit of the reservation rings. */
  readonly iterationSeconds: number
  /** Live request by id; a broken invariant if there is none. */
  readonly request: (id: RequestId) => Served
  /** Tells a request's machine what happened and does what it commands. */
  readonly send: (request: Served, event: RequestEvent, now: number) => void
  /** Asks the group that verifies for this one. */
  readonly ask: (ask: Ask) => void
  /** Starts a transfer; its tag. */
  readonly move: (path: Path, transfer: Transfer) => number
}
