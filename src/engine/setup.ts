/** What the scheduler is told about an engine: the same facts a simulated deployment gives it. */
import { priorHistory } from "../protocol/window.ts"
import type { Engine as EngineSettings, WindowPolicy } from "../scenario/resolved.ts"
import type { ServingPlan } from "../runtime/serving.ts"
import type { ServingSetup } from "../runtime/setup.ts"
import { type EngineShape, tokenWords } from "./kernels/shape.ts"

export interface EngineSetupOptions {
  readonly plan: ServingPlan
  readonly shape: EngineShape
  /** Pages the scheduler may hand out. */
  readonly pages: number
  readonly weightBytes: number
  readonly hostBytes: number
  /** Bytes/s of uploads on this adapter. */
  readonly linkBandwidth: number
  /** First guess of the seconds of a pass. */
  readonly iterationSeconds: number
  readonly window: number
  readonly maxNumBatchedTokens: number
}

/** Weight of the first guess in a request's own estimate of its acceptance, tokens. */
const PRIOR_TOKENS = 50

/** A pages' worth of rounding a request may need beyond what the scheduler counts: packed part, tail and full KV each. */
export const SLACK_PAGES = 4

export const engineSetup = (options: EngineSetupOptions): ServingSetup => {
  const { plan, shape, pages, window } = options
  const engine: EngineSettings = {
    tensorParallelSize: 1,
    dataParallelSize: 1,
    maxNumSeqs: shape.slots,
    maxNumBatchedTokens: options.maxNumBatchedTokens,
    blockSize: shape.pageTokens,
    gpuMemoryUtilization: 1,
    numGpuBlocks: pages,
    reservedBytes: 0,
    enablePrefixCaching: true,
    stagesWhole: true,
    horizon: Math.max(64, 2 * window)
  }
  return {
    plan,
    engine,
    layout: {
      pageTokens: shape.pageTokens,
      globalBytesPerToken: tokenWords(shape) * 4,
      localBytesPerToken: 0,
      window: 0
    },
    layers: shape.config.layers,
    weightBytes: options.weightBytes,
    pages,
    hostBytes: options.hostBytes,
    linkBandwidth: options.linkBandwidth,
    slowestPath: "link",
    contextPath: "in",
    optimalWindow: window,
    prior: priorHistory(0.9, PRIOR_TOKENS),
    roundCost: 1,
    iterationSeconds: options.iterationSeconds,
    proposals: plan.drafter?.numSpeculativeTokens ?? 0,
    tokensPerDraftStep: 1,
    maxRetries: 3
  }
}

/** Draft windows as a policy. */
export const fixedWindow = (tokens: number): WindowPolicy => ({ kind: "fixed", tokens })
