import { Cause, Effect, Exit, Fiber, type Scope } from "effect"
import type { Mail, Order, Path } from "../mail.ts"
import type { Observer } from "../observer.ts"
import { DeviceLost, type LinkShape, Time } from "../ports.ts"
import { Mailbox } from "./mailbox.ts"
import { startActor, type Supervisor } from "./supervisor.ts"

/** One direction of a link. */
export interface LinkActor {
  readonly move: (order: Order) => void
  /** Drops an order that waits, stops one that runs. No mail about it follows. */
  readonly stop: (order: Order) => void
}

/**
 * Starts the actor of a path in the current scope. A serial link carries one transfer at a time, in the order asked for; a
 * fair one carries all at once and leaves it to the physics to share the bandwidth.
 */
export const startLink = (
  path: Path,
  sharing: "serial" | "fair",
  port: LinkShape,
  observe: Observer,
  tell: (mail: Mail) => void
): Effect.Effect<LinkActor, never, Time | Supervisor | Scope.Scope> =>
  Effect.gen(function* () {
    const time = yield* Time
    const mailbox = new Mailbox<Order>()
    const stopped = new Set<number>()
    const running = new Map<number, Fiber.Fiber<unknown, unknown>>()

    const carry = Effect.fnUntraced(function* (order: Order) {
      if (stopped.delete(order.tag)) return
      const start = time.now()
      observe.linkStarts(path, start)
      const fiber = yield* Effect.forkChild(port.move(order.transfer))
      running.set(order.tag, fiber)
      const exit = yield* Fiber.await(fiber)
      running.delete(order.tag)
      const end = time.now()
      const dropped = stopped.delete(order.tag)
      const moved = Exit.isSuccess(exit) && !dropped ? exit.value.bytes : undefined
      observe.linkEnds(order, end, moved)
      if (dropped) {
        observe.stopped({ order, start, end })
        return
      }
      if (moved !== undefined) tell({ type: "moved", order, start, end, bytes: moved })
      else if (Exit.isFailure(exit)) {
        const lost = Cause.findErrorOption(exit.cause)
        if (lost._tag === "Some" && lost.value instanceof DeviceLost)
          tell({ type: "device-lost", reason: lost.value.reason, during: { order, start, end } })
        else tell({ type: "move-failed", order, start, end, reason: String(exit.cause) })
      }
    })

    const serve = Effect.gen(function* () {
      for (;;) {
        for (const order of yield* mailbox.take) {
          if (sharing === "serial") yield* carry(order)
          else yield* Effect.forkChild(carry(order))
        }
      }
    })
    yield* startActor(serve)
    return {
      move: (order) => mailbox.offer(order),
      stop: (order) => {
        stopped.add(order.tag)
        running.get(order.tag)?.interruptUnsafe()
      }
    }
  })
