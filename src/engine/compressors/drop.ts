/** Methods that drop tokens: they differ in what they hold a position to be worth. */
import type { Budget, Compression, Compressor, Observation } from "./compressor.ts"
import { keepAll, keepHighest, RAW, type Scores, type Shares, type Storing } from "./keep.ts"

/** A method that drops tokens, whatever the others are stored as. */
export interface Dropping extends Compressor {
  readonly keepAs: (observation: Observation, budget: Budget, storing: Storing) => Compression
}

/** A method that keeps what scores highest. */
export const dropping = (
  fields: Pick<Compressor, "name" | "summary" | "source" | "needs"> & Partial<Pick<Compressor, "mode">>,
  scores: Scores,
  shares?: Shares
): Dropping => {
  const keepAs: Dropping["keepAs"] = (observation, budget, storing) =>
    keepHighest(observation, budget, scores, storing, shares)
  return {
    kind: "drop",
    mode: "offline",
    takesKeep: true,
    ...fields,
    keepAs,
    compress: (observation, budget) => keepAs(observation, budget, { format: RAW })
  }
}

/** First tokens that are always kept: attention rests on them. */
const SINKS = 4

export const streamingLlm = dropping(
  {
    name: "streaming-llm",
    summary: "the first tokens and the newest, nothing between",
    source: "arXiv:2309.17453",
    needs: {}
  },
  (_observation, _layer, _head, end) =>
    Float32Array.from({ length: end }, (_, position) => (position < SINKS ? end + 1 : position))
)

export const h2o = dropping(
  {
    name: "h2o",
    summary: "positions that drew most attention over the whole prompt, and as many of the newest",
    source: "arXiv:2306.14048",
    needs: { attention: { over: "prompt", reduce: "sum" } }
  },
  (observation, layer, head, end, count) =>
    observation
      .attention(layer, head)
      .map((sum, position) => (position >= end - Math.floor(count / 2) ? Infinity : sum))
)

/** Largest of each position and its neighbours: what is around a wanted token is wanted too. */
export const pooled = (scores: ArrayLike<number>, reach: number): Float32Array =>
  Float32Array.from({ length: scores.length }, (_, position) => {
    let most = 0
    for (let i = Math.max(0, position - reach); i <= Math.min(scores.length - 1, position + reach); i++)
      most = Math.max(most, scores[i]!)
    return most
  })

/** Prompt rows whose attention decides, and reach of the pooling. */
const OBSERVED = 32
const REACH = 3

const snapScores: Scores = (observation, layer, head) => pooled(observation.attention(layer, head), REACH)

export const snapkv = dropping(
  {
    name: "snapkv",
    summary: "positions the end of the prompt attends to, and their neighbours",
    source: "arXiv:2404.14469",
    needs: { attention: { over: "recent", rows: OBSERVED, reduce: "sum" } }
  },
  snapScores
)

/** Budgets fall evenly from half above the mean in the first layer to half below it in the last, less steeply where that is too many. */
export const pyramidkv = dropping(
  {
    name: "pyramidkv",
    summary: "like snapkv, with more entries in lower layers",
    source: "arXiv:2406.02069",
    needs: snapkv.needs
  },
  snapScores,
  (layer, layers, most) => (layers === 1 ? 1 : 1 + Math.min(0.5, most - 1) * (1 - (2 * layer) / (layers - 1)))
)

export const kvzip = dropping(
  {
    name: "kvzip",
    summary: "positions the model needs to read its context a second time",
    source: "arXiv:2505.23416, without the instruction to repeat",
    needs: { attention: { over: "reconstruction", reduce: "max" } }
  },
  (observation, layer, head) => observation.attention(layer, head)
)

/** Mean of a query head's kept rows. */
const meanQuery = (observation: Observation, layer: number, head: number): Float64Array => {
  const queries = observation.queries(layer, head)
  const { headDim } = observation
  const mean = new Float64Array(headDim)
  for (let i = 0; i < queries.length; i++) mean[i % headDim]! += (queries[i]! * headDim) / queries.length
  return mean
}

/** E[exp(q·k/√d)] for Gaussian queries with a diagonal covariance, times the value's length. */
const expected: Scores = (observation, layer, head, end) => {
  const { headDim, heads, kvHeads } = observation
  const keys = observation.keys(layer, head)
  const values = observation.values(layer, head)
  const group = heads / kvHeads
  const scores = new Float64Array(end)
  for (let h = head * group; h < (head + 1) * group; h++) {
    const mean = meanQuery(observation, layer, h)
    const queries = observation.queries(layer, h)
    const variance = new Float64Array(headDim)
    for (let i = 0; i < queries.length; i++)
      variance[i % headDim]! += ((queries[i]! - mean[i % headDim]!) ** 2 * headDim) / queries.length
    for (let position = 0; position < end; position++) {
      let exponent = 0
      for (let c = 0; c < headDim; c++) {
        const key = keys[position * headDim + c]!
        exponent += (mean[c]! * key) / Math.sqrt(headDim) + (variance[c]! * key * key) / (2 * headDim)
      }
      scores[position]! += Math.exp(Math.min(exponent, 300))
    }
  }
  for (let position = 0; position < end; position++) {
    let square = 0
    for (let c = 0; c < headDim; c++) square += values[position * headDim + c]! ** 2
    scores[position]! *= Math.sqrt(square)
  }
  return scores
}

export const expectedAttention = dropping(
  {
    name: "expected-attention",
    summary: "positions future queries are expected to attend to, by the queries at the end of the prompt",
    source: "arXiv:2510.00636, with a diagonal covariance and no averaging over future rotations",
    needs: { keys: true, values: true, queries: 64 }
  },
  expected
)

/** Ours: verifies see the full KV anyway, so what they attend to costs nothing to know. */
export const verifyFed = dropping(
  {
    name: "verify-fed",
    summary: "chooses anew at every verify, by the attention of the prompt's end and of every verify since",
    source: "ours; see docs/compressors.md",
    mode: "online",
    needs: { attention: { over: "recent", rows: OBSERVED, reduce: "sum", verify: true } }
  },
  snapScores
)

export const identity: Compressor = {
  name: "identity",
  summary: "keeps everything, uncompressed",
  source: "for comparison",
  kind: "none",
  mode: "offline",
  takesKeep: false,
  needs: {},
  compress: (observation) => keepAll(observation)
}
