/**
 * Closed forms of the methods VeriCache is compared with, under the assumptions of `steady-state.ts`: passes are bounded by
 * HBM bandwidth, arithmetic and launches are free. All extend arXiv:2605.17613 (12), B·T_tok(B) = (M + B·KV)/BW_hbm.
 */
import { type DraftStep, fullKvBatch, fullKvIteration, type SteadyState } from "./steady-state.ts"

/** The hardware and the request of a steady state, without anything that drafts. */
export type Plain = Pick<
  SteadyState,
  "weights" | "kv" | "memory" | "hbmBandwidth" | "linkBandwidth" | "concurrency"
>

export interface Baseline {
  /** Requests in the batch; 0 if not one fits. */
  readonly batch: number
  /** Seconds of one step. */
  readonly iteration: number
  /** Tokens/s. */
  readonly throughput: number
  readonly limit: "hbm" | "link" | "memory"
}

const NOTHING_FITS: Baseline = { batch: 0, iteration: 0, throughput: 0, limit: "memory" }

const atBatch = (
  state: Plain,
  fits: number,
  tokens: number,
  seconds: (batch: number) => number
): Baseline => {
  const batch = Math.min(state.concurrency, fits)
  if (batch <= 0) return NOTHING_FITS
  const iteration = seconds(batch)
  return {
    batch,
    iteration,
    throughput: (batch * tokens) / iteration,
    limit: batch < state.concurrency ? "memory" : "hbm"
  }
}

/** Full KV in HBM. arXiv:2605.17613 (12) */
export const fullKv = (state: Plain): Baseline =>
  atBatch(state, fullKvBatch(state), 1, (batch) => fullKvIteration(state, batch))

/** Full KV in host memory, passing through HBM in every step behind the weights' own reads. */
export const offloaded = (state: Plain): Baseline => {
  if (state.weights > state.memory) return NOTHING_FITS
  const batch = state.concurrency
  const link = (batch * state.kv) / state.linkBandwidth
  const gpu = fullKvIteration(state, batch)
  const iteration = Math.max(link, gpu)
  return { batch, iteration, throughput: batch / iteration, limit: link > gpu ? "link" : "hbm" }
}

/** Compressed KV alone, never verified. Its output is not the model's. */
export const lossy = (state: Plain, keep: number): Baseline => fullKv({ ...state, kv: state.kv * keep })

/** A classical drafter over full KV in HBM: k proposals one after the other, then one pass that yields `drafter.tokens`. */
export const classicalDrafter = (state: Plain, drafter: DraftStep): Baseline => {
  const fits = fullKvBatch({
    memory: state.memory,
    weights: state.weights + drafter.weights,
    kv: state.kv + drafter.kv
  })
  return atBatch(
    state,
    fits,
    drafter.tokens,
    (batch) =>
      fullKvIteration(state, batch) +
      (drafter.proposals * (drafter.weights + batch * drafter.kv)) / state.hbmBandwidth
  )
}
