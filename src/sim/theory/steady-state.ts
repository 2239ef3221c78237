/**
 * The steady state of long-context decoding in closed form (arXiv:2605.17613, equations (3) and (5)–(12), Appendix B).
 * What a deployment could reach without overheads; the simulator approaches it where its assumptions hold.
 */

/** Bytes, bytes/s, tokens. Of one tensor-parallel group: capacities and bandwidths of all its GPUs together. */
export interface SteadyState {
  /** M: bytes of the weights. */
  readonly weights: number
  /** KV: bytes of one request's full KV. */
  readonly kv: number
  /** c: bytes of its compressed KV over its full KV. */
  readonly keep: number
  /** HBM: bytes for weights and KV. */
  readonly memory: number
  readonly hbmBandwidth: number
  readonly linkBandwidth: number
  /** γ·x: tokens accepted of a window of x. */
  readonly accepted: (window: number) => number
  /** A verify moves the whole KV, as (3) counts, only the missing (1 − c), as (8) does, or nothing: full KV never leaves HBM. */
  readonly reload: "full" | "missing" | "none"
  /** Requests there are to serve at once; Infinity if as many as fit. */
  readonly concurrency: number
  /** Longest window considered. */
  readonly maxWindow: number
}

/** Bytes a verify moves over the link. */
export const reloadBytes = ({ kv, keep, reload }: SteadyState): number => (reload === "full" ? kv : reload === "missing" ? (1 - keep) * kv : 0)

/** T_iter of a staggered batch: weights, compressed KV of all and full KV of B/x verifies, or the link. (3) */
export const iterationTime = (weights: number, kv: number, keep: number, batch: number, window: number, hbm: number, link: number): number =>
  Math.max((weights + batch * kv * (keep + 1 / window)) / hbm, (batch * kv) / (window * link))

/** KV_avg: bytes of KV a drafting request has in HBM on average over a round of x drafts and one verify. (5) */
export const averageKv = (kv: number, keep: number, window: number): number => (kv * (window * keep + 1)) / (window + 1)

/** Largest B_c with M + B_c·KV_avg ≤ HBM. (6), with B_g = 0 */
export const largestBatch = (state: SteadyState, window: number): number =>
  state.reload === "none"
    ? fullKvBatch(state)
    : Math.max(0, Math.floor((state.memory - state.weights) / averageKv(state.kv, state.keep, window)))

/** T_gpu: time HBM needs for one iteration. (7) */
export const gpuTime = (state: SteadyState, batch: number, window: number): number =>
  (state.weights + batch * averageKv(state.kv, state.keep, window)) / state.hbmBandwidth

/** T_xfer: time the link needs per iteration. (8), all reloads of a round together: ℓ spreads one reload, it does not shrink it. */
export const transferTime = (state: SteadyState, batch: number, window: number): number =>
  (batch * reloadBytes(state)) / ((window + 1) * state.linkBandwidth)

/** T_iter = max(T_gpu, T_xfer). (10) */
export const steadyIteration = (state: SteadyState, batch: number, window: number): number =>
  Math.max(gpuTime(state, batch, window), transferTime(state, batch, window))

/** Tokens per second of B requests that commit γx + 1 tokens in x + 1 iterations. (11) */
export const steadyThroughput = (state: SteadyState, batch: number, window: number): number =>
  (batch * (state.accepted(window) + 1)) / (window + 1) / steadyIteration(state, batch, window)

/** Requests that fit with their full KV: ⌊(HBM − M)/KV⌋. */
export const fullKvBatch = (state: SteadyState): number => Math.max(0, Math.floor((state.memory - state.weights) / state.kv))

/** Seconds per token and request of B requests decoding with full KV: T_tok(B)·B = (M + B·KV)/BW_hbm. (12) */
export const fullKvIteration = (state: Pick<SteadyState, "weights" | "kv" | "hbmBandwidth">, batch: number): number =>
  (state.weights + batch * state.kv) / state.hbmBandwidth

/** Windows of the link a reload spans, ℓ_r, and whole iterations, S_r. */
export const reloadSpan = (state: SteadyState, iteration: number): { readonly windows: number; readonly iterations: number } => {
  const windows = reloadBytes(state) / (state.linkBandwidth * iteration)
  return { windows, iterations: Math.max(1, Math.ceil(windows)) }
}

export interface Optimum {
  /** x* */
  readonly window: number
  /** B_c */
  readonly batch: number
  readonly gpuTime: number
  readonly transferTime: number
  readonly iteration: number
  /** Tokens/s. */
  readonly throughput: number
  readonly fullKvBatch: number
  /** Tokens/s with full KV in HBM; 0 if not one request fits. */
  readonly fullKvThroughput: number
  /** Their ratio; Infinity if full KV cannot run. */
  readonly speedup: number
  readonly limit: "hbm" | "link" | "memory"
}

/** Maximises (11) over the window and the batch. For each window the best batch is the largest: throughput grows with it until a resource is full. */
export const idealOptimum = (state: SteadyState): Optimum | undefined => {
  let window = 0
  let batch = 0
  let throughput = 0
  for (let x = 1; x <= state.maxWindow; x++) {
    const b = Math.min(state.concurrency, largestBatch(state, x))
    const rate = b > 0 ? steadyThroughput(state, b, x) : 0
    if (rate > throughput) [window, batch, throughput] = [x, b, rate]
  }
  if (batch === 0) return undefined
  const full = Math.min(state.concurrency, fullKvBatch(state))
  const fullKvThroughput = full > 0 ? full / fullKvIteration(state, full) : 0
  const gpu = gpuTime(state, batch, window)
  const transfer = transferTime(state, batch, window)
  return {
    window,
    batch,
    gpuTime: gpu,
    transferTime: transfer,
    iteration: Math.max(gpu, transfer),
    throughput,
    fullKvBatch: full,
    fullKvThroughput,
    speedup: fullKvThroughput > 0 ? throughput / fullKvThroughput : Number.POSITIVE_INFINITY,
    limit: transfer > gpu ? "link" : batch < state.concurrency && batch === largestBatch(state, window) ? "memory" : "hbm"
  }
}

/** Lock-step verification: all B requests reload one after the other while nobody drafts. Seconds the link is held. */
export const lockStepReload = (batch: number, kv: number, link: number): number => (batch * kv) / link
