/** The requests of a scenario as its clients send them. */
import type { Clients } from "../runtime/serve.ts"
import { kvShape } from "../scenario/model-shape.ts"
import type { Scenario } from "../scenario/resolved.ts"
import { hashUniform } from "./kernel/random.ts"
import { PrefixCache } from "./workload/prefix.ts"
import { makeWorkload } from "./workload/workload.ts"

/** The workload's requests as clients send them. */
export const clientsOf = (scenario: Scenario): Clients => {
  const { workload, seed, faults } = scenario
  const source = makeWorkload(workload, seed)
  const stored = storedTokens(scenario)
  return {
    concurrency: source.concurrency,
    total: source.total,
    timeout: workload.timeout === undefined ? undefined : workload.timeout * 1e9,
    next: () => {
      const request = source.next()
      if (request === undefined) return undefined
      const { id, arrival, input, output, blocks } = request
      const cancels = hashUniform(seed, id, 0, 0xcace1) < faults.cancel
      const cancelAfter = cancels ? 1 + Math.floor(hashUniform(seed, id, 1, 0xcace1) * output) : undefined
      return {
        arrival,
        spec: {
          id,
          input,
          output,
          stored: stored(input, blocks),
          ...(cancelAfter === undefined ? {} : { cancelAfter })
        }
      }
    }
  }
}

/**
 * Leading prompt tokens whose KV is stored when a request arrives: none, all of them, or, where a trace names prefix blocks
 * and caching is on, those of the blocks that earlier requests left and host memory still holds.
 */
const storedTokens = ({ workload, engine, hardware, model }: Scenario) => {
  const { globalBytesPerToken, localBytesPerToken } = kvShape(model)
  const blockTokens = workload.kind === "trace" ? workload.blockTokens : 0
  const capacity = Math.floor(
    hardware.host.capacity / (blockTokens * (globalBytesPerToken + localBytesPerToken))
  )
  const cache =
    engine.enablePrefixCaching && workload.kind === "trace" ? new PrefixCache(capacity) : undefined
  return (input: number, blocks: readonly number[] | undefined): number => {
    if (workload.context === "prefill") return 0
    if (blocks === undefined) return input
    if (cache === undefined) return 0
    const hits = cache.lookup(blocks)
    cache.insert(blocks)
    return Math.min(input, hits * blockTokens)
  }
}
