/** What the simulator says a recorded pass takes on some hardware. */
import { costSeconds, emptyCost } from "../sim/cost/load.ts"
import { drafterOf } from "../sim/setup.ts"
import { gpuModel } from "../sim/physics/groups.ts"
import { submissionsOf } from "../sim/physics/priced-run.ts"
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
  return ({ load, steps, seconds, transferring, streamed }) => {
    const { decode, draft } = load
    if (decode.requests + draft.requests > 0)
      load.drafterBytes =
        proposals * (model.drafterWeights + model.drafterKv * (decode.kvTokens + draft.kvTokens))
    model.cost.price(load, cost)
    const rate = link.hostToDevice * ranks
    const stream = streamed === 0 ? 0 : link.latency + streamed / rate
    if (oneQueue !== undefined) {
      const layers = submissionsOf(model.streams, load.verify.requests > 0)
      const submissions = Math.ceil(steps / oneQueue.steps) / steps
      const recording = submissions * oneQueue.submission
      const own = costSeconds(cost) - (1 - submissions) * cost.host + (layers - 1) * recording
      // Copies that went before it in the queue took their time from it, but for what ran while the host worked; what it reads as it comes it waits for wholly.
      const beside = oneQueue.copiesFirst === true ? 0 : submissions * cost.host
      const copies = Math.max(0, (transferring * seconds - streamed) / rate - beside)
      return own + Math.max(recording, stream) + Math.min(seconds / 2, copies)
    }
    const share = Math.max(LEAST_SHARE, 1 - transferring / bandwidth)
    return Math.max(stream, costSeconds(cost) + cost.hbm * (1 / share - 1))
  }
}

/** What passes of `method` do that a trace does not say. */
export const passFacts = (scenario: Scenario, method: Method): PassFacts => {
  const { draftPairs, compresses } = gpuModel(scenario, method)
  return {
    draftPairs,
    ...(compresses === undefined ? {} : { compresses }),
    proposals: drafterOf(method)?.numSpeculativeTokens ?? 0,
    oneQueue: scenario.hardware.oneQueue !== undefined
  }
}
