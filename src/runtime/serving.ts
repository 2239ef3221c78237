/** What a serving method asks of the runtime, read once: the scheduler knows these facts and no method names. */
import type { Mode } from "../protocol/vocabulary.ts"
import type { Drafter, Method, WindowPolicy } from "../scenario/resolved.ts"

export interface ServingPlan {
  /** How requests start out. */
  readonly mode: Mode
  /** Bytes of the resident KV of a context over its full KV. */
  readonly keep: number
  /** New tokens are folded into the compressed KV at each commit (online), or stay as they are (offline). */
  readonly folds: boolean
  readonly window: WindowPolicy
  readonly schedule: "staggered" | "lock-step"
  /** What a verify needs moved in: all, only what is missing, or nothing because the full KV never leaves HBM. */
  readonly reload: "full" | "missing" | "none"
  /** Verifies run on this group, or on one beside the store that keeps the full KV. */
  readonly verifies: "here" | "remote"
  /** A verify starts when the reload has ended (`whole`) or runs layer by layer behind it (`streaming`). */
  readonly granularity: "whole" | "streaming"
  /** The full KV lives in host memory and passes through HBM in every step. */
  readonly offloaded: boolean
  /** So many of the requests that are here at once keep their full KV in HBM and do not draft: B_g of arXiv:2605.17613 (6). */
  readonly fullKvRequests: number
  /** Proposes tokens that the pass itself checks. */
  readonly drafter?: Drafter
}

const base: Omit<ServingPlan, "mode"> = {
  keep: 1,
  folds: false,
  window: { kind: "fixed", tokens: 0 },
  schedule: "staggered",
  reload: "none",
  verifies: "here",
  granularity: "whole",
  offloaded: false,
  fullKvRequests: 0
}

/** The plan of a method; `remote`: full KV stays with the store and is verified there. */
export const servingPlan = (method: Method, remote: boolean): ServingPlan => {
  switch (method.kind) {
    case "full-kv":
      return { ...base, mode: "full" }
    case "offloaded":
      return { ...base, mode: "full", offloaded: true }
    case "drafter":
      return { ...base, mode: "full", drafter: method.drafter }
    case "lossy":
      return { ...base, mode: "unverified", keep: method.compressor.keep }
    case "sparse":
      return { ...base, mode: "rounds", keep: method.compressor.keep, window: method.window }
    case "vericache":
      return {
        mode: "rounds",
        keep: method.compressor.keep,
        folds: method.compressor.mode === "online",
        window: method.window,
        // A group elsewhere verifies whoever is ready, from whole copies of its own.
        schedule: remote ? "staggered" : method.schedule,
        reload: remote ? "full" : method.reload,
        verifies: remote ? "remote" : "here",
        granularity: remote ? "whole" : method.granularity,
        offloaded: false,
        fullKvRequests: remote ? 0 : method.fullKvRequests,
        ...(method.drafter === undefined ? {} : { drafter: method.drafter })
      }
  }
}

/** Share of a context's KV that stays in HBM while it is being drafted: all of it where nothing is reloaded. */
export const residentShare = (plan: ServingPlan): number =>
  plan.offloaded ? 0 : plan.mode === "rounds" && plan.reload === "none" ? 1 : plan.keep
