import type { Kernel } from "../webgpu/device.ts"
import source from "./lay.wgsl?raw"

/** Words before the rows; the same number stands in lay.wgsl. */
export const LAY_HEADER = 8

/** Rows of a stored matrix become columns. Bindings: landing, matrix. */
export const lay = (elementBytes: 2 | 4): Kernel => ({
  name: "lay",
  source,
  constants: { HALVES: elementBytes === 2 ? 1 : 0 }
})

/** Workgroups for so many rows of `depth` elements. One more than half the rows: the first and the last may be half a word. */
export const layGroups = (elementBytes: 2 | 4, rows: number, depth: number): readonly [number, number] => [
  Math.ceil(depth / 64),
  elementBytes === 2 ? Math.floor(rows / 2) + 1 : rows
]

/** Puts `source`, [rows][depth], into columns `first`… of `target`, [depth][width]. */
export const layReference = (
  source: Uint16Array | Uint32Array,
  target: Uint16Array | Uint32Array,
  { rows, depth, first, width }: Readonly<Record<"rows" | "depth" | "first" | "width", number>>
): void => {
  for (let row = 0; row < rows; row++)
    for (let element = 0; element < depth; element++)
      target[element * width + first + row] = source[row * depth + element]!
}
