/** What the simulator says a recorded pass takes on some hardware. */
import { costSeconds, emptyCost } from "../sim/cost/load.ts"
import { drafterOf } from "../sim/setup.ts"
import { gpuModel } from "../sim/physics/groups.ts"
import type { Hardware, Method, Scenario } from "../scenario/resolved.ts"
import type { PassFacts, RecordedPasses } from "./passes.ts"

/** A transfer leaves a pass at least this share of HBM bandwidth, as in the simulator. */
const LEAST_SHARE = 0.5

/** Seconds of passes of `scenario` under `method`, were it run on `hardware`. */
export const passPrice = (
  scenario: Scenario,
  method: Method,
  hardware: Hardware
): ((pass: RecordedPasses) => number) => {
  const model = gpuModel({ ...scenario, hardware }, method)
  const proposals = drafterOf(method)?.numSpeculativeTokens ?? 0
  const ranks = scenario.engine.tensorParallelSize
  const bandwidth = hardware.hbm.bandwidth * ranks
  const { oneQueue, link } = hardware
  const cost = emptyCost()
  return ({ load, steps, seconds, transferring }) => {
    const { decode, draft } = load
    if (decode.requests + draft.requests > 0)
      load.drafterBytes =
        proposals * (model.drafterWeights + model.drafterKv * (decode.kvTokens + draft.kvTokens))
    model.cost.price(load, cost)
    if (oneQueue !== undefined) {
      const submissions = Math.ceil(steps / oneQueue.steps) / steps
      // Copies that went before it in the queue took their time from it.
      const copies = (transferring * seconds) / (link.hostToDevice * ranks)
      return costSeconds(cost) + submissions * oneQueue.submission + Math.min(seconds / 2, copies)
    }
    const share = Math.max(LEAST_SHARE, 1 - transferring / bandwidth)
    return costSeconds(cost) + cost.hbm * (1 / share - 1)
  }
}

/** What passes of `method` do that a trace does not say. */
export const passFacts = (scenario: Scenario, method: Method): PassFacts => ({
  draftPairs: gpuModel(scenario, method).draftPairs,
  proposals: drafterOf(method)?.numSpeculativeTokens ?? 0
})
