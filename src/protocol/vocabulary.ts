/**
 * The words between a request's machine and the world: events it hears, commands it gives, what it remembers.
 * Tokens are counted, never time: when a thing happens is the runtime's business.
 */

/** How a request gets its tokens. */
export type Mode =
  /** Full KV in HBM, one committed token a step (or several, with a classical drafter). Also the fallback. */
  | "full"
  /** Draft on compressed KV, reload, verify. */
  | "rounds"
  /** Draft on compressed KV and never verify (the lossy baseline). */
  | "unverified"

export type RequestEvent =
  /** Memory and a place in the batch are granted. `context` says whether the context KV must be computed or fetched. */
  | { readonly type: "ADMITTED"; readonly context: "prefill" | "fetch" }
  /** Prompt computed; its last position yielded the first output token, unless the tokens are recomputed after a preemption. */
  | { readonly type: "PREFILLED"; readonly tokens: 0 | 1 }
  | { readonly type: "FETCHED" }
  | { readonly type: "FETCH_FAILED" }
  /** ADMIT found a verify iteration; `window` tokens will be drafted before it. */
  | { readonly type: "SCHEDULED"; readonly window: number }
  /** ADMIT found none now; the request stands in the waiting queue. */
  | { readonly type: "DEFERRED" }
  | { readonly type: "RELOAD_STARTED" }
  | { readonly type: "RELOADED" }
  /** In flight, or under a verify that read it as it came: that verify then counts for nothing. */
  | { readonly type: "RELOAD_FAILED" }
  /** The window is full: nothing more to draft before the verify. */
  | { readonly type: "DRAFTED"; readonly tokens: number }
  /** The verify pass ended: `accepted` of `drafted` agreed; accepted + 1 tokens are committed, unless the output ends sooner. */
  | { readonly type: "VERIFIED"; readonly drafted: number; readonly accepted: number }
  /** `tokens` tokens were produced in full or unverified mode. */
  | { readonly type: "STEPPED"; readonly tokens: number }
  /** HBM runs short. The machine gives up what can be recomputed or reloaded. */
  | { readonly type: "PREEMPT" }
  /** It can never be served here: its KV does not fit. */
  | { readonly type: "REJECTED" }
  | { readonly type: "CANCEL" }
  | { readonly type: "TIMEOUT" }
  /** The device died: all that was on it is gone, host memory is not. */
  | { readonly type: "DEVICE_LOST" }

export type Outcome = "finished" | "cancelled" | "timed-out" | "failed"

export type RequestCommand =
  /** Stand in the admission queue: at the back on arrival, at the front after a preemption. */
  | { readonly type: "enqueue"; readonly at: "back" | "front" }
  | { readonly type: "prefill" }
  | { readonly type: "fetch" }
  /** Build the compressed KV from the full one; send the full one home. */
  | { readonly type: "compress" }
  /** Ask the scheduler for a verify iteration (ADMIT), wanting `window` tokens. */
  | { readonly type: "reserve"; readonly window: number }
  | { readonly type: "draft"; readonly window: number }
  | { readonly type: "reload" }
  | { readonly type: "cancelReload" }
  /** Verify the drafted tokens in the next pass. */
  | { readonly type: "verify"; readonly drafted: number }
  /** `tokens` committed, of which `accepted` were drafted; truncate both caches behind them and send the new full KV home. */
  | { readonly type: "commit"; readonly tokens: number; readonly accepted: number; readonly rejected: number }
  /** Decode one token a step: on the full KV in HBM, or on the compressed one without verification. */
  | { readonly type: "decode"; readonly on: "full" | "compressed" }
  /** Give up rounds and decode with full KV in HBM from here on. */
  | { readonly type: "fallback" }
  /** Free everything held in HBM and the reservations in the rings. */
  | { readonly type: "release" }
  /** The end. Given exactly once. */
  | { readonly type: "finish"; readonly outcome: Outcome; readonly committed: number }

export interface RequestInput {
  readonly mode: Mode
  /** Output tokens to produce, ≥ 1. */
  readonly output: number
  /** First draft window. */
  readonly window: number
  /** Reloads retried before falling back to full KV. */
  readonly maxRetries: number
}

export interface RequestContext {
  readonly mode: Mode
  readonly output: number
  /** Tokens committed so far; never falls. */
  readonly committed: number
  /** Window wanted for the next round. */
  readonly window: number
  /** Tokens drafted and not yet verified in this round. */
  readonly drafted: number
  readonly retries: number
  readonly maxRetries: number
  readonly rounds: number
}
