/** What a compression promises the engine, checked. */
import type { Compression, Observation, RowFormat } from "./compressor.ts"

const isCount = (value: unknown, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most

/** Why a side's format cannot be stored; nothing if it can. */
const formatFaults = (side: string, rows: RowFormat | "raw", headDim: number): string[] => {
  if (rows === "raw") return []
  const { bits, groupTokens, groupChannels } = rows
  return [
    ...([2, 4, 8].includes(bits) ? [] : [`format.${side}.bits is ${bits}; 2, 4 or 8 are expected`]),
    ...(isCount(groupTokens, Infinity) && groupTokens > 0
      ? []
      : [`format.${side}.groupTokens is ${groupTokens}; a whole number from 1 is expected`]),
    ...(groupChannels > 0 && headDim % groupChannels === 0
      ? []
      : [`format.${side}.groupChannels is ${groupChannels}; a divisor of head_dim ${headDim} is expected`])
  ]
}

const layerFaults = (
  layer: number,
  heads: readonly Uint32Array[],
  { kvHeads }: Observation,
  { tailStart, format }: Compression
): string[] => {
  if (heads.length !== kvHeads) return [`layer ${layer} keeps ${heads.length} KV heads of ${kvHeads}`]
  const faults: string[] = []
  if (heads.some((positions) => !(positions instanceof Uint32Array)))
    return [`layer ${layer} keeps positions in something else than a Uint32Array`]
  const count = heads[0]!.length
  if (heads.some((positions) => positions.length !== count))
    faults.push(`the heads of layer ${layer} keep different numbers of entries`)
  for (const side of ["keys", "values"] as const) {
    const rows = format[side]
    if (rows !== "raw" && count % rows.groupTokens !== 0)
      faults.push(
        `layer ${layer} keeps ${count} entries, no multiple of format.${side}.groupTokens ${rows.groupTokens}`
      )
  }
  for (const positions of heads) {
    const wrong = positions.find(
      (position, i) => position >= tailStart || (i > 0 && position <= positions[i - 1]!)
    )
    if (wrong === undefined) continue
    faults.push(
      `layer ${layer} keeps position ${wrong}; ascending positions below tailStart ${tailStart} are expected`
    )
    break
  }
  return faults
}

/** The promises of `Compression` that an answer breaks, in words; none if the engine can store it. */
export const brokenPromises = (observation: Observation, compression: Compression): readonly string[] => {
  const { layers, tokens, headDim } = observation
  const { tailStart, kept, format, codebooks } = compression
  const faults = [
    ...(isCount(tailStart, tokens)
      ? []
      : [`tailStart is ${tailStart}; a whole number from 0 to the ${tokens} tokens is expected`]),
    ...formatFaults("keys", format.keys, headDim),
    ...formatFaults("values", format.values, headDim),
    ...(typeof format.rotated === "boolean" ? [] : ["format.rotated is neither true nor false"]),
    ...(format.rotated && (headDim & (headDim - 1)) !== 0
      ? [`format.rotated needs a power of two for head_dim, not ${headDim}`]
      : []),
    ...(kept.length === layers ? [] : [`kept has ${kept.length} layers, the model has ${layers}`]),
    ...kept.flatMap((heads, layer) => layerFaults(layer, heads, observation, compression))
  ]
  if (codebooks === undefined) return faults
  if (codebooks.length !== layers)
    faults.push(`codebooks has ${codebooks.length} layers, the model has ${layers}`)
  for (const [layer, books] of codebooks.entries())
    for (const side of ["keys", "values"] as const) {
      const levels = books[side]
      const rows = format[side]
      if (levels === undefined) continue
      if (rows === "raw") faults.push(`codebooks.${layer}.${side} has levels for rows that are raw`)
      else if (levels.length !== 2 ** rows.bits)
        faults.push(
          `codebooks.${layer}.${side} has ${levels.length} levels; ${2 ** rows.bits} are expected of ${rows.bits} bits`
        )
      else if (!levels.every(Number.isFinite))
        faults.push(`codebooks.${layer}.${side} has a level that is no number`)
    }
  return faults
}
