import type { Kernel } from "../webgpu/device.ts"
import source from "./matmul.wgsl?raw"
import { withPass } from "./shape.ts"
import sharesManySource from "./shares-many.wgsl?raw"
import sharesOneSource from "./shares-one.wgsl?raw"
import { type WeightType, withWeights } from "./weights.ts"

export interface MatmulShape {
  /** Inputs, a multiple of 4. */
  readonly depth: number
  /** Outputs of these weights, a multiple of 4. */
  readonly width: number
  /** The first of them, and how many there are in a row of outputs: others may have theirs from other buffers. */
  readonly first: number
  readonly stride: number
  readonly type: WeightType
  /** Shares a sum over the inputs is cut into: 1 on adapters where barriers are dear. */
  readonly splits: number
  /** Adds to what is there (residual). */
  readonly accumulate: boolean
  readonly bias: boolean
  /** Rows are those whose next token is wanted. */
  readonly chosen: boolean
}

/** Outputs of one workgroup, in vectors of four. */
export const MATMUL_COLUMNS = 16
/** Rows of one workgroup. */
export const MATMUL_ROWS = 4

/** y = x · w, one kernel for one row and for many. Bindings: w, x, bias, pass, y. */
export const matmul = ({
  depth,
  width,
  first,
  stride,
  type,
  splits,
  accumulate,
  bias,
  chosen
}: MatmulShape): Kernel => ({
  name: `matmul ${type}`,
  source: withWeights(type, withPass(splits === 1 ? sharesOneSource : sharesManySource, source)),
  constants: {
    K: depth,
    N: width,
    FIRST: first,
    STRIDE: stride,
    COLUMNS: MATMUL_COLUMNS,
    ...(splits === 1 ? {} : { SPLITS: splits }),
    ACCUMULATE: accumulate ? 1 : 0,
    BIAS: bias ? 1 : 0,
    CHOSEN: chosen ? 1 : 0
  }
})

/** One row x (depth) times w ([depth][width]), plus bias. */
export const matmulReference = (
  x: Float32Array,
  w: Float32Array,
  width: number,
  bias?: Float32Array
): Float64Array => {
  const y = new Float64Array(width)
  for (let k = 0; k < x.length; k++) for (let n = 0; n < width; n++) y[n]! += x[k]! * w[k * width + n]!
  return bias === undefined ? y : y.map((value, n) => value + bias[n]!)
}
