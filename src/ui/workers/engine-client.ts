/** The page's end of the engine's worker. */
import type { EngineRequest, EngineResponse, FromEngine, ToEngine } from "./engine-protocol.ts"

/** A question that was asked. */
export interface EngineQuestion {
  /** Ends it; `done` still comes, once everything is freed. */
  readonly cancel: () => void
  /** Takes the device away under it. */
  readonly lose: () => void
}

export class EngineClient {
  readonly #worker: Worker
  readonly #waiting = new Map<number, (response: EngineResponse) => void>()
  #next = 1

  constructor() {
    this.#worker = new Worker(new URL("./engine.ts", import.meta.url), { type: "module" })
    this.#worker.addEventListener("message", ({ data: { id, response } }: MessageEvent<FromEngine>) => {
      const told = this.#waiting.get(id)
      if (response.kind === "done") this.#waiting.delete(id)
      told?.(response)
    })
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault()
      const message = event.message || "the engine's script could not be loaded; reload the page"
      for (const told of this.#waiting.values()) {
        told({ kind: "problem", message })
        told({ kind: "done" })
      }
      this.#waiting.clear()
    })
  }

  /** Asks; questions are answered one after the other, each until `done`. */
  ask(request: EngineRequest, told: (response: EngineResponse) => void): EngineQuestion {
    const id = this.#next++
    this.#waiting.set(id, told)
    this.#post({ id, request })
    return { cancel: () => this.#post({ id, cancel: true }), lose: () => this.#post({ id, lose: true }) }
  }

  /** Ends the worker and everything in it. */
  close(): void {
    this.#waiting.clear()
    this.#worker.terminate()
  }

  #post(message: ToEngine): void {
    // A worker's port has no origin to name.
    this.#worker.postMessage(message, [])
  }
}
