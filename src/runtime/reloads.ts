/** What a verify has moved in, and how much of it before the verify: all (`whole`), or what does not stream into it. */
import type { Core } from "./core.ts"
import { kvBytes } from "./kv.ts"
import type { VerifyItem } from "./ports.ts"
import type { Served } from "./served.ts"
import type { ServingSetup } from "./setup.ts"

/** Bytes of a reload. */
export const reloadBytes = ({ layout, plan }: ServingSetup, request: Served): number => {
  if (plan.reload === "none") return 0
  return Math.ceil(kvBytes(layout, request.needed) * (plan.reload === "full" ? 1 : 1 - plan.keep))
}

/** Iterations for which a reload has the link to itself, ℓ_r. */
export const linkIterations = (
  { setup, iterationSeconds }: Pick<Core, "setup" | "iterationSeconds">,
  request: Served
): number => reloadBytes(setup, request) / (setup.linkBandwidth * iterationSeconds)

/** Verifies read the end of their reload as it arrives. */
export const streamsIntoVerify = ({ plan }: ServingSetup): boolean =>
  plan.granularity === "streaming" && plan.reload !== "none"

/**
 * Tokens that are folded into the compressed KV once a verify has committed `tokens`: all there are, or those there were
 * before, because a layer that streams is gone by the time it is known which drafts count.
 */
export const foldedLength = (setup: ServingSetup, request: Served, tokens: number): number =>
  streamsIntoVerify(setup) ? request.length - tokens : request.length

/**
 * Layers to bring before a verify so that the link carries a reload of `iterations` iterations evenly: all but the last of
 * its windows come before the verify's own.
 */
export const layersAhead = (setup: ServingSetup, iterations: number): number => {
  const { plan, layers } = setup
  if (!streamsIntoVerify(setup)) return layers
  // In lock-step nobody drafts meanwhile, and all can stream at once.
  const windows = plan.schedule === "lock-step" ? 1 : Math.max(1, Math.ceil(iterations))
  return Math.ceil((layers * (windows - 1)) / windows)
}

/** Bytes of a reload that come before the verify. */
export const bytesAhead = (setup: ServingSetup, request: Served): number => {
  const bytes = reloadBytes(setup, request)
  return streamsIntoVerify(setup) ? Math.ceil((bytes * request.layersAhead) / setup.layers) : bytes
}

/** Bytes that stream into a pass that verifies these requests: all that has not come before. Undefined if nothing ever streams. */
export const streamBytes = (core: Core, verify: readonly VerifyItem[]): number | undefined => {
  const { setup } = core
  if (verify.length === 0 || !streamsIntoVerify(setup)) return undefined
  return verify.reduce((sum, item) => {
    const request = core.request(item.request)
    return sum + reloadBytes(setup, request) - bytesAhead(setup, request)
  }, 0)
}
