/**
 * Full KV on its way into the pass under way, layer by layer: the link brings layers, the pass computes them. Each waits for
 * the other here: a layer is computed once it has come, and comes once there is a place for it.
 */
import { Effect } from "effect"
import type { DeviceLost } from "../runtime/ports.ts"
import type { Session } from "./session.ts"

export class Feed {
  /** Requests whose KV the pass reads as it comes; undefined until the pass has begun, and once it is over. */
  members: readonly Session[] | undefined
  /** Layers [0, arrived) are on the device or on the queue to it; layers [0, computed) are on the queue behind them. */
  arrived = 0
  computed = 0
  /** What became of the transfer: all came as it was, or it failed and what was computed from it is void. */
  verdict: "coming" | "whole" | "void" = "coming"
  #closed = false
  #lost: DeviceLost | undefined
  readonly #waiting = new Set<() => void>()

  get closed(): boolean {
    return this.#closed
  }

  /** The pass begins to read. A transfer that has failed already stays failed. */
  open(members: readonly Session[]): void {
    if (this.verdict !== "void") this.members = members
    this.#tell()
  }

  /** The pass begins anew, on another transfer than the one that failed. */
  reopen(members: readonly Session[]): void {
    this.arrived = 0
    this.computed = 0
    this.verdict = "coming"
    this.open(members)
  }

  arrive(layers: number): void {
    this.arrived = layers
    this.#tell()
  }

  compute(layers: number): void {
    this.computed = layers
    this.#tell()
  }

  /** The transfer is over. Another one waits until the pass opens again. */
  end(verdict: "whole" | "void"): void {
    this.verdict = verdict
    if (verdict === "void") this.members = undefined
    this.#tell()
  }

  /** The transfer found the device gone. */
  lose(cause: DeviceLost): void {
    this.#lost ??= cause
    this.#tell()
  }

  /** The pass is over: nobody waits for anything any more. */
  close(): void {
    this.members = undefined
    this.#closed = true
    this.#tell()
  }

  /** Waits until something holds; the end of the pass ends the wait too. */
  until(holds: () => boolean): Effect.Effect<void, DeviceLost> {
    return Effect.suspend(() => {
      if (this.#lost !== undefined) return Effect.fail(this.#lost)
      if (this.#closed || holds()) return Effect.void
      return Effect.andThen(this.#change, this.until(holds))
    })
  }

  readonly #change: Effect.Effect<void> = Effect.callback<void>((resume) => {
    const wake = (): void => resume(Effect.void)
    this.#waiting.add(wake)
    return Effect.sync(() => this.#waiting.delete(wake))
  })

  #tell(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}
