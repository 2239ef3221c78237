/**
 * Rest for a thread that waits for WebGPU. In Node, Dawn looks for news at every turn of the event loop for as long as anybody waits, which takes a
 * whole core, on a software adapter from the very work that is waited for. So these turns sleep a little, the more the longer the wait has
 * lasted. Browsers do not spin, and nothing happens there.
 */

/** Turns of a wait without sleep: what is over at once is heard of at once. */
const EAGER = 8
/** Milliseconds of a turn's sleep, at least and at most. */
const LEAST = 0.05
const MOST = 1
/** Share of the sleep so far that the next one takes: news is late by no more than that. */
const SHARE = 1 / 16

/** What a thread that rests needs of its host. */
export interface Host {
  /** Calls `turn` at the next turn of the event loop. */
  readonly nextTurn: (turn: () => void) => void
  readonly sleep: (milliseconds: number) => void
}

export class Rest {
  readonly #host: Host
  #waits = 0
  #turning = false
  /** Turns, and milliseconds slept, since the last wait began or ended. */
  #turns = 0
  #slept = 0

  constructor(host: Host) {
    this.#host = host
  }

  /** Hands on what `work` comes to; the thread rests meanwhile. */
  async during<A>(work: Promise<A>): Promise<A> {
    this.#waits++
    this.#begin()
    if (!this.#turning) this.#turn()
    try {
      return await work
    } finally {
      this.#waits--
      this.#begin()
    }
  }

  #begin(): void {
    this.#turns = 0
    this.#slept = 0
  }

  #turn(): void {
    this.#turning = true
    this.#host.nextTurn(() => {
      this.#turning = false
      if (this.#waits === 0) return
      if (this.#turns++ >= EAGER) {
        const sleep = Math.min(MOST, Math.max(LEAST, this.#slept * SHARE))
        this.#host.sleep(sleep)
        this.#slept += sleep
      }
      this.#turn()
    })
  }
}

/** The host's own way to rest; only Node has one. */
const ownHost = (): Host | undefined => {
  const { setImmediate: nextTurn } = globalThis as { readonly setImmediate?: Host["nextTurn"] }
  if (nextTurn === undefined) return undefined
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  return { nextTurn, sleep: (milliseconds) => void Atomics.wait(nobody, 0, 0, milliseconds) }
}

const host = ownHost()
const rest = host === undefined ? undefined : new Rest(host)

/** `work` of a device, while the thread that waits for it rests. */
export const resting = <A>(work: Promise<A>): Promise<A> => rest?.during(work) ?? work
