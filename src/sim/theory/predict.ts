/** What the closed forms say of any method on a scenario. */
import type { Method, Scenario, WindowPolicy } from "../../scenario/resolved.ts"
import { type Baseline, classicalDrafter, fullKv, lossy, offloaded } from "./baselines.ts"
import { draftStep, MAX_WINDOW, plainState, remotePrefix, steadyState, tokensPerStep } from "./parameters.ts"
import { bestMix, type Mix, PATHS, type RemotePrefix, UNVERIFIED_PATHS } from "./remote.ts"
import { lockStepReload, lockStepThroughput } from "./schedules.ts"
import { idealOptimum, operatingPoint, type Optimum, type SteadyState } from "./steady-state.ts"

/** The steady state of one group under a method. `throughput` 0 and `batch` 0: not one request fits. */
export interface Prediction extends Baseline {
  /** Draft steps per round; absent where nothing is drafted on compressed KV. */
  readonly window?: number
  /** Expected accepted length of a round, tokens. */
  readonly accepted?: number
}

/** (11) at the window a policy starts with: its own, or the optimum. `perStep`: tokens a draft step yields. */
export const pointOf = (state: SteadyState, policy: WindowPolicy, perStep = 1): Optimum | undefined => {
  if (policy.kind === "optimal") return idealOptimum(state)
  if (policy.kind === "fixed") return operatingPoint(state, Math.max(1, Math.round(policy.tokens / perStep)))
  const best = idealOptimum(state)
  return best && operatingPoint(state, Math.min(policy.max, Math.max(policy.min, best.window)))
}

const NOTHING_FITS: Prediction = { batch: 0, iteration: 0, throughput: 0, limit: "memory" }

const staggered = (state: SteadyState, point: Optimum | undefined): Prediction => {
  if (point === undefined) return NOTHING_FITS
  const { batch, iteration, throughput, limit, window } = point
  return { batch, iteration, throughput, limit, window, accepted: state.accepted(window) }
}

/** The same rounds with all verifies at once: reloads hide behind nothing. `iteration` is the mean over a round's x + 1 passes. */
const lockStep = (state: SteadyState, point: Optimum | undefined): Prediction => {
  if (point === undefined) return NOTHING_FITS
  const { window, batch, gpuTime } = point
  const accepted = state.accepted(window)
  const throughput = lockStepThroughput(state, batch, window)
  const iteration = gpuTime + lockStepReload(state, batch) / (window + 1)
  return { batch, iteration, throughput, limit: iteration > 2 * gpuTime ? "link" : "hbm", window, accepted }
}

/** Steady state of one group under a method, without overheads: what the simulator cannot beat by more than chance. */
export const predict = (scenario: Scenario, method: Method): Prediction => {
  const plain = plainState(scenario)
  switch (method.kind) {
    case "full-kv":
      return fullKv(plain)
    case "offloaded":
      return offloaded(plain)
    case "lossy":
      return lossy(plain, method.compressor.keep)
    case "drafter":
      return classicalDrafter(plain, draftStep(scenario, method.drafter))
    case "sparse": {
      const state = steadyState(scenario, method)!
      return staggered(state, pointOf(state, method.window))
    }
    case "vericache": {
      const state = steadyState(scenario, method)!
      const point = pointOf(state, method.window, tokensPerStep(scenario, method.drafter))
      return method.schedule === "staggered" ? staggered(state, point) : lockStep(state, point)
    }
  }
}

const WINDOWS = Array.from({ length: MAX_WINDOW }, (_, i) => i + 1)

/**
 * The best mix of paths of a remote-prefix scenario: at the policy's window or the best one for VeriCache, without the split
 * path for methods that do not verify. Undefined for other deployments, and for methods the paper does not put there.
 */
export const predictRemote = (
  scenario: Scenario,
  method: Method
): { readonly state: RemotePrefix; readonly mix: Mix } | undefined => {
  const [windows, paths] =
    method.kind !== "vericache"
      ? [[1], UNVERIFIED_PATHS]
      : [method.window.kind === "fixed" ? [method.window.tokens] : WINDOWS, PATHS]
  let best: { readonly state: RemotePrefix; readonly mix: Mix } | undefined
  for (const window of windows) {
    const state = remotePrefix(scenario, method, window)
    if (state === undefined) return undefined
    const mix = bestMix(state, paths)
    if (best === undefined || mix.throughput > best.mix.throughput) best = { state, mix }
  }
  return best
}
