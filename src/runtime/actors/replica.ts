import { Effect, type Scope } from "effect"
import type { Outcome } from "../../protocol/vocabulary.ts"
import { pageBytes } from "../kv.ts"
import type { Mail, Order } from "../mail.ts"
import type { Observer } from "../observer.ts"
import { type Gpu, LinkIn, LinkOut, Network, type OutOfMemory, type RequestId, Time } from "../ports.ts"
import { Scheduler } from "../scheduler.ts"
import type { RequestSpec } from "../served.ts"
import type { ServingSetup } from "../setup.ts"
import { startGpu } from "./gpu.ts"
import { startLink } from "./link.ts"
import { Mailbox } from "./mailbox.ts"
import { startActor, type Supervisor } from "./supervisor.ts"
import { type MemoryActor, startMemory } from "./memory.ts"
import type { Verifier } from "./verifier.ts"

/** A tensor-parallel group that serves requests. */
export interface Replica {
  readonly send: (spec: RequestSpec) => void
  readonly cancel: (request: RequestId, why: "cancel" | "timeout") => void
  /** Requests sent and not ended. */
  readonly outstanding: () => number
}

export interface ReplicaOptions {
  readonly setup: ServingSetup
  readonly observe: Observer
  readonly linkSharing: "serial" | "fair"
  /** HBM of the group, bytes. */
  readonly hbmBytes: number
  /** Host memory of the node, which the replicas on it share. */
  readonly host: MemoryActor
  /** The group that verifies for this one, if there is one. */
  readonly verifier?: Verifier
  readonly onEnded: (request: RequestId, outcome: Outcome) => void
}

/**
 * Starts a replica in the current scope: a scheduler fiber between a GPU, an HBM and three link actors. The scheduler is
 * woken by mail, lets everything else that happens at the same instant be said, and then decides once.
 */
export const startReplica = (
  options: ReplicaOptions
): Effect.Effect<Replica, OutOfMemory, Gpu | LinkIn | LinkOut | Network | Time | Supervisor | Scope.Scope> =>
  Effect.gen(function* () {
    const { setup, observe, linkSharing } = options
    const time = yield* Time
    const hbm = yield* startMemory(options.hbmBytes)
    yield* hbm.reserve(setup.weightBytes)
    yield* hbm.reserve(setup.pages * pageBytes(setup.layout))
    yield* options.host.reserve(setup.hostBytes)

    const mailbox = new Mailbox<Mail>()
    const tell = (mail: Mail): void => mailbox.offer(mail)
    const gpu = yield* startGpu(tell)
    const links = {
      in: yield* startLink("in", linkSharing, yield* LinkIn, observe, tell),
      out: yield* startLink("out", linkSharing, yield* LinkOut, observe, tell),
      network: yield* startLink("network", "fair", yield* Network, observe, tell)
    }
    let outstanding = 0
    const scheduler = new Scheduler(setup, observe, {
      run: gpu.run,
      cut: gpu.cut,
      release: gpu.release,
      move: (order: Order) => links[order.path].move(order),
      stop: (order: Order) => links[order.path].stop(order),
      ask: (ask) => options.verifier?.ask(ask, tell),
      ended: (request, outcome) => {
        outstanding--
        options.onEnded(request, outcome)
      }
    })
    const serve = Effect.gen(function* () {
      for (;;) {
        const woken = yield* mailbox.take
        for (const mail of woken) scheduler.receive(mail, time.now())
        yield* time.settled
        // What a pass that ended brings about is mail too: it counts for the next pass, whichever of these takes had the end.
        while (mailbox.size > 0) for (const mail of yield* mailbox.take) scheduler.receive(mail, time.now())
        scheduler.advance(time.now())
      }
    })
    yield* startActor(serve)
    return {
      send: (spec) => {
        outstanding++
        tell({ type: "arrive", spec })
      },
      cancel: (request, why) => tell({ type: why, request }),
      outstanding: () => outstanding
    }
  })
