/** KVzip's scores, predicted: the model reads only the end of its context again, and what that tells is fitted. */
import type { Observation } from "./compressor.ts"
import { dropping } from "./drop.ts"
import { fitRidge } from "./ridge.ts"

/** Tokens at the end of the context that are read again, and whose scores are fitted. */
const REREAD = 256

/** Attention below this counts as this; logarithms need a floor. */
const FAINT = 1e-6

/**
 * What a position's entry tells, wherever it stands: logarithms of the lengths of its key's channel pairs, which RoPE turns
 * and does not stretch, and the value itself.
 */
const featuresOf = ({ headDim }: Observation, keys: Float32Array, values: Float32Array, position: number) => {
  const half = headDim / 2
  const row = new Float64Array(half + headDim)
  for (let c = 0; c < half; c++) {
    const at = position * headDim + c
    row[c] = Math.log(FAINT + Math.hypot(keys[at]!, keys[at + half]!))
  }
  for (let c = 0; c < headDim; c++) row[half + c] = values[position * headDim + c]!
  return row
}

export const kvzap = dropping(
  {
    name: "kvzap",
    summary: "kvzip's scores as predicted from keys and values, by a fit on the end of the context",
    source:
      "in the manner of arXiv:2601.07891: fitted anew on each context by ridge regression on keys and values, where the paper trains a model on hidden states once",
    needs: {
      attention: { over: "reconstruction", rows: REREAD, reduce: "max" },
      keys: true,
      values: true
    }
  },
  (observation, layer, head, end) => {
    const attention = observation.attention(layer, head)
    const keys = observation.keys(layer, head)
    const values = observation.values(layer, head)
    const first = Math.max(0, observation.tokens - REREAD)
    const rows = Array.from({ length: observation.tokens - first }, (_, i) =>
      featuresOf(observation, keys, values, first + i)
    )
    const predict = fitRidge(
      rows,
      rows.map((_row, i) => Math.log(FAINT + attention[first + i]!))
    )
    return Float64Array.from({ length: end }, (_, position) =>
      predict(featuresOf(observation, keys, values, position))
    )
  }
)
