/** What a pass has to compute, as sums over its requests: all a cost model needs to price it. */

/** Attention of one kind of position. Tokens are full-KV tokens; a compressed entry counts its share of the bytes. */
export interface AttentionLoad {
  /** Requests. */
  requests: number
  /** Positions computed. */
  positions: number
  /** KV entries read, in layers that keep everything and in sliding-window layers. */
  kvTokens: number
  localKvTokens: number
  /** Query–key pairs, the same way. */
  pairs: number
  localPairs: number
}

export interface PassLoad {
  readonly decode: AttentionLoad
  readonly draft: AttentionLoad
  readonly verify: AttentionLoad
  readonly prefill: AttentionLoad
  /** Rows the output head computes. */
  logits: number
  /** Entries that are packed when the pass is over: of prompts that are complete, and of what is compressed anew at verifies. */
  packed: number
  /** Bytes a classical drafter reads in this pass: its weights and its KV, for every proposal. */
  drafterBytes: number
}

const attention = (): AttentionLoad => ({
  requests: 0,
  positions: 0,
  kvTokens: 0,
  localKvTokens: 0,
  pairs: 0,
  localPairs: 0
})

export const emptyLoad = (): PassLoad => ({
  decode: attention(),
  draft: attention(),
  verify: attention(),
  prefill: attention(),
  logits: 0,
  packed: 0,
  drafterBytes: 0
})

/** What a pass costs. Seconds are at undisturbed bandwidth; each operation counts wholly for what bounds it. */
export interface PassCost {
  hbm: number
  compute: number
  interconnect: number
  /** Launches and host work between passes. */
  scheduling: number
  /** Of it what is done once for passes that are submitted together: the host's. */
  host: number
  /** Bytes moved in HBM, FLOPs done. */
  bytes: number
  flops: number
  /** Least seconds for the weights and KV that must be read, at peak bandwidth, and for the FLOPs at peak. */
  memoryFloor: number
  computeFloor: number
}

export const emptyCost = (): PassCost => ({
  hbm: 0,
  compute: 0,
  interconnect: 0,
  scheduling: 0,
  host: 0,
  bytes: 0,
  flops: 0,
  memoryFloor: 0,
  computeFloor: 0
})

/** Seconds of a pass. */
export const costSeconds = (cost: PassCost): number =>
  cost.hbm + cost.compute + cost.interconnect + cost.scheduling

/** Seconds no hardware of these peaks can be faster than: reading and arithmetic may overlap wholly, no more. */
export const floorSeconds = (cost: PassCost): number => Math.max(cost.memoryFloor, cost.computeFloor)
