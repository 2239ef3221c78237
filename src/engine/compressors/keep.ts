/** Choosing entries under a budget of bytes: shared by every method that drops tokens. */
import { recentTokens } from "../../protocol/recent.ts"
import { layOut } from "../cache/packed-layout.ts"
import type { Budget, Compression, Format, Observation } from "./compressor.ts"

/** Entries come in whole groups of this many. */
export const groupOf = ({ keys, values }: Format): number =>
  Math.max(keys === "raw" ? 1 : keys.groupTokens, values === "raw" ? 1 : values.groupTokens)

export const RAW: Format = { keys: "raw", values: "raw", rotated: false }

/** How what stays is stored. */
export type Storing = Pick<Compression, "format" | "codebooks">

/** Shares a budget out over layers: a layer's factor on the mean, which is 1. `most`: the largest factor there is room for. */
export type Shares = (layer: number, layers: number, most: number) => number

/**
 * Entries per KV head that each layer may pack beside a tail of `recent` tokens, so that packed part and tail together take
 * at most keep × the bytes of full KV: scales, levels and padding are counted, by laying them out.
 */
export const entriesWithin = (
  { tokens, layers, kvHeads, headDim }: Observation,
  { keep, elementBits }: Budget,
  { format, codebooks }: Storing,
  recent: number,
  shares: Shares = () => 1
): readonly number[] => {
  const group = groupOf(format)
  const room = Math.floor((tokens - recent) / group) * group
  const shape = { kvHeads, headDim, kvBits: elementBits }
  const tokenWords = (layers * 2 * kvHeads * headDim * elementBits) / 32
  const words = (keep * tokens - recent) * tokenWords
  const places = Uint32Array.from({ length: room }, (_, position) => position)
  const counts = (each: number): number[] =>
    Array.from({ length: layers }, (_, layer) => {
      const wanted = each * shares(layer, layers, Math.max(1, room / each))
      return Math.min(room, Math.floor(wanted / group) * group)
    })
  const fits = (each: number): boolean => {
    const kept = counts(each).map((count) => Array.from({ length: kvHeads }, () => places.subarray(0, count)))
    const layout = layOut(
      { tailStart: room, kept, format, ...(codebooks === undefined ? {} : { codebooks }) },
      shape
    )
    return layout.words <= words
  }
  // The largest number of groups that fits: what they take grows with it.
  let low = 0
  let high = room / group
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(middle * group)) low = middle
    else high = middle - 1
  }
  return counts(low * group)
}

/** Everything stays in the tail. */
export const keepAll = ({ layers, kvHeads }: Observation): Compression => ({
  tailStart: 0,
  kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => new Uint32Array(0))),
  format: RAW
})

/** The newest tokens a budget leaves, at least `recent`, and nothing else: a context too short to be worth packing. */
export const keepNewest = (observation: Observation, { keep }: Budget, recent: number): Compression => {
  const { tokens } = observation
  const tail = Math.min(tokens, Math.max(recent, Math.floor(keep * tokens)))
  return { ...keepAll(observation), tailStart: tokens - tail }
}

/** Positions of the `count` highest scores below `end`, ascending; the lowest position wins a tie. */
export const highest = (scores: ArrayLike<number>, count: number, end: number): Uint32Array => {
  if (count === 0) return new Uint32Array(0)
  // What is no number is worth nothing.
  const worth = Float64Array.from({ length: end }, (_, position) => {
    const score = scores[position]!
    return Number.isNaN(score) ? -Infinity : score
  })
  const least = worth.toSorted()[end - count]!
  let ties = count
  for (const one of worth) if (one > least) ties--
  const positions = new Uint32Array(count)
  let found = 0
  for (let position = 0; found < count; position++) {
    const one = worth[position]!
    if (one < least || (one === least && ties-- <= 0)) continue
    positions[found++] = position
  }
  return positions
}

/** Score of every position below `end` for one KV head of one layer, of which `count` are kept. */
export type Scores = (
  observation: Observation,
  layer: number,
  kvHead: number,
  end: number,
  count: number
) => ArrayLike<number>

/** Keeps the highest-scoring entries of each KV head and the newest tokens. */
export const keepHighest = (
  observation: Observation,
  budget: Budget,
  scores: Scores,
  storing: Storing,
  shares?: Shares
): Compression => {
  const { tokens, kvHeads } = observation
  if (budget.keep >= 1 && storing.format === RAW) return keepAll(observation)
  const recent = Math.min(tokens, recentTokens(tokens))
  const counts = entriesWithin(observation, budget, storing, recent, shares)
  if (counts.every((count) => count === 0)) return keepNewest(observation, budget, recent)
  const end = tokens - recent
  const kept = counts.map((count, layer) =>
    Array.from({ length: kvHeads }, (_, head) =>
      highest(scores(observation, layer, head, end, count), count, end)
    )
  )
  return { tailStart: end, kept, ...storing }
}
