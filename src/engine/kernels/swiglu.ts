import type { Kernel } from "../webgpu/device.ts"
import { type EngineShape, withPass } from "./shape.ts"
import source from "./swiglu.wgsl?raw"

/** silu(gate) · up. Bindings: [gate | up], pass, activated. */
export const swiglu = ({ config }: EngineShape): Kernel => ({
  name: "swiglu",
  source: withPass(source),
  constants: { WIDTH: config.intermediate }
})

/** One row, [gate | up]. */
export const swigluReference = (row: Float32Array): Float32Array => {
  const width = row.length / 2
  return row.slice(0, width).map((gate, i) => (gate / (1 + Math.exp(-gate))) * row[width + i]!)
}
