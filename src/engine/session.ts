/** One request inside the engine: its tokens, and which parts of its KV are where. */
import type { HostCopy } from "./cache/host-pool.ts"
import type { PackedLayout } from "./cache/packed-layout.ts"
import type { Compression, Observation } from "./compressors/compressor.ts"
import type { Sampling } from "./kernels/choose.ts"
import type { PendingRead } from "./webgpu/device.ts"

/** What a client asks for. */
export interface Prompt {
  readonly tokens: readonly number[]
  /** Most tokens to produce, ≥ 1. */
  readonly maxTokens: number
  readonly sampling: Sampling
}

/** Tokens that became final together. */
export interface Committed {
  readonly request: number
  readonly tokens: readonly number[]
  /** How many of them had been drafted; the others are the verifier's own. */
  readonly accepted: number
  /** Drafted tokens that were thrown away. */
  readonly rejected: readonly number[]
}

/**
 * Tokens [start, end) of a request that lie in a view's tail, in these pages: all layers of them, or `held` at a time, in
 * places that layers take in turn.
 */
export interface Tail {
  start: number
  end: number
  readonly held: number
  readonly pages: number[]
}

export const emptyTail = (start: number, held: number): Tail => ({ start, end: start, held, pages: [] })

/** A compressed copy that takes the old one's place when all its layers are packed: what was seen, and chosen, for it. */
export interface NextCopy {
  readonly observation: Observation
  readonly compression: Compression
  readonly layout: PackedLayout
  readonly packed: number[]
  readonly tail: Tail
}

export class Session {
  readonly id: number
  /** Its place on the device, while it has one. */
  slot: number | undefined
  readonly prompt: Prompt
  /** Prompt and committed tokens. The newest has no KV yet: the next pass brings it. */
  readonly tokens: number[]
  /** Drafted since the last commit, and what an n-gram drafter proposed on the way. */
  drafts: number[] = []
  proposals = { proposed: 0, agreed: 0 }
  /** Full KV in host memory. */
  readonly home: HostCopy
  /** Full KV on the device, if it is there: `start` is 0. */
  full: Tail | undefined
  /** Layers of it that have come, where they come one by one. */
  layersHere = 0
  /** What drafts attend to: the packed part's pages, and the tail behind it. */
  packed: number[] = []
  tail: Tail | undefined
  compression: Compression | undefined
  /** What drafts will attend to once the verify under way, into which full KV streams, has packed it. */
  next: NextCopy | undefined
  /** Rows on their way home. */
  saving: PendingRead[] = []
  /** Full KV on the device is only there until it is home. */
  fullUntilHome = false
  /** Raised whenever what is on the device is dropped: transfers that began before stop. */
  epoch = 0
  /** Its output ended with a stop token. */
  stopped = false
  rounds = 0
  drafted = 0
  accepted = 0
  /** An n-gram drafter's tokens, and those that the pass which checked them agreed with. */
  proposed = 0
  agreed = 0
  /** Bytes over the link, each way. */
  bytesIn = 0
  bytesOut = 0

  constructor(id: number, prompt: Prompt, home: HostCopy) {
    this.id = id
    this.prompt = prompt
    this.tokens = [...prompt.tokens]
    this.home = home
  }

  /** Its place on the device; a broken invariant if it has none. */
  get place(): number {
    if (this.slot === undefined) throw new Error(`request ${this.id} has no place on the device`)
    return this.slot
  }

  /** Throws away what was drafted and not verified. */
  dropDrafts(): void {
    this.drafts = []
    this.proposals = { proposed: 0, agreed: 0 }
  }

  /** Tokens produced so far. */
  get produced(): number {
    return this.tokens.length - this.prompt.tokens.length
  }
}
