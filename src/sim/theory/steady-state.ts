/**
 * The steady state of long-context decoding in closed form (arXiv:2605.17613, equations (3) and (5)–(11), Appendix B).
 * What a deployment could reach without overheads; the simulator approaches it where its assumptions hold: every request
 * has the same KV, rounds are spread evenly, HBM and the link reach their full rate and arithmetic is free.
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
  /** γ·x: tokens accepted of the window that `x` draft steps fill. */
  readonly accepted: (window: number) => number
  /**
   * A verify moves the whole KV, as (3) counts, or only the missing (1 − c), as (8) does; or nothing, because the full KV
   * stays in HBM (sparse self-speculation).
   */
  readonly reload: "full" | "missing" | "none"
  /** Requests there are to serve at once; Infinity if as many as fit. */
  readonly concurrency: number
  /** Longest window considered, draft steps. */
  readonly maxWindow: number
  /** B_g: requests that keep their full KV in HBM and do not draft; absent = 0. */
  readonly pinned?: number
  /** ℓ: whole iterations for which a reload has the link to itself, (9); absent = the link is divided at any grain. */
  readonly span?: number
  /**
   * Reloaded KV takes memory during its verify alone, as (5) and (6) have it (absent), or from the start of its reload, as
   * ADMIT's HBM ring books it.
   */
  readonly hold?: "reload"
  /** A third level: a small drafter under each draft step. */
  readonly drafter?: DraftStep
}

/** What a classical drafter adds to a step of its target. */
export interface DraftStep {
  /** Proposals per step. */
  readonly proposals: number
  /** Bytes of weights read per proposal. */
  readonly weights: number
  /** Bytes of its own KV per request, read per proposal. */
  readonly kv: number
  /** Tokens a step yields on average: 1 + E[accepted proposals]. */
  readonly tokens: number
}

/** Bytes a verify moves over the link. */
export const reloadBytes = ({ kv, keep, reload }: SteadyState): number =>
  reload === "none" ? 0 : reload === "full" ? kv : (1 - keep) * kv

/**
 * T_iter of a staggered batch, counting a round as x iterations: weights, compressed KV of all and full KV of B/x
 * verifies, or the link. arXiv:2605.17613 (3)
 */
export const iterationTime = (state: SteadyState, batch: number, window: number): number =>
  Math.max(
    (state.weights + batch * state.kv * (state.keep + 1 / window)) / state.hbmBandwidth,
    (batch * state.kv) / (window * state.linkBandwidth)
  )

/** KV_avg: bytes of KV a drafting request reads per iteration, over x drafts and one verify. arXiv:2605.17613 (5) */
export const averageKv = (kv: number, keep: number, window: number): number =>
  (kv * (window * keep + 1)) / (window + 1)

/** HBM bytes that weights and pinned requests take. */
const fixedBytes = ({ weights, pinned = 0, kv, drafter }: SteadyState): number =>
  weights + pinned * kv + (drafter?.weights ?? 0)

/** HBM bytes one drafting request takes: KV_avg, or all of its KV where nothing is ever reloaded. */
const residentKv = ({ kv, keep, reload, drafter }: SteadyState, window: number): number =>
  (reload === "none" ? kv : averageKv(kv, keep, window)) + (drafter?.kv ?? 0)

/** Largest B_c with M + B_g·KV + B_c·KV_avg ≤ HBM, whatever the demand. arXiv:2605.17613 (6) */
export const largestBatch = (state: SteadyState, window: number): number =>
  // What fits exactly fits, however the division rounds.
  Math.max(0, Math.floor((state.memory - fixedBytes(state)) / residentKv(state, window) + 1e-9))

/** Largest B_c with B_c·ℓ/(x + 1) ≤ 1: reloads that have the link to themselves for ℓ iterations. arXiv:2605.17613 (9) */
const largestStaggeredBatch = (span: number, window: number): number => Math.floor((window + 1) / span)

/** T_gpu: time HBM needs for one iteration. arXiv:2605.17613 (7) */
export const gpuTime = (state: SteadyState, batch: number, window: number): number => {
  const { weights, kv, keep, pinned = 0, hbmBandwidth, drafter } = state
  const proposing = drafter === undefined ? 0 : drafter.proposals * (drafter.weights + batch * drafter.kv)
  return (weights + pinned * kv + batch * averageKv(kv, keep, window) + proposing) / hbmBandwidth
}

/**
 * T_xfer: time the link needs per iteration, B_c·(1−c)·KV/((x+1)·BW). arXiv:2605.17613 (8), as the load all reloads make
 * together: ℓ spreads one reload over iterations, it does not shrink the total, so it does not divide. Where reloads have
 * the link to themselves for ℓ iterations, an iteration must also be long enough for one to end in its ℓ.
 */
export const transferTime = (state: SteadyState, batch: number, window: number): number => {
  const { linkBandwidth, span } = state
  const load = (batch * reloadBytes(state)) / ((window + 1) * linkBandwidth)
  return span === undefined ? load : Math.max(load, reloadBytes(state) / (span * linkBandwidth))
}

/** T_iter = max(T_gpu, T_xfer). arXiv:2605.17613 (10) */
export const steadyIteration = (state: SteadyState, batch: number, window: number): number =>
  Math.max(gpuTime(state, batch, window), transferTime(state, batch, window))

/** Tokens/s: B_c requests commit γx + 1 tokens in x + 1 iterations, B_g one in each. arXiv:2605.17613 (11) */
export const steadyThroughput = (state: SteadyState, batch: number, window: number): number =>
  ((batch * (state.accepted(window) + 1)) / (window + 1) + (state.pinned ?? 0)) /
  steadyIteration(state, batch, window)

/** Requests that fit with their full KV: ⌊(HBM − M)/KV⌋. */
export const fullKvBatch = (state: Pick<SteadyState, "memory" | "weights" | "kv">): number =>
  Math.max(0, Math.floor((state.memory - state.weights) / state.kv))

/** Seconds of one iteration of B requests decoding with full KV: B·T_tok(B) = (M + B·KV)/BW_hbm. arXiv:2605.17613 (12) */
export const fullKvIteration = (
  state: Pick<SteadyState, "weights" | "kv" | "hbmBandwidth">,
  batch: number
): number => (state.weights + batch * state.kv) / state.hbmBandwidth

/** ℓ_r = KV_r/(BW·T_iter), the windows of the link a reload fills, and S_r = max(1, ⌈ℓ_r⌉), the iterations it spans. */
export const reloadSpan = (
  state: SteadyState,
  iteration: number
): { readonly windows: number; readonly iterations: number } => {
  const windows = reloadBytes(state) / (state.linkBandwidth * iteration)
  return { windows, iterations: Math.max(1, Math.ceil(windows - 1e-9)) }
}

export interface Optimum {
  /** x*, draft steps. */
  readonly window: number
  /** B_c */
  readonly batch: number
  readonly gpuTime: number
  readonly transferTime: number
  /** T_iter, seconds. */
  readonly iteration: number
  /** Tokens/s. */
  readonly throughput: number
  readonly fullKvBatch: number
  /** Tokens/s with full KV in HBM; 0 if not one request fits. */
  readonly fullKvThroughput: number
  /** Their ratio; Infinity if full KV cannot run. */
  readonly speedup: number
  /** What a little more of would help: link rate, HBM capacity (a larger batch) or HBM rate. */
  readonly limit: "hbm" | "link" | "memory"
}

/** HBM bytes with every reload booked for its S_r iterations and its verify, beside the compressed KV of all. */
export const bookedMemory = (state: SteadyState, batch: number, window: number): number => {
  const { iterations } = reloadSpan(state, steadyIteration(state, batch, window))
  const booked = (reloadBytes(state) * (iterations + 1)) / (window + 1)
  return fixedBytes(state) + batch * (state.keep * state.kv + booked + (state.drafter?.kv ?? 0))
}

/** The largest batch at a window that demand and (9) allow. */
const wantedBatch = ({ concurrency, span }: SteadyState, window: number): number =>
  span === undefined ? concurrency : Math.min(concurrency, largestStaggeredBatch(span, window))

/** The largest batch at a window that there is memory for as well. */
const batchAt = (state: SteadyState, window: number): number => {
  let batch = Math.min(wantedBatch(state, window), largestBatch(state, window))
  if (state.hold === undefined || state.reload === "none") return batch
  while (batch > 0 && bookedMemory(state, batch, window) > state.memory) batch--
  return batch
}

/** (11) at a given window and the largest batch there; undefined if not one request fits. */
export const operatingPoint = (state: SteadyState, window: number): Optimum | undefined => {
  const batch = batchAt(state, window)
  if (batch <= 0) return undefined
  const full = Math.min(state.concurrency, fullKvBatch(state))
  const fullKvThroughput = full > 0 ? full / fullKvIteration(state, full) : 0
  const throughput = steadyThroughput(state, batch, window)
  const gpu = gpuTime(state, batch, window)
  const transfer = transferTime(state, batch, window)
  const memoryBound = batch < wantedBatch(state, window)
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
    limit: transfer > gpu ? "link" : memoryBound ? "memory" : "hbm"
  }
}

/**
 * Maximises (11) over x and B_c, with c and ℓ as given. For each window the best batch is the largest, since throughput
 * never falls with it. Undefined if not one request fits.
 */
export const idealOptimum = (state: SteadyState): Optimum | undefined => {
  let best = 0
  let window = 0
  for (let x = 1; x <= state.maxWindow; x++) {
    const batch = batchAt(state, x)
    const rate = batch > 0 ? steadyThroughput(state, batch, x) : 0
    if (rate > best) [best, window] = [rate, x]
  }
  return window === 0 ? undefined : operatingPoint(state, window)
}

/** The best of several states, for sweeps over c or ℓ: maximises (11) over them as well. The first wins a tie. */
export const bestOptimum = <S extends SteadyState>(
  states: Iterable<S>
): { readonly state: S; readonly optimum: Optimum } | undefined => {
  let best: { readonly state: S; readonly optimum: Optimum } | undefined
  for (const state of states) {
    const optimum = idealOptimum(state)
    if (optimum !== undefined && optimum.throughput > (best?.optimum.throughput ?? 0))
      best = { state, optimum }
  }
  return best
}
