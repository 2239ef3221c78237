/** What compression methods ask to see of a context, gathered from the device. */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import type { Needs, Observation } from "../compressors/compressor.ts"
import { type EngineShape, pageWords } from "../kernels/shape.ts"
import type { Device } from "../webgpu/device.ts"
import { fromHalf } from "../weights/dtype.ts"

/** Device buffers observations gather in, a region for each slot. */
export interface ObservationBuffers {
  readonly attention: GPUBuffer
  readonly queries: GPUBuffer
}

/** Floats of one slot's regions; 1 where the method asks for nothing. */
export const attentionFloats = ({ config, maxTokens }: EngineShape, needs: Needs): number =>
  needs.attention === undefined ? 1 : config.layers * config.kvHeads * maxTokens
export const queryFloats = ({ config, queryRows }: EngineShape, needs: Needs): number =>
  needs.queries === undefined ? 1 : config.layers * queryRows * config.heads * config.headDim

const missing = (what: string) => (): never => {
  throw new Error(`the method did not ask for ${what}`)
}

/** A request whose context is observed. */
export interface Observed {
  readonly slot: number
  /** Tokens of the context, and of the prompt. */
  readonly tokens: number
  readonly prompt: number
  /** Bytes of a page of its full KV, wherever that is. */
  readonly page: (index: number) => Effect.Effect<Uint8Array, DeviceLost>
}

/** Reads what `needs` names of a request. */
export const readObservation = (
  device: Device,
  shape: EngineShape,
  buffers: ObservationBuffers,
  needs: Needs,
  { slot, tokens, prompt, page }: Observed
): Effect.Effect<Observation, DeviceLost> =>
  Effect.gen(function* () {
    const { config, maxTokens, pageTokens, queryRows, kvBits } = shape
    const { layers, heads, kvHeads, headDim } = config
    const floats = Effect.fnUntraced(function* (buffer: GPUBuffer, count: number) {
      return new Float32Array((yield* device.read(buffer, slot * count * 4, count * 4)).buffer)
    })
    const attention =
      needs.attention === undefined
        ? undefined
        : yield* floats(buffers.attention, attentionFloats(shape, needs))
    const queries =
      needs.queries === undefined ? undefined : yield* floats(buffers.queries, queryFloats(shape, needs))
    const pages = Math.ceil(tokens / pageTokens)
    const kv =
      needs.keys === true || needs.values === true ? new Uint8Array(pages * pageWords(shape) * 4) : undefined
    if (kv !== undefined)
      for (let index = 0; index < pages; index++) kv.set(yield* page(index), index * pageWords(shape) * 4)

    /** Rows of one side, layer and head, tokens × headDim. */
    const rows = (side: 0 | 1) => (layer: number, head: number) => {
      const result = new Float32Array(tokens * headDim)
      const halves = new Uint16Array(kv!.buffer)
      const singles = new Float32Array(kv!.buffer)
      const pageElements = (pageWords(shape) * 32) / kvBits
      for (let token = 0; token < tokens; token++) {
        const from =
          Math.floor(token / pageTokens) * pageElements +
          (((layer * 2 + side) * kvHeads + head) * pageTokens + (token % pageTokens)) * headDim
        for (let channel = 0; channel < headDim; channel++)
          result[token * headDim + channel] =
            kvBits === 16 ? fromHalf(halves[from + channel]!) : singles[from + channel]!
      }
      return result
    }
    return {
      layers,
      heads,
      kvHeads,
      headDim,
      tokens,
      prompt,
      attention:
        attention === undefined
          ? missing("attention")
          : (layer: number, head: number) => {
              const from = (layer * kvHeads + head) * maxTokens
              return attention.slice(from, from + tokens)
            },
      keys: needs.keys === true ? rows(0) : missing("keys"),
      values: needs.values === true ? rows(1) : missing("values"),
      queries:
        queries === undefined
          ? missing("queries")
          : (layer: number, head: number) => {
              const count = Math.min(needs.queries!, queryRows, prompt)
              const result = new Float32Array(count * headDim)
              for (let i = 0; i < count; i++) {
                const row = (prompt - count + i) % queryRows
                const from = ((layer * queryRows + row) * heads + head) * headDim
                result.set(queries.subarray(from, from + headDim), i * headDim)
              }
              return result
            }
    }
  })

/** Puts back the attention that an observation read, with whatever was added since taken away. */
export const restoreAttention = (
  device: Device,
  shape: EngineShape,
  buffers: ObservationBuffers,
  needs: Needs,
  slot: number,
  observation: Observation
): void => {
  if (needs.attention === undefined) return
  const { layers, kvHeads } = shape.config
  const floats = new Float32Array(attentionFloats(shape, needs))
  for (let layer = 0; layer < layers; layer++)
    for (let head = 0; head < kvHeads; head++)
      floats.set(observation.attention(layer, head), (layer * kvHeads + head) * shape.maxTokens)
  device.write(buffers.attention, slot * floats.byteLength, floats)
}
