import { Effect, type Scope } from "effect"
import { pageBytes } from "../kv.ts"
import type { Mail } from "../mail.ts"
import type { Observer } from "../observer.ts"
import { type Gpu, Network, type OutOfMemory, type RequestId, Time } from "../ports.ts"
import type { ServingSetup } from "../setup.ts"
import { type Answer, type Ask, VerifyingGroup } from "../verifying.ts"
import { startGpu } from "./gpu.ts"
import { startLink } from "./link.ts"
import { Mailbox } from "./mailbox.ts"
import { startActor, type Supervisor } from "./supervisor.ts"
import { startMemory } from "./memory.ts"

/** A group that verifies for others. */
export interface Verifier {
  /** Asks on behalf of a request; answers go to whoever asked for it last. Both take half a round trip. */
  readonly ask: (ask: Ask, reply: (answer: Answer) => void) => void
}

export interface VerifierOptions {
  readonly setup: ServingSetup
  readonly observe: Observer
  readonly linkSharing: "serial" | "fair"
  readonly hbmBytes: number
  /** One message there and back, ns. */
  readonly roundTrip: number
}

type Letter =
  | { readonly type: "ask"; readonly ask: Ask }
  | Extract<Mail, { type: "passed" | "moved" | "move-failed" | "device-lost" }>

const requestOf = (ask: Ask): RequestId => (ask.type === "verify" ? ask.item.request : ask.request)

/** Starts a verifying group in the current scope. */
export const startVerifier = (
  options: VerifierOptions
): Effect.Effect<Verifier, OutOfMemory, Gpu | Network | Time | Supervisor | Scope.Scope> =>
  Effect.gen(function* () {
    const { setup, observe, roundTrip } = options
    const time = yield* Time
    const hbm = yield* startMemory(options.hbmBytes)
    yield* hbm.reserve(setup.weightBytes)
    yield* hbm.reserve(setup.pages * pageBytes(setup.layout))
    const mailbox = new Mailbox<Letter>()
    const tell = (mail: Mail): void => {
      if (
        mail.type === "passed" ||
        mail.type === "moved" ||
        mail.type === "move-failed" ||
        mail.type === "device-lost"
      )
        mailbox.offer(mail)
    }
    const gpu = yield* startGpu(tell)
    const network = yield* startLink("network", options.linkSharing, yield* Network, observe, tell)
    const clients = new Map<RequestId, (answer: Answer) => void>()

    // Messages travel half a round trip and keep their order.
    const post = new Mailbox<{ readonly at: number; readonly deliver: () => void }>()
    const later = (deliver: () => void): void => post.offer({ at: time.now() + roundTrip / 2, deliver })
    const carry = Effect.gen(function* () {
      for (;;) {
        for (const { at, deliver } of yield* post.take) {
          yield* time.until(at)
          deliver()
        }
      }
    })
    yield* startActor(carry)

    const group = new VerifyingGroup(setup, observe, {
      run: gpu.run,
      move: network.move,
      stop: network.stop,
      answer: (answer) => {
        const request = answer.type === "remote-verified" ? answer.result.request : answer.request
        const reply = clients.get(request)
        if (reply !== undefined) later(() => reply(answer))
      }
    })
    const serve = Effect.gen(function* () {
      for (;;) {
        for (const letter of yield* mailbox.take) {
          if (letter.type === "ask") group.ask(letter.ask)
          else group.receive(letter, time.now())
        }
        yield* time.settled
        group.advance(time.now())
      }
    })
    yield* startActor(serve)
    return {
      ask: (ask, reply) => {
        const request = requestOf(ask)
        if (ask.type === "drop") clients.delete(request)
        else clients.set(request, reply)
        later(() => mailbox.offer({ type: "ask", ask }))
      }
    }
  })
