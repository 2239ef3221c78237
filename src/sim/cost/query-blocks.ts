/**
 * How attention kernels cut their work. A block computes some rows of queries against all the KV they see, one tile after
 * another, whether all its rows are in use or not.
 *
 * FlashAttention 2 gives each query head blocks of its own in a call that computes prompts, and lets no request's KV be shared
 * out among blocks there; where every request has a single query it packs the query heads of a KV head into one block and shares
 * the KV out (`seqlenq_ngroups_swapped` and splits in its source). FlashAttention 3 packs in both (`should_pack_gqa`). That a
 * block has 64 rows was seen in measured calls of an H100, an RTX 4090 and an RTX PRO 6000 (docs/validation.md). Kernels that compute
 * every row by itself have blocks of one row.
 */
import type { QueryBlock } from "../../scenario/resolved.ts"

export interface QueryBlocks {
  /** Blocks of one request in one layer. */
  readonly blocks: number
  /** Rows computed over rows in use, at least 1. */
  readonly padding: number
}

/** Blocks of a request with `queries` positions, under `heads` query heads that share `kvHeads`. */
export const queryBlocks = (
  queries: number,
  heads: number,
  kvHeads: number,
  { rows: ofBlock, packsHeads }: QueryBlock
): QueryBlocks => {
  const rows = packsHeads ? (queries * heads) / kvHeads : queries
  const columns = packsHeads ? kvHeads : heads
  const each = Math.ceil(rows / ofBlock)
  return { blocks: columns * each, padding: (each * ofBlock) / rows }
}

/** Calls without prompts: FlashAttention packs the few queries of a request whichever it is. */
export const DECODING: QueryBlock = { rows: 64, packsHeads: true }
