/** What a deployment costs and draws for each token it serves. */
import type { Hardware } from "../../scenario/resolved.ts"

/** Price of a million output tokens, from that of a GPU for an hour. */
export const costPerMegatoken = (perGpuHour: number, gpus: number, tokensPerSecond: number): number =>
  ((perGpuHour * gpus) / 3600 / tokensPerSecond) * 1e6

/**
 * Joules per output token if every GPU draws its board power at load all the time: more than it will be, without hosts,
 * cooling and idle nodes, which are not counted. Undefined where the catalog has no figure.
 */
export const energyPerToken = (
  { power }: Hardware,
  gpus: number,
  tokensPerSecond: number
): number | undefined => (power === undefined ? undefined : (power * gpus) / tokensPerSecond)
