/**
 * Measured tables against what the datasheet allows: a card that clocks above its rating, or a timer that missed a launch, would
 * have a pass take less than its bytes and FLOPs can. Such times are raised to the floor, and counted.
 */
import { attentionParameters, mlpParameters } from "../../scenario/model-shape.ts"
import type { KernelTables, Model } from "../../scenario/resolved.ts"
import { flopsPerPair } from "../../sim/cost/attention.ts"
import { touchedParameters } from "../../sim/cost/linear.ts"
import type { Peaks } from "./fit.ts"

/** The tables of one rank, none of whose times is below the floor; `raised`: how many of how many were. */
export const heldAtFloor = (
  tables: KernelTables,
  model: Model,
  ranks: number,
  peaks: Peaks
): { readonly tables: KernelTables; readonly raised: number; readonly times: number } => {
  const layer = model.layers[0]!
  const { attention, mlp } = layer
  const { hidden, vocab, weightBytesPerParam: width } = model
  let raised = 0
  let times = 0
  const floor = (seconds: number, bytes: number, flops: number): number => {
    times++
    const least = Math.max(bytes / peaks.bandwidth, flops / peaks.flops) / ranks
    if (seconds < least) raised++
    return Math.max(seconds, least)
  }
  const projections = attentionParameters(attention, hidden)
  const { active } = mlpParameters(mlp, hidden)
  const kv =
    attention.kind === "gqa" ? 2 * attention.kvHeads * attention.headDim * model.kvBytesPerElement : 0
  const pair = flopsPerPair(attention, "decode")
  const decoding = (requests: number, tokens: number): readonly [number, number] => [
    requests * tokens * kv,
    requests * tokens * pair
  ]
  const prefilling = (chunk: number, cached: number): readonly [number, number] => [
    (chunk + cached) * kv,
    (chunk * cached + (chunk * (chunk + 1)) / 2) * pair
  ]
  const { dense, attentionDecode: decode, attentionPrefill: prefill, attentionMixed: mixed, lmHead } = tables
  const held: KernelTables = {
    origin: tables.origin,
    ...(dense === undefined
      ? {}
      : {
          dense: {
            ...dense,
            seconds: dense.seconds.map((time, i) => {
              const tokens = dense.tokens[i]!
              const read = projections + touchedParameters(layer, hidden, tokens)
              return floor(time, read * width, 2 * (projections + active) * tokens)
            })
          }
        }),
    ...(decode === undefined
      ? {}
      : {
          attentionDecode: {
            ...decode,
            seconds: decode.seconds.map((row, i) =>
              row.map((time, j) => floor(time, ...decoding(decode.requests[i]!, decode.kvTokens[j]!)))
            )
          }
        }),
    ...(prefill === undefined
      ? {}
      : {
          attentionPrefill: {
            ...prefill,
            seconds: prefill.seconds.map((row, i) =>
              row.map((time, j) => floor(time, ...prefilling(prefill.chunk[i]!, prefill.cached[j]!)))
            )
          }
        }),
    ...(mixed === undefined
      ? {}
      : {
          attentionMixed: {
            ...mixed,
            seconds: mixed.seconds.map((a, i) =>
              a.map((b, j) =>
                b.map((c, k) =>
                  c.map((time, l) => {
                    const [bytes, flops] = prefilling(mixed.chunk[i]!, mixed.cached[j]!)
                    const [more, work] = decoding(mixed.requests[k]!, mixed.kvTokens[l]!)
                    return floor(time, bytes + more, flops + work)
                  })
                )
              )
            )
          }
        }),
    ...(lmHead === undefined
      ? {}
      : {
          lmHead: {
            ...lmHead,
            seconds: lmHead.seconds.map((time, i) =>
              floor(time, hidden * vocab * width, 2 * hidden * vocab * lmHead.sequences[i]!)
            )
          }
        })
  }
  return { tables: held, raised, times }
}
