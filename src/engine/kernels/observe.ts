import type { Kernel } from "../webgpu/device.ts"
import source from "./observe.wgsl?raw"
import { type EngineShape, sizeConstants, withSizes } from "./shape.ts"

/** Attention each position received. Bindings: scores, chunks, rows, pass, layer, observed. */
export const observe = (shape: EngineShape): Kernel => ({
  name: "observe",
  source: withSizes(source),
  constants: { ...sizeConstants(shape), MAX_TOKENS: shape.maxTokens }
})

/**
 * Adds one row's attention to what the positions of a KV head have received, in place. `attention`: [query head of the
 * group][entry], normalised.
 */
export const observeReference = (
  observed: Float32Array,
  attention: readonly (readonly number[])[],
  largest: boolean
): void => {
  for (let entry = 0; entry < attention[0]!.length; entry++) {
    const received = attention.reduce((sum, head) => sum + head[entry]!, 0)
    observed[entry] = largest ? Math.max(observed[entry]!, received) : observed[entry]! + received
  }
}
