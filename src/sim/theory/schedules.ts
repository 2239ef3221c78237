/** Verifying in lock-step against staggered: what the worked example of arXiv:2605.17613 compares. */
import { gpuTime, type SteadyState, reloadBytes } from "./steady-state.ts"

/** Lock-step: all B requests reload one after the other while nobody drafts. Seconds the link is held. */
export const lockStepReload = (state: SteadyState, batch: number): number =>
  (batch * reloadBytes(state)) / state.linkBandwidth

/** Lock-step throughput, tokens/s: x draft passes, the reload of all, one verify pass of all; nothing overlaps. */
export const lockStepThroughput = (state: SteadyState, batch: number, window: number): number => {
  const round = (window + 1) * gpuTime(state, batch, window) + lockStepReload(state, batch)
  return (batch * (state.accepted(window) + 1)) / round
}

/** Peak HBM bytes if all B verify at once: M + B·KV. */
export const lockStepPeak = ({ weights, kv }: SteadyState, batch: number): number => weights + batch * kv

/** Staggered: seconds the link is held by one verify. */
export const staggeredReload = (state: SteadyState): number => reloadBytes(state) / state.linkBandwidth

/** Staggered: iterations from one verify to the next, counting a round as x iterations as (3) does. */
export const verifyInterval = (batch: number, window: number): number => window / batch

/** Peak HBM bytes with one whole reload at a time beside everybody's compressed KV: M + B·KV_comp + 1·KV. */
export const staggeredPeak = ({ weights, kv, keep }: SteadyState, batch: number): number =>
  weights + batch * keep * kv + kv
