/** A recorded run once more, under the simulator's runtime: the same scenario, asked of the other physics. */
import { Cause, Exit } from "effect"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import type { Clients } from "../runtime/serve.ts"
import { clientsOf } from "../sim/clients.ts"
import { simulate, type Simulation } from "../sim/simulate.ts"
import { TraceStore } from "../trace/store.ts"
import { ambiguous, arrivalsOf } from "./recorded-orders.ts"
import { Diverged, replayPorts } from "./replay-ports.ts"

export interface Replayed {
  readonly simulation: Simulation
  /** What the runtime decided, to hold beside the recorded trace. */
  readonly trace: TraceStore
}

const divergence = (cause: Cause.Cause<unknown>): Diverged | undefined => {
  const defect = cause.reasons.find((reason) => reason._tag === "Die")?.defect
  return defect instanceof Diverged ? defect : undefined
}

/** Clients who send when those of the run did; a closed loop sends when a request ends, which the run decides. */
const asTheyCame = (clients: Clients, recorded: TraceStore): Clients => {
  if (clients.concurrency !== undefined) return clients
  const arrivals = arrivalsOf(recorded)
  return {
    ...clients,
    next: () => {
      const sent = clients.next()
      return sent === undefined ? undefined : { ...sent, arrival: arrivals.get(sent.spec.id) ?? sent.arrival }
    }
  }
}

/**
 * Replays a run of one replica. Word of a transfer that has the time at which a pass began is taken to have come before it, and,
 * if the runtime then asks for something else, after it. Throws `Diverged` if neither agrees with the machine.
 */
export const replay = (scenario: Scenario, named: NamedMethod, recorded: TraceStore): Replayed => {
  const late = new Set<number>()
  const open = ambiguous(recorded).toSorted((a, b) => a - b)
  for (;;) {
    const trace = new TraceStore(recorded.meta)
    const exit = simulate(scenario, named, {
      recorder: trace,
      settles: true,
      clients: asTheyCame(clientsOf(scenario), recorded),
      ports: (kernel) => replayPorts(kernel, recorded, late)
    })
    if (Exit.isSuccess(exit)) return { simulation: exit.value, trace }
    const diverged = divergence(exit.cause)
    if (diverged === undefined) throw Cause.squash(exit.cause)
    const last = open.findLast((time) => time <= diverged.at && !late.has(time))
    if (last === undefined) throw diverged
    late.add(last)
  }
}
