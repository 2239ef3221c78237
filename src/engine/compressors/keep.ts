/** Choosing entries under a budget of bytes: shared by every method that drops tokens. */
import type { Budget, Compression, Format, Observation, RowFormat } from "./compressor.ts"

/** Bytes of one packed entry of one KV head over the bytes of a plain one, scales included. */
export const entryShare = (format: Format, headDim: number, elementBits: 16 | 32): number => {
  const side = (rows: RowFormat | "raw"): number =>
    rows === "raw"
      ? elementBits * headDim
      : rows.bits * headDim + (32 * headDim) / rows.groupChannels / rows.groupTokens
  return (side(format.keys) + side(format.values)) / (2 * elementBits * headDim)
}

/** Entries come in whole groups of this many. */
export const groupOf = ({ keys, values }: Format): number =>
  Math.max(keys === "raw" ? 1 : keys.groupTokens, values === "raw" ? 1 : values.groupTokens)

export const RAW: Format = { keys: "raw", values: "raw", rotated: false }

/** Tokens that stay in the tail whatever else is dropped. */
export const recentTokens = (tokens: number): number => Math.max(16, Math.ceil(tokens / 20))

/** Entries per KV head a budget leaves for the packed part, beside a tail of `recent` tokens. */
export const packedEntries = (
  { tokens, headDim }: Observation,
  { keep, elementBits }: Budget,
  format: Format,
  recent: number
): number => {
  const group = groupOf(format)
  const entries = Math.max(0, (keep * tokens - recent) / entryShare(format, headDim, elementBits))
  return Math.min(Math.floor(entries / group), Math.floor((tokens - recent) / group)) * group
}

/** Everything stays in the tail. */
export const keepAll = ({ layers, kvHeads }: Observation, format: Format = RAW): Compression => ({
  tailStart: 0,
  kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => new Uint32Array(0))),
  format: { ...format, rotated: false }
})

/** Positions of the `count` highest scores below `end`, ascending; the lowest position wins a tie. */
export const highest = (scores: ArrayLike<number>, count: number, end: number): Uint32Array => {
  const order = Array.from({ length: end }, (_, position) => position)
  order.sort((a, b) => scores[b]! - scores[a]! || a - b)
  return Uint32Array.from(order.slice(0, count)).toSorted()
}

/** Score of every position for one KV head of one layer. */
export type Scores = (
  observation: Observation,
  layer: number,
  kvHead: number,
  end: number
) => ArrayLike<number>

/** Keeps the highest-scoring entries of each KV head and the newest tokens; `counts` shares the budget out over layers. */
export const keepHighest = (
  observation: Observation,
  budget: Budget,
  scores: Scores,
  counts?: (each: number, layer: number, layers: number) => number,
  format: Format = RAW
): Compression => {
  const { tokens, layers, kvHeads } = observation
  const recent = Math.min(tokens, recentTokens(tokens))
  const each = packedEntries(observation, budget, format, recent)
  if (budget.keep >= 1 || each === 0) {
    // Too short to gain anything, unless there is something to drop.
    const tail = Math.max(recent, Math.floor(budget.keep * tokens))
    const dropped = budget.keep < 1 && tokens > tail ? tokens - tail : 0
    return { ...keepAll(observation, format), tailStart: dropped }
  }
  const end = tokens - recent
  const kept = Array.from({ length: layers }, (_, layer) => {
    const group = groupOf(format)
    const wanted = counts?.(each, layer, layers) ?? each
    const count = Math.min(Math.floor(end / group) * group, Math.max(0, Math.floor(wanted / group) * group))
    return Array.from({ length: kvHeads }, (_head, head) =>
      highest(scores(observation, layer, head, end), count, end)
    )
  })
  return { tailStart: end, kept, format }
}
