import type { Kernel } from "../webgpu/device.ts"
import source from "./advance.wgsl?raw"
import { withPass } from "./shape.ts"

/** Moves every row on by one position. Bindings: rows, pass. */
export const advance: Kernel = { name: "advance", source: withPass(source), constants: {} }
