/** The requests of a scenario: drawn from distributions, or read from a trace. */
import { amount, lengthsOf } from "../entries.ts"
import { readText, relativeTo } from "../files.ts"
import type { Lengths, Workload } from "../resolved.ts"
import type { ScenarioFile } from "../schema/scenario.ts"
import { MOONCAKE_BLOCK, parseAzureCsv, parseMooncakeJsonl } from "../workload-trace.ts"
import type { Resolution } from "./resolution.ts"

export const resolveWorkload = (to: Resolution): Workload | undefined => {
  const file = to.file.workload
  const connector = to.file.kv_transfer_config?.kv_connector
  if (connector !== undefined && !/offload|lmcache/i.test(connector)) {
    to.fault(
      ["kv_transfer_config", "kv_connector"],
      `${connector} has no meaning here`,
      "known: OffloadingConnector, LMCacheConnectorV1"
    )
  }
  const common = {
    context: connector === undefined ? file.context : "host",
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
  const input = resolveLengths(to, "input")
  const output = resolveLengths(to, "output")
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

const resolveLengths = (to: Resolution, key: "input" | "output") => {
  const lengths = lengthsOf(to.file.workload[key]!)
  const [least, most] = range(lengths)
  if (least < 1) return to.fault(["workload", key], `expected at least 1 token, found ${least}`)
  if (most > 1e8) return to.fault(["workload", key], `expected at most 100M tokens, found ${most}`)
  if (least > most) return to.fault(["workload", key], `min ${least} is above max ${most}`)
  return lengths
}

const resolveTrace = (
  to: Resolution,
  trace: NonNullable<ScenarioFile["workload"]["trace"]>,
  common: Pick<Workload, "context">,
  limit: number | undefined
): Workload | undefined => {
  const file = relativeTo(to.document.fileOf(["workload", "trace", "file"]), trace.file)
  const text = readText(file, to.read)
  if (typeof text !== "string") return to.fault(["workload", "trace", "file"], `${file} ${text.message}`)
  const parsed = trace.format === "azure-csv" ? parseAzureCsv(file, text) : parseMooncakeJsonl(file, text)
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
