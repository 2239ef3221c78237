import type { Kernel } from "../webgpu/device.ts"
import { type EngineShape, withPass } from "./shape.ts"
import source from "./swiglu.wgsl?raw"

/** silu(gate) · up. Bindings: [gate | up], pass, activated. */
export const swiglu = ({ config }: EngineShape): Kernel => ({
  name: "swiglu",
  source: withPass(source),
  constants: { WIDTH: config.intermediate }
})
