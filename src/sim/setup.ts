/** From a scenario and one of its methods to what the scheduler and the simulated hardware are told. */
import { Schema } from "effect"
import { bestWindow, priorHistory } from "../protocol/window.ts"
import { type KvLayout, pageBytes } from "../runtime/kv.ts"
import { streamedShare } from "../runtime/residency.ts"
import { residentShare, servingPlan } from "../runtime/serving.ts"
import type { ServingSetup } from "../runtime/setup.ts"
import { kvShape, weightBytes } from "../scenario/model-shape.ts"
import type { Compressor, Drafter, Method, Model, Scenario } from "../scenario/resolved.ts"
import {
  groupLink,
  groupMemory,
  MAX_WINDOW,
  steadyState,
  tokensPerStep,
  workloadLengths
} from "./theory/parameters.ts"
import { pointOf } from "./theory/predict.ts"

/** The model, or a request, does not fit the memory there is. */
export class Infeasible extends Schema.TaggedError<Infeasible>()("Infeasible", {
  method: Schema.String,
  what: Schema.String,
  /** Bytes. */
  needed: Schema.Finite,
  available: Schema.Finite,
  suggestion: Schema.String
}) {
  override get message(): string {
    const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
    const short = gb(this.needed - this.available)
    return `${this.method}: ${this.what} needs ${gb(this.needed)}, ${gb(this.available)} are there: ${short} short. ${this.suggestion}`
  }
}

/** Weight of the scenario's acceptance in a request's own estimate, in compared tokens: about two rounds. */
const PRIOR_TOKENS = 50

export const compressorOf = (method: Method): Compressor | undefined =>
  "compressor" in method ? method.compressor : undefined
export const drafterOf = (method: Method): Drafter | undefined =>
  "drafter" in method ? method.drafter : undefined

const layoutOf = ({ model, engine }: Scenario): KvLayout => {
  const { globalBytesPerToken, localBytesPerToken, window } = kvShape(model)
  // A model of sliding windows only has no growing layers: its window is then what grows.
  return globalBytesPerToken > 0
    ? { pageTokens: engine.blockSize, globalBytesPerToken, localBytesPerToken, window }
    : {
        pageTokens: engine.blockSize,
        globalBytesPerToken: localBytesPerToken,
        localBytesPerToken: 0,
        window: 0
      }
}

/** Layers that keep the whole context; all, if none does. */
const growingLayers = ({ layers }: Model): number => {
  const growing = layers.filter(({ attention }) => attention.kind !== "gqa" || attention.window === undefined)
  return (growing.length > 0 ? growing : layers).reduce((sum, { count }) => sum + count, 0)
}

/** Round cost, in draft steps, at which `window` is the best for acceptance `alpha`: how an adaptive window inherits (11)'s optimum. */
export const impliedRoundCost = (alpha: number, window: number): number => {
  let low = 0
  let high = 1e6
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (bestWindow(alpha, middle, 1, MAX_WINDOW) < window) low = middle
    else high = middle
  }
  return high
}

/** The i.i.d. α with the same expected accepted length at a window. */
const equivalentAlpha = (accepted: number, window: number): number => {
  let low = 0
  let high = 1
  for (let i = 0; i < 50; i++) {
    const alpha = (low + high) / 2
    const expected = alpha >= 1 ? window : (alpha * (1 - alpha ** window)) / (1 - alpha)
    if (expected < accepted) low = alpha
    else high = alpha
  }
  return high
}

export const servingSetup = (scenario: Scenario, name: string, method: Method): ServingSetup | Infeasible => {
  const { model, hardware, engine, workload } = scenario
  const plan = servingPlan(method, scenario.deployment.kind === "remote-prefix")
  const layout = layoutOf(scenario)
  const layers = growingLayers(model)
  const weights = weightBytes(model)
  const drafter = drafterOf(method)
  const memory = groupMemory(scenario)
  const fixed = weights + (drafter?.weightBytes ?? 0)
  if (fixed > memory) {
    const ranks = Math.ceil((fixed / memory) * engine.tensorParallelSize)
    return new Infeasible({
      method: name,
      what: `${model.name} on ${engine.tensorParallelSize} × ${hardware.name}`,
      needed: fixed,
      available: Math.max(0, memory),
      suggestion:
        memory <= 0
          ? "engine.reserved takes all of it."
          : `tensor_parallel_size: ${2 ** Math.ceil(Math.log2(ranks))} would fit, or weights of ${((model.weightBytesPerParam * memory) / fixed).toFixed(2)} bytes each.`
    })
  }
  // A drafter's own KV lies in the same pages.
  const share = layout.globalBytesPerToken / (layout.globalBytesPerToken + (drafter?.kvBytesPerToken ?? 0))
  const pages = engine.numGpuBlocks ?? Math.floor(((memory - fixed) * share) / pageBytes(layout))
  const { longest } = workloadLengths(scenario)
  const perRequest =
    longest *
    (layout.globalBytesPerToken +
      (longest > 0 ? (layout.localBytesPerToken * Math.min(longest, layout.window)) / longest : 0))
  const held =
    plan.mode === "rounds" && plan.reload !== "none" && plan.verifies === "here"
      ? 1 + (plan.reload === "full" || engine.stagesWhole === true ? plan.keep : 0)
      : plan.offloaded
        ? streamedShare(layers, 0)
        : residentShare(plan)
  if (perRequest * held > pages * pageBytes(layout)) {
    return new Infeasible({
      method: name,
      what: `the KV of one request of ${longest} tokens`,
      needed: perRequest * held,
      available: pages * pageBytes(layout),
      suggestion:
        "More GPUs in the group, a shorter context, a smaller keep ratio or the offloaded method would fit."
    })
  }
  const perStep = plan.mode === "rounds" ? tokensPerStep(scenario, drafter) : 1
  const state = steadyState(scenario, method)
  const optimum = state === undefined ? undefined : pointOf(state, plan.window, perStep)
  const steps = optimum?.window ?? 1
  const window = Math.max(1, Math.round(steps * perStep))
  const alpha = state === undefined ? 0.5 : equivalentAlpha(state.accepted(steps), window)
  const proposals = drafter?.numSpeculativeTokens ?? 0
  return {
    plan,
    engine,
    layout,
    layers,
    weightBytes: fixed + engine.reservedBytes * engine.tensorParallelSize,
    pages,
    hostBytes: hardware.host.capacity,
    linkBandwidth: groupLink(scenario, "hostToDevice"),
    slowestPath:
      hardware.host.bandwidth < groupLink(scenario, "hostToDevice") * engine.dataParallelSize
        ? "host"
        : "link",
    contextPath: workload.context === "store" ? "network" : "in",
    optimalWindow: window,
    prior: priorHistory(alpha, PRIOR_TOKENS),
    roundCost: impliedRoundCost(alpha, window),
    iterationSeconds: optimum?.iteration ?? weights / (hardware.hbm.bandwidth * engine.tensorParallelSize),
    proposals,
    tokensPerDraftStep: perStep,
    maxRetries: 3
  }
}
