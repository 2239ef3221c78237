/** The page's end of the simulation worker. An answer to a question that was cancelled or asked anew is never told. */
import type { FromWorker, Request, Response, TextFile, ToWorker } from "./protocol.ts"

export interface Port {
  postMessage(message: ToWorker, transfer: Transferable[]): void
  addEventListener(type: "message", told: (event: MessageEvent<FromWorker>) => void): void
}

export class SimulationClient {
  readonly #port: Port
  readonly #waiting = new Map<
    number,
    { readonly kind: Request["kind"]; readonly told: (response: Response) => void }
  >()
  #next = 1
  #given = 0

  constructor(port: Port) {
    this.#port = port
    port.addEventListener("message", ({ data: { id, response } }) => {
      const waiting = this.#waiting.get(id)
      if (response.kind === "done" || response.kind === "problem") this.#waiting.delete(id)
      waiting?.told(response)
    })
  }

  /** Asks; an earlier question of the same kind is cancelled. Returns how to cancel this one. */
  ask(request: Request, told: (response: Response) => void): () => void {
    for (const [id, { kind }] of this.#waiting) if (kind === request.kind) this.#cancel(id)
    const id = this.#next++
    this.#waiting.set(id, { kind: request.kind, told })
    this.#port.postMessage({ id, request }, [])
    return () => this.#cancel(id)
  }

  /** Files of the user's own that scenarios may name; they last as long as the page. */
  give(own: readonly TextFile[]): void {
    this.#given++
    this.#port.postMessage({ own }, [])
  }

  /** How often files were given: with them an answer may be another one. */
  get given(): number {
    return this.#given
  }

  #cancel(id: number): void {
    if (this.#waiting.delete(id)) this.#port.postMessage({ id, cancel: true }, [])
  }
}
