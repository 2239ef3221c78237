import type { Kernel } from "../webgpu/device.ts"
import { reducing } from "./lanes.ts"
import source from "./norm.wgsl?raw"
import type { EngineShape } from "./shape.ts"

/** RMSNorm of every row, or of the chosen rows packed together. Bindings: x, gain, chosen, pass, y. */
export const norm = (shape: EngineShape, chosen: boolean): Kernel =>
  reducing(
    {
      name: "norm",
      source,
      constants: { HIDDEN: shape.config.hidden, EPSILON: shape.config.normEps, CHOSEN: chosen ? 1 : 0 }
    },
    shape
  )

/** One row. */
export const normReference = (x: Float32Array, gain: Float32Array, epsilon: number): Float32Array => {
  let sum = 0
  for (const value of x) sum += value * value
  const scale = 1 / Math.sqrt(sum / x.length + epsilon)
  return x.map((value, i) => value * scale * gain[i]!)
}
