import type { Kernel } from "../webgpu/device.ts"
import source from "./advance.wgsl?raw"
import { withPass } from "./shape.ts"

/** Moves every row on by one position. Bindings: rows, pass. */
export const advance: Kernel = { name: "advance", source: withPass(source), constants: {} }

/** Rows of four words: view, position, tail, flags. */
export const advanceReference = (rows: Uint32Array): Uint32Array =>
  rows.map((word, i) => (i % 4 === 1 || i % 4 === 2 ? word + 1 : word))
