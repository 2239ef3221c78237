/** What the page asks the engine's worker, and what comes back. Plain data; one question at a time. */
import type { AdapterCard } from "../../engine/webgpu/device.ts"
import type { TraceView } from "../shell/traces.ts"

/** A compression method of the engine, for pickers. */
export interface CompressorCard {
  readonly name: string
  readonly summary: string
  readonly source: string
  readonly kind: "none" | "drop" | "quantize" | "hybrid"
  readonly mode: "offline" | "online"
  readonly takesKeep: boolean
}

/** What a generation is asked for; as `vericache generate` has it. */
export interface GenerateSettings {
  readonly prompt: string
  readonly compressor: string
  /** Bytes of compressed KV over bytes of full KV, above 0 and at most 1. */
  readonly keep: number
  /** Tokens drafted between two verifications, ≥ 1. */
  readonly window: number
  readonly maxTokens: number
  /** 0 = greedy. */
  readonly temperature: number
  readonly seed: number
}

export type EngineRequest =
  /** `compressors`, then `adapter`. */
  | { readonly kind: "describe" }
  /** `checked`. */
  | { readonly kind: "check" }
  /** `stage`s, `checked`, `round`s, `drafted`, `compared`s, `traces`. */
  | { readonly kind: "generate"; readonly settings: GenerateSettings }
  /** `stage`s, `probed`. */
  /** `base`: entry of the hardware catalog whose figures fill in what no browser can measure. */
  | { readonly kind: "probe"; readonly base: string }

export interface TokenText {
  /** What the token adds to the text; a character may be spread over several tokens, then some add nothing. */
  readonly text: string
  readonly id: number
}

/** Tokens that became final together, and those that did not. */
export interface RoundTokens {
  /** Drafted and confirmed by the full KV cache. */
  readonly accepted: readonly TokenText[]
  /** The verifier's own: after a rejection in its place, else one more for free. */
  readonly own: readonly TokenText[]
  /** Drafted and thrown away. */
  readonly rejected: readonly TokenText[]
}

/** Figures of a run, all measured; totals from its start. */
export interface RunFigures {
  readonly rounds: number
  readonly tokens: number
  readonly drafted: number
  readonly accepted: number
  /** Bytes of KV over the link so far, host to device and back. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Since the first pass, model already loaded. */
  readonly seconds: number
}

/** What is measured of a device: medians; rates of the size that was fastest, bytes/s. */
export interface ProbeFigures {
  readonly upload: number
  readonly download: number
  /** Read and written bytes together. */
  readonly copy: number
  /** Seconds of a submit that does nothing, until the queue is idle. */
  readonly submit: number
  /** Widest spread of the three rates: the middle half of the repetitions over their median. */
  readonly spread: number
}

export type EngineResponse =
  | { readonly kind: "compressors"; readonly compressors: readonly CompressorCard[] }
  | {
      readonly kind: "adapter"
      readonly card: AdapterCard
      readonly limits: Readonly<Record<string, number>>
    }
  /** WebGPU cannot be used here, and why: a sentence. */
  | { readonly kind: "noAdapter"; readonly reason: string }
  /** `share` of it that is done, 0–1, where that is known. */
  | { readonly kind: "stage"; readonly stage: string; readonly share: number | undefined }
  /** What differs between a position computed alone and in company; nothing on a device to trust. */
  | { readonly kind: "checked"; readonly differing: readonly string[] }
  | { readonly kind: "round"; readonly tokens: RoundTokens; readonly figures: RunFigures }
  | {
      readonly kind: "drafted"
      readonly figures: RunFigures
      readonly promptTokens: number
      /** Bytes of KV on the device after the prompt, in whole pages. */
      readonly compressedBytes: number
      readonly fullBytes: number
    }
  /** Full-KV decoding has come so far; `same` tokens from the start on were equal. `ended`: it has produced all. */
  | {
      readonly kind: "compared"
      readonly tokens: number
      readonly same: number
      readonly of: number
      readonly seconds: number
      readonly ended: boolean
    }
  | { readonly kind: "deviceLost"; readonly reason: string }
  | { readonly kind: "traces"; readonly vericache: TraceView; readonly full: TraceView }
  | { readonly kind: "probed"; readonly figures: ProbeFigures; readonly profile: string | undefined }
  | { readonly kind: "problem"; readonly message: string }
  /** The last of every question, cancelled or not: nothing of it is on the device any more. */
  | { readonly kind: "done" }

export type ToEngine =
  | { readonly id: number; readonly request: EngineRequest }
  | { readonly id: number; readonly cancel: true }
  /** Destroys the device under a run, as a driver's reset would. */
  | { readonly id: number; readonly lose: true }
export interface FromEngine {
  readonly id: number
  readonly response: EngineResponse
}
