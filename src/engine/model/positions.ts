/** Computes positions of requests on full KV by hand, past scheduler and sessions: what proofs of the forward pass work with. */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import { fullView } from "../cache/device-cache.ts"
import type { DeviceState } from "../device-state.ts"
import { GREEDY, type Sampling, SAMPLER_WORDS, samplerWords } from "../kernels/choose.ts"
import type { EngineShape } from "../kernels/shape.ts"
import { ROW } from "./forward.ts"

/** A position of the request in a slot. */
export interface Position {
  readonly slot: number
  readonly position: number
}

/** What the model says after a position: bits of its logits, and the token drawn from them. */
export interface Said {
  readonly logits: Float32Array
  readonly token: number
}

export class Positions {
  readonly #state: DeviceState
  readonly #shape: EngineShape

  constructor(state: DeviceState, shape: EngineShape) {
    this.#state = state
    this.#shape = shape
  }

  /** Puts a request's tokens into a slot; its KV will lie in `pages`, in this order. */
  open(slot: number, tokens: readonly number[], pages: readonly number[], sampling: Sampling = GREEDY): void {
    const { device, cache, samplers } = this.#state
    device.write(this.#state.tokens, slot * this.#shape.maxTokens * 4, Uint32Array.from(tokens))
    device.write(samplers, slot * SAMPLER_WORDS * 4, samplerWords(sampling))
    cache.clearPacked(fullView(slot))
    cache.setTail(fullView(slot), pages)
  }

  /** Computes positions in one pass, whose earlier positions have been computed or are among them. One answer each. */
  compute(positions: readonly Position[]): Effect.Effect<readonly Said[], DeviceLost> {
    const { device, forward } = this.#state
    const stride = Math.ceil(this.#shape.config.vocab / 4) * 4
    const count = positions.length
    return Effect.suspend(() => {
      this.#submit(positions, true)
      const logits = device.startRead(forward.logits, 0, count * stride * 4)
      const tokens = device.startRead(forward.out, 0, count * 4)
      return Effect.all([logits.collect, tokens.collect])
    }).pipe(
      Effect.map(([logits, tokens]) => {
        const all = new Float32Array(logits.buffer)
        const chosen = new Uint32Array(tokens.buffer)
        return positions.map((_, i) => ({
          logits: all.slice(i * stride, i * stride + this.#shape.config.vocab),
          token: chosen[i]!
        }))
      })
    )
  }

  /** Computes the KV of positions in one pass and asks for no tokens. Waits for nothing. */
  feed(positions: readonly Position[]): void {
    this.#submit(positions, false)
  }

  /** KV of the first `count` positions of a slot, as it goes home. */
  kv(slot: number, count: number): Effect.Effect<Uint8Array, DeviceLost> {
    const reads = this.#state.cache.startReading(fullView(slot), 0, count)
    return Effect.map(
      Effect.forEach(reads, ({ collect }) => collect),
      (parts) => Uint8Array.from(parts.flatMap((part) => [...part]))
    )
  }

  #submit(positions: readonly Position[], wanted: boolean): void {
    this.#state.forward.submit({
      rows: positions.map(({ slot, position }) => ({
        view: fullView(slot),
        position,
        tail: position,
        flags: (slot + 1) << ROW.slotShift
      })),
      choices: wanted ? positions.map((_, i) => i) : [],
      steps: 1,
      entries: Math.max(...positions.map(({ position }) => position)) + 1,
      rotated: false,
      observed: false,
      queried: false
    })
  }
}
