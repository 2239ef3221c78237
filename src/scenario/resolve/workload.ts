/** The requests of a scenario: drawn from distributions, or read from a trace. */
import { closest } from "../closest.ts"
import { amount, lengthsOf } from "../entries.ts"
import type { Lengths, Workload } from "../resolved.ts"
import type { ScenarioFile } from "../schema/scenario.ts"
import type { LengthsFile } from "../schema/workload.ts"
import { MOONCAKE_BLOCK, parseAzureCsv, parseBurstGptCsv, parseMooncakeJsonl } from "../workload-trace.ts"
import type { Resolution } from "./resolution.ts"

/** vLLM's connectors that keep KV outside of HBM, and so mean stored context. */
const CONNECTORS: readonly string[] = [
  "OffloadingConnector",
  "SimpleCPUOffloadConnector",
  "LMCacheConnectorV1",
  "LMCacheMPConnector"
]

/** Whether vLLM's kv_transfer_config says that context is stored; a fault if it says something else. */
const hasStore = (to: Resolution): boolean => {
  const config = to.file.kv_transfer_config
  if (config === undefined) return false
  const { kv_connector: connector, kv_role: role } = config
  if (!CONNECTORS.includes(connector))
    to.fault(
      ["kv_transfer_config", "kv_connector"],
      `${connector} has no meaning here`,
      closest(connector, CONNECTORS)
    )
  if (role !== undefined && role !== "kv_both")
    to.fault(
      ["kv_transfer_config", "kv_role"],
      `${role} has no meaning here`,
      "every engine reads and writes: kv_both"
    )
  return true
}

export const resolveWorkload = (to: Resolution): Workload | undefined => {
  const stored = hasStore(to)
  const file = to.file.workload
  if (file === undefined) return undefined
  const common = {
    // LMCache may stand behind a network: what the workload says of a store stays.
    context: stored && file.context === "prefill" ? "host" : file.context,
    ...(file.timeout === undefined ? {} : { timeout: amount(file.timeout, "seconds") })
  } as const
  if (file.trace !== undefined) {
    for (const key of ["arrivals", "input", "output"] as const)
      if (file[key] !== undefined) to.fault(["workload", key], "has no meaning beside a trace")
    return resolveTrace(to, file.trace, common, file.requests)
  }
  const missing = (["requests", "arrivals", "input", "output"] as const).filter(
    (key) => file[key] === undefined
  )
  for (const key of missing)
    to.fault(
      ["workload", key],
      "is missing",
      "a workload has either a trace, or requests, arrivals, input and output"
    )
  if (
    file.requests === undefined ||
    file.arrivals === undefined ||
    file.input === undefined ||
    file.output === undefined
  )
    return undefined
  const input = resolveLengths(to, "input", file.input)
  const output = resolveLengths(to, "output", file.output)
  if (input === undefined || output === undefined) return undefined
  const { arrivals } = file
  return {
    ...common,
    kind: "synthetic",
    requests: file.requests,
    input,
    output,
    arrivals:
      "concurrency" in arrivals
        ? { kind: "closed", concurrency: arrivals.concurrency }
        : "burstiness" in arrivals
          ? { kind: "gamma", rate: arrivals.rate, burstiness: arrivals.burstiness }
          : { kind: "poisson", rate: arrivals.rate }
  }
}

const range = (lengths: Lengths): readonly [number, number] => {
  switch (lengths.kind) {
    case "fixed":
      return [lengths.tokens, lengths.tokens]
    case "empirical":
      return lengths.values.reduce<readonly [number, number]>(
        ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
        [Number.POSITIVE_INFINITY, 0]
      )
    default:
      return [lengths.min, lengths.max]
  }
}

const resolveLengths = (to: Resolution, key: "input" | "output", file: LengthsFile): Lengths | undefined => {
  const lengths = lengthsOf(file)
  const [least, most] = range(lengths)
  if (least < 1) return to.fault(["workload", key], `expected at least 1 token, found ${least}`)
  if (most > 1e8) return to.fault(["workload", key], `expected at most 100M tokens, found ${most}`)
  if (least > most) return to.fault(["workload", key], `min ${least} is above max ${most}`)
  return lengths
}

const PARSERS = {
  "azure-csv": parseAzureCsv,
  "mooncake-jsonl": parseMooncakeJsonl,
  "burstgpt-csv": parseBurstGptCsv
} as const

const resolveTrace = (
  to: Resolution,
  trace: NonNullable<ScenarioFile["workload"]["trace"]>,
  common: Pick<Workload, "context">,
  limit: number | undefined
): Workload | undefined => {
  const named = to.textOf(["workload", "trace", "file"], trace.file)
  if (named === undefined) return undefined
  const parsed = PARSERS[trace.format](named.file, named.text)
  to.faults.push(...parsed.faults)
  const scale = trace.rate_scale ?? 1
  const requests = parsed.requests
    .slice(0, limit)
    .map((request) => ({ ...request, arrival: request.arrival / scale }))
  return {
    ...common,
    kind: "trace",
    requests,
    blockTokens: MOONCAKE_BLOCK,
    origin: { basis: "measured", source: trace.source }
  }
}
