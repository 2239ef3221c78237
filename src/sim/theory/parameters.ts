/** From a scenario to the parameters of the closed forms: one tensor-parallel group and its average request. */
import { kvShape, weightBytes } from "../../scenario/model-shape.ts"
import type { Acceptance, Drafter, Lengths, Method, Scenario } from "../../scenario/resolved.ts"
import { type AcceptanceModel, makeAcceptance } from "../acceptance/acceptance.ts"
import { longestLength, meanLength } from "../workload/lengths.ts"
import type { RemotePrefix } from "./remote.ts"
import type { DraftStep, SteadyState } from "./steady-state.ts"

/** Longest draft window theory considers, draft steps. */
export const MAX_WINDOW = 200

/** Tokens of the workload's average and longest request. */
export interface WorkloadLengths {
  readonly input: number
  readonly output: number
  /** Longest prompt and output together. */
  readonly longest: number
}

export const workloadLengths = ({ workload }: Scenario): WorkloadLengths => {
  if (workload.kind === "synthetic") {
    const both = (of: (lengths: Lengths) => number) => [of(workload.input), of(workload.output)] as const
    const [input, output] = both(meanLength)
    const [longestInput, longestOutput] = both(longestLength)
    return { input, output, longest: longestInput + longestOutput }
  }
  let [input, output, longest] = [0, 0, 0]
  for (const request of workload.requests) {
    input += request.input
    output += request.output
    longest = Math.max(longest, request.input + request.output)
  }
  const n = Math.max(1, workload.requests.length)
  return { input: input / n, output: output / n, longest }
}

/** HBM of one group for weights and KV, bytes. */
export const groupMemory = ({ hardware, engine }: Scenario): number =>
  (hardware.hbm.capacity * engine.gpuMemoryUtilization - engine.reservedBytes) * engine.tensorParallelSize

/**
 * Bandwidth of one group's reload link, bytes/s: that of its GPUs together. DMA writes to HBM, so it never has more than the
 * half that max–min fairness leaves it there.
 */
export const groupLink = (
  { hardware, engine }: Scenario,
  direction: "hostToDevice" | "deviceToHost"
): number => Math.min(hardware.link[direction], hardware.hbm.bandwidth / 2) * engine.tensorParallelSize

/** Context of the average request halfway through its output, tokens. */
export const meanContext = (scenario: Scenario): number => {
  const { input, output } = workloadLengths(scenario)
  return input + output / 2
}

/** KV bytes at a context length; layers with a sliding window keep no more than the window. */
const kvAt = ({ model }: Scenario, context: number): number => {
  const { globalBytesPerToken, localBytesPerToken, window } = kvShape(model)
  return globalBytesPerToken * context + localBytesPerToken * Math.min(context, window)
}

/** Requests of one group that want to be served at once: the closed loop's share, or as many as the engine takes. */
const groupConcurrency = ({ engine, workload }: Scenario): number => {
  const arrivals = workload.kind === "synthetic" ? workload.arrivals : undefined
  if (arrivals?.kind !== "closed") return engine.maxNumSeqs
  return Math.min(engine.maxNumSeqs, Math.ceil(arrivals.concurrency / engine.dataParallelSize))
}

/** E[accepted] of a length that need not be whole: linear between whole ones. */
const expectedBetween = (model: AcceptanceModel, tokens: number, context: number): number => {
  const whole = Math.floor(tokens)
  const low = model.expected(whole, context)
  return low + (tokens - whole) * (model.expected(whole + 1, context) - low)
}

const modelOf = (acceptance: Acceptance, { seed }: Scenario): AcceptanceModel =>
  makeAcceptance(acceptance, seed)

/** What a classical drafter adds to a step of the average request. */
export const draftStep = (scenario: Scenario, drafter: Drafter): DraftStep => {
  const { numSpeculativeTokens, weightBytes, kvBytesPerToken, acceptance } = drafter
  const context = meanContext(scenario)
  return {
    proposals: numSpeculativeTokens,
    weights: weightBytes,
    kv: kvBytesPerToken * context,
    tokens: 1 + modelOf(acceptance, scenario).expected(numSpeculativeTokens, context)
  }
}

/** Tokens a step yields, with a classical drafter under it or without. */
export const tokensPerStep = (scenario: Scenario, drafter: Drafter | undefined): number =>
  drafter === undefined ? 1 : draftStep(scenario, drafter).tokens

/** Hardware and average request of one group, before any method. */
export const plainState = (scenario: Scenario) => ({
  weights: weightBytes(scenario.model),
  kv: kvAt(scenario, meanContext(scenario)),
  memory: groupMemory(scenario),
  hbmBandwidth: scenario.hardware.hbm.bandwidth * scenario.engine.tensorParallelSize,
  linkBandwidth: groupLink(scenario, "hostToDevice"),
  concurrency: groupConcurrency(scenario)
})

/** The steady state of a method that drafts on compressed KV and verifies; undefined for the others. */
export const steadyState = (scenario: Scenario, method: Method): SteadyState | undefined => {
  if (method.kind !== "vericache" && method.kind !== "sparse") return undefined
  const { compressor } = method
  const drafter =
    method.kind === "vericache" && method.drafter !== undefined
      ? draftStep(scenario, method.drafter)
      : undefined
  const context = meanContext(scenario)
  const acceptance = modelOf(compressor.acceptance, scenario)
  const perStep = drafter?.tokens ?? 1
  const plain = plainState(scenario)
  const pinned = method.kind === "vericache" ? Math.min(method.fullKvRequests, plain.concurrency - 1) : 0
  return {
    ...plain,
    ...(pinned > 0 ? { pinned, concurrency: plain.concurrency - pinned } : {}),
    keep: compressor.keep,
    accepted: (steps) => expectedBetween(acceptance, steps * perStep, context),
    reload: method.kind === "vericache" ? method.reload : "none",
    maxWindow: Math.min(MAX_WINDOW, scenario.engine.horizon - 1),
    ...(drafter === undefined ? {} : { drafter })
  }
}

/**
 * Parameters of remote prefix caching; undefined for other deployments. A method that does not verify moves and keeps what
 * it decodes on, and `window` is nothing to it.
 */
export const remotePrefix = (
  scenario: Scenario,
  method: Method,
  window: number
): RemotePrefix | undefined => {
  const { deployment } = scenario
  if (deployment.kind !== "remote-prefix") return undefined
  const { weights, kv, memory, hbmBandwidth } = plainState(scenario)
  const { local, remote, localBandwidth, remoteBandwidth } = deployment
  const { output } = workloadLengths(scenario)
  const pools = { weights, memory, hbmBandwidth, local, remote, localBandwidth, remoteBandwidth, output }
  switch (method.kind) {
    case "vericache": {
      const { keep, acceptance } = method.compressor
      const accepted = modelOf(acceptance, scenario).expected(window, meanContext(scenario))
      return { ...pools, kv, keep, window, accepted }
    }
    case "lossy":
      return { ...pools, kv: kv * method.compressor.keep, keep: 1, window: 1, accepted: 0 }
    case "full-kv":
      return { ...pools, kv, keep: 1, window: 1, accepted: 0 }
    default:
      return undefined
  }
}
