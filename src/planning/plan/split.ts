/** How a group's HBM is shared out: B_g requests that keep their full KV there and B_c that draft. arXiv:2605.17613 (6) */
import type { Method, Scenario } from "../../scenario/resolved.ts"
import { plainState, steadyState, tokensPerStep } from "../../sim/theory/parameters.ts"
import { pointOf } from "../../sim/theory/predict.ts"
import { averageKv, fullKvBatch, type Optimum } from "../../sim/theory/steady-state.ts"

/** Of one group at its full batch; closed forms, no overheads. */
export interface Split {
  /** B_g */
  readonly pinned: number
  /** B_c */
  readonly drafting: number
  /** x at which, tokens drafted on compressed KV; undefined without rounds. */
  readonly window: number | undefined
  /** Bytes of M + B_g·KV + B_c·KV_avg, and of HBM. */
  readonly used: number
  readonly memory: number
}

/** The split of a method; requests beyond HBM are in host memory and wait there. */
export const splitOf = (scenario: Scenario, method: Method): Split | undefined => {
  const plain = plainState(scenario)
  const { weights, kv, memory } = plain
  const state = steadyState(scenario, method)
  if (state === undefined) {
    if (method.kind !== "full-kv" && method.kind !== "drafter") return undefined
    const drafter = method.kind === "drafter" ? method.drafter.weightBytes : 0
    const pinned = Math.min(plain.concurrency, fullKvBatch({ memory, kv, weights: weights + drafter }))
    const used = weights + drafter + pinned * kv
    return { pinned, drafting: 0, window: undefined, used, memory }
  }
  const perStep = method.kind === "vericache" ? tokensPerStep(scenario, method.drafter) : 1
  const policy =
    method.kind === "vericache" || method.kind === "sparse" ? method.window : { kind: "optimal" as const }
  const point = pointOf(state, policy, perStep)
  if (point === undefined) return undefined
  return {
    pinned: state.pinned ?? 0,
    drafting: point.batch,
    window: Math.round(point.window * perStep),
    used: usedBytes(state, point),
    memory
  }
}

/** M + B_g·KV + B_c·KV_avg, with a drafter's weights and KV. (5), (6) */
const usedBytes = (
  { weights, kv, keep, drafter, pinned = 0 }: NonNullable<ReturnType<typeof steadyState>>,
  { batch, window }: Optimum
): number =>
  weights + pinned * kv + (drafter?.weights ?? 0) + batch * (averageKv(kv, keep, window) + (drafter?.kv ?? 0))
