/** Critical points of the steady state: the values at which VeriCache starts to pay, or something else starts to limit it. */
import { expectedAccepted } from "../acceptance/survival.ts"
import { gpuTime, idealOptimum, reloadBytes, type SteadyState } from "./steady-state.ts"

/**
 * The smallest value in [low, high] from which `holds` is true, to a relative 1e-6; undefined if it is false even at `high`.
 * `holds` must change at most once, from false to true. low > 0.
 */
export const threshold = (
  low: number,
  high: number,
  holds: (value: number) => boolean
): number | undefined => {
  if (!holds(high)) return undefined
  if (holds(low)) return low
  let [no, yes] = [low, high]
  while (yes / no > 1 + 1e-6) {
    const middle = Math.sqrt(no * yes)
    if (holds(middle)) yes = middle
    else no = middle
  }
  return yes
}

const speedup = (state: SteadyState): number => idealOptimum(state)?.speedup ?? 0

/** The link rate, bytes/s, from which the ideal speed-up over full KV reaches `target`; undefined if no link is fast enough. */
export const linkForSpeedup = (state: SteadyState, target = 1): number | undefined =>
  threshold(1, state.hbmBandwidth, (linkBandwidth) => speedup({ ...state, linkBandwidth }) >= target)

/** The bytes/s a link must carry so that it does not lengthen the iteration: T_xfer = T_gpu at this window and batch. */
export const hiddenLink = (state: SteadyState, batch: number, window: number): number =>
  (batch * reloadBytes(state)) / ((window + 1) * gpuTime(state, batch, window))

/** The i.i.d. α of the compressed KV from which the ideal speed-up over full KV reaches `target`; undefined if even α = 1 does not. */
export const alphaForSpeedup = (state: SteadyState, target = 1): number | undefined =>
  threshold(1e-6, 1, (alpha) => {
    const accepted = (steps: number): number => expectedAccepted(alpha, steps * (state.drafter?.tokens ?? 1))
    return speedup({ ...state, accepted }) >= target
  })
