import type { Kernel } from "../webgpu/device.ts"
import hadamardSource from "./hadamard.wgsl?raw"
import codesSource from "./pack-codes.wgsl?raw"
import scalesSource from "./pack-scales.wgsl?raw"
import jobSource from "./pack-source.wgsl?raw"
import { type EngineShape, sizeConstants, withViews } from "./shape.ts"

const packing = (shape: EngineShape, name: string, source: string): Kernel => ({
  name,
  source: withViews(`${hadamardSource}\n${jobSource}\n${source}`),
  constants: sizeConstants(shape)
})

/** Scale and zero of every group of a layer. Bindings: arena, views, kept, job. */
export const packScales = (shape: EngineShape): Kernel => packing(shape, "pack scales", scalesSource)
/** Codes of a layer, after its scales. Bindings: arena, views, kept, job. */
export const packCodes = (shape: EngineShape): Kernel => packing(shape, "pack codes", codesSource)
