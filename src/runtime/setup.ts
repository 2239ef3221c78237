/** Everything a replica's scheduler is told before the first request. Made by the physics' side from a scenario. */
import type { AcceptanceHistory } from "../protocol/window.ts"
import type { Engine } from "../scenario/resolved.ts"
import type { KvLayout } from "./kv.ts"
import type { Path } from "./mail.ts"
import type { ServingPlan } from "./serving.ts"

export interface ServingSetup {
  readonly plan: ServingPlan
  readonly engine: Engine
  readonly layout: KvLayout
  /** Layers of the model that keep the whole context: KV that streams comes one by one. */
  readonly layers: number
  /** Bytes of HBM the weights and the engine itself take. */
  readonly weightBytes: number
  /** Pages of HBM for KV. */
  readonly pages: number
  /** Bytes of host memory for KV. */
  readonly hostBytes: number
  /** Bytes/s the reload link of the group really carries; the unit of the bandwidth ring. */
  readonly linkBandwidth: number
  /** What a transfer over the host link waits for: the link, or host memory where that is slower than the links it feeds. */
  readonly slowestPath: "link" | "host"
  /** Where stored contexts come from. */
  readonly contextPath: Path
  /** Draft window at the optimum of arXiv:2605.17613 (11), tokens. */
  readonly optimalWindow: number
  /** What an adaptive window starts from: the acceptance expected, and the cost of a round beside its draft steps, in draft steps. */
  readonly prior: AcceptanceHistory
  readonly roundCost: number
  /** First guess of the seconds of one pass. */
  readonly iterationSeconds: number
  /** Proposals of a classical drafter per step, 0 for none, and the tokens a draft step is expected to yield with them. */
  readonly proposals: number
  readonly tokensPerDraftStep: number
  /** Reloads retried before a request falls back to full KV. */
  readonly maxRetries: number
}
