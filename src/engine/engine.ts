/**
 * The engine's requests and what becomes of their KV: full KV in host memory, compressed KV on the device, full KV on the
 * device while a pass needs it. What runs when is the scheduler's business; see passes.ts and physics.ts.
 */
import { Effect } from "effect"
import type { Ngram } from "../protocol/ngram.ts"
import type { RequestId } from "../runtime/ports.ts"
import type { ServingPlan } from "../runtime/serving.ts"
import { draftView, fullView } from "./cache/device-cache.ts"
import { Feed } from "./feed.ts"
import { HostPool } from "./cache/host-pool.ts"
import { attentionFloats } from "./cache/observing.ts"
import type { Budget, Compressor, Needs } from "./compressors/compressor.ts"
import { type DeviceState, type DeviceStateOptions, openDeviceState } from "./device-state.ts"
import { KEPT_DISTRIBUTIONS, SAMPLER_WORDS, samplerWords, speculates } from "./kernels/choose.ts"
import { type EngineShape, tokenWords } from "./kernels/shape.ts"
import { ROW } from "./model/forward.ts"
import { type Committed, emptyTail, type Prompt, Session } from "./session.ts"
import type { NoAdapter } from "./webgpu/device.ts"
import type { ModelRefused } from "./weights/checkpoint.ts"

/** How requests are served; the facts of a serving plan the caches depend on. */
export interface Serving {
  /** `rounds`: draft on compressed KV and verify; `full`: no compressed KV; `unverified`: compressed KV only. */
  readonly mode: "rounds" | "full" | "unverified"
  /** The full KV stays on the device between verifies. */
  readonly keepsFull: boolean
  /** What a reload carries over: the full KV, or only what the compressed copy lacks of it. */
  readonly reload: "full" | "missing"
  /** Full KV comes layer by layer, into passes as they run: into verifies, or into every pass because it lives in host memory. */
  readonly streams: "verifies" | "everything" | "nothing"
}

/** What of a serving plan matters to the caches. */
export const servingOf = ({ mode, reload, granularity, offloaded }: ServingPlan): Serving => ({
  mode,
  keepsFull: reload === "none",
  reload: reload === "missing" ? "missing" : "full",
  streams: offloaded ? "everything" : granularity === "streaming" ? "verifies" : "nothing"
})

/** Layers of full KV a request has room for on the device while it streams and the first `ahead` are there before. */
export const layersHeld = (layers: number, ahead: number): number => Math.min(layers, ahead + 2)

export interface EngineOptions extends DeviceStateOptions {
  readonly compressor: Compressor
  readonly budget: Budget
  readonly serving: Serving
  /** Proposes tokens that draft steps, and decode steps on full KV, check several at once. */
  readonly ngram?: Ngram
  /** Tokens drafted in a round at most, where steps yield several. */
  readonly mostDrafted?: number
  /** Tokens that end a request's output. */
  readonly stopTokens?: readonly number[]
  readonly onCommit: (committed: Committed) => void
}

export class Engine {
  readonly options: EngineOptions
  readonly pool: HostPool
  readonly sessions = new Map<RequestId, Session>()
  state: DeviceState
  /** What streams into the pass under way, or into the next. */
  feed = new Feed()
  readonly shape: EngineShape
  /** Told of a request whose output has ended before its most tokens were reached. */
  onStop: (request: RequestId) => void = () => {}
  /** Bytes that passes over offloaded KV have sent home and no transfer has told of yet. */
  wentHome = 0
  /** Devices lost and made anew. */
  rebuilds = 0
  readonly #slots: number[]

  private constructor(options: EngineOptions, state: DeviceState, shape: EngineShape) {
    this.options = options
    this.state = state
    this.shape = shape
    this.pool = new HostPool(shape)
    this.#slots = Array.from({ length: shape.slots }, (_, i) => shape.slots - 1 - i)
  }

  static open(options: EngineOptions): Effect.Effect<Engine, NoAdapter | ModelRefused> {
    return Effect.map(openDeviceState(options), (state) => new Engine(options, state, state.shape))
  }

  close(): void {
    this.state.close()
  }

  session(id: RequestId): Session {
    const session = this.sessions.get(id)
    if (session === undefined) throw new Error(`request ${id} is not in the engine`)
    return session
  }

  // --- requests ---

  /** Takes a request in. Throws if its longest form, or what its sampling keeps, has no room here. Whatever host memory has of its prompt is its own at once: `session.home.tokens`. */
  admit(id: RequestId, prompt: Prompt): Session {
    if (prompt.tokens.length + prompt.maxTokens > this.shape.maxTokens)
      throw new Error(`request ${id} is longer than the ${this.shape.maxTokens} tokens there is room for`)
    if (this.#keepsDistributions(prompt) && this.options.speculative !== true)
      throw new Error(`request ${id} samples speculatively, and there is no room for distributions of drafts`)
    const session = new Session(id, prompt, this.pool.open(prompt.tokens))
    this.sessions.set(id, session)
    return session
  }

  /** Gives a request its place on the device, if it has none. */
  place(session: Session): void {
    if (session.slot !== undefined) return
    session.slot = this.#slots.pop()
    if (session.slot === undefined) throw new Error("more requests run than there are places")
    this.#describe(session)
  }

  /** Forgets a request and all it holds. */
  forget(id: RequestId): void {
    const session = this.sessions.get(id)
    if (session === undefined) return
    this.release(session)
    this.pool.close(session.home)
    this.sessions.delete(id)
  }

  /** Drops what a request has on the device; its tokens and its full KV in host memory stay. */
  release(session: Session): void {
    session.epoch++
    for (const read of session.saving) read.cancel()
    session.saving = []
    session.dropDrafts()
    this.dropFull(session)
    this.dropNext(session)
    this.dropDraft(session)
    if (session.slot !== undefined) this.#slots.push(session.slot)
    session.slot = undefined
  }

  /** Tokens, sampler and empty views of a request on the device. */
  #describe(session: Session): void {
    const { device, tokens, samplers, cache, observations } = this.state
    const { place: slot, prompt } = session
    device.write(tokens, slot * this.shape.maxTokens * 4, Uint32Array.from(session.tokens))
    device.write(
      samplers,
      slot * SAMPLER_WORDS * 4,
      samplerWords(prompt.sampling, this.#keepsDistributions(prompt))
    )
    cache.clearPacked(draftView(slot))
    cache.clearPacked(fullView(slot))
    const floats = attentionFloats(this.shape, this.options.compressor.needs)
    device.write(observations.attention, slot * floats * 4, new Uint32Array(floats))
  }

  /** Tokens up to the first that ends an output. */
  untilStop(tokens: readonly number[]): readonly number[] {
    const { stopTokens = [] } = this.options
    const stop = tokens.findIndex((token) => stopTokens.includes(token))
    return stop < 0 ? tokens : tokens.slice(0, stop + 1)
  }

  /** Makes tokens final. */
  commit(session: Session, tokens: readonly number[], accepted: number, rejected: readonly number[]): void {
    const { stopTokens = [], onCommit } = this.options
    session.tokens.push(...tokens)
    onCommit({ request: session.id, tokens, accepted, rejected })
    if (!stopTokens.includes(session.tokens.at(-1)!)) return
    session.stopped = true
    this.onStop(session.id)
  }

  /** Drafts of a round at most: speculative sampling keeps the distribution of each until it is verified. */
  mostDrafts({ prompt }: Session): number {
    return this.#keepsDistributions(prompt) ? KEPT_DISTRIBUTIONS : Number.POSITIVE_INFINITY
  }

  /** Where nothing is drafted and verified, no distribution is compared with another. */
  #keepsDistributions({ sampling }: Prompt): boolean {
    return this.options.serving.mode === "rounds" && speculates(sampling)
  }

  /** Puts tokens where the device reads them, from `position` of a request on. */
  writeTokens(session: Session, position: number, tokens: readonly number[]): void {
    const { device, tokens: buffer } = this.state
    if (tokens.length > 0)
      device.write(buffer, (session.place * this.shape.maxTokens + position) * 4, Uint32Array.from(tokens))
  }

  // --- caches ---

  /** Makes a tail reach to token `end`. The scheduler has seen to it that there are pages. `held`: layers a new one has at a time. */
  extend(session: Session, which: "full" | "draft", end: number, held = this.shape.config.layers): void {
    const tail = which === "full" ? (session.full ??= emptyTail(0, held)) : session.tail
    if (tail === undefined) throw new Error(`request ${session.id} has no compressed KV`)
    const { layers } = this.shape.config
    const blocks = Math.ceil((end - tail.start) / this.shape.pageTokens)
    const want = Math.ceil((blocks * tail.held) / layers)
    if (want <= tail.pages.length) return
    const more = this.take(want - tail.pages.length)
    const view = which === "full" ? fullView(session.place) : draftView(session.place)
    if (tail.held === layers) this.state.cache.setTail(view, more, tail.pages.length)
    tail.pages.push(...more)
  }

  /** Points the full view of a request, of which not all layers are here at a time, at a layer's places. */
  aim(session: Session, layer: number): void {
    const { full } = session
    const { layers } = this.shape.config
    if (full === undefined || full.held === layers) return
    this.state.cache.setLayer(fullView(session.place), full, layer)
  }

  dropFull(session: Session): void {
    if (session.full !== undefined) this.state.cache.pages.give(session.full.pages)
    session.full = undefined
    session.layersHere = 0
    session.fullUntilHome = false
  }

  dropDraft(session: Session): void {
    this.state.cache.pages.give(session.packed)
    if (session.tail !== undefined) this.state.cache.pages.give(session.tail.pages)
    session.packed = []
    session.tail = undefined
  }

  /** Gives up a compressed copy before it is whole. */
  dropNext(session: Session): void {
    const { next } = session
    if (next !== undefined) this.state.cache.pages.give([...next.packed, ...next.tail.pages])
    session.next = undefined
  }

  /** Bytes on the device of a request's compressed KV: whole pages, as they are allocated. */
  compressedBytes(session: Session): number {
    return (session.packed.length + (session.tail?.pages.length ?? 0)) * this.state.cache.pageBytes
  }

  /** Bytes of the full KV of `tokens` tokens. */
  fullBytes(tokens: number): number {
    return tokens * tokenWords(this.shape) * 4
  }

  /** Observation flags of a request's prompt row at `position`, and of its verify rows. */
  promptFlags({ place: slot, prompt }: Session, position: number): number {
    const { attention, queries } = this.options.compressor.needs
    const length = prompt.tokens.length
    let flags = 0
    if (
      attention?.over === "prompt" ||
      (attention?.over === "recent" && position >= length - (attention.rows ?? 32))
    )
      flags |= observedFlags(slot, this.options.compressor.needs)
    if (queries !== undefined && position >= length - queries) flags |= observing(slot) | ROW.queries
    return flags
  }

  verifyFlags({ place: slot }: Session): number {
    const { needs } = this.options.compressor
    return needs.attention?.verify === true ? observedFlags(slot, needs) : 0
  }

  /** Makes the device anew after it was lost: all requests keep their tokens and what is in host memory. */
  rebuild(): Effect.Effect<void, NoAdapter | ModelRefused> {
    return Effect.gen({ self: this }, function* () {
      this.state.close()
      this.state = yield* openDeviceState(this.options)
      this.rebuilds++
      for (const session of this.sessions.values()) {
        session.epoch++
        session.saving = []
        session.dropDrafts()
        session.full = undefined
        session.layersHere = 0
        session.fullUntilHome = false
        session.next = undefined
        session.packed = []
        session.tail = undefined
        if (session.slot !== undefined) this.#describe(session)
      }
    })
  }

  /** Takes pages; the scheduler has seen to it that there are any. */
  take(count: number): number[] {
    const { pages } = this.state.cache
    const taken = pages.take(count)
    if (taken === undefined)
      throw new Error(
        `${count} pages are wanted, ${pages.capacity - pages.used} of ${pages.capacity} are free`
      )
    return taken
  }
}

const observing = (slot: number): number => (slot + 1) << ROW.slotShift

/** Flags of a row whose attention counts for the request in a slot. */
export const observedFlags = (slot: number, { attention }: Needs): number =>
  observing(slot) | ROW.observed | (attention?.reduce === "max" ? ROW.most : 0)
