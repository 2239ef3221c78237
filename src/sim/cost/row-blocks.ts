/**
 * How matmuls cut the rows of a pass into blocks that share the weights they have loaded: a block computes all its rows, whether they are in use or
 * not, unless it has only one.
 */

export interface RowBlocks {
  readonly blocks: number
  /** Rows that are computed, those not in use included. */
  readonly computed: number
}

/** Rows that are a mean of several passes are whole but for rounding. */
const CRUMB = 1e-6

/** Blocks of `ofBlock` rows that `rows` take. */
export const rowBlocks = (rows: number, ofBlock: number): RowBlocks => {
  const blocks = Math.ceil(rows / ofBlock - CRUMB)
  const last = rows - (blocks - 1) * ofBlock
  return { blocks, computed: last > 1 + CRUMB ? blocks * ofBlock : rows }
}
