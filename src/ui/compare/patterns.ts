/** Strokes that tell the sign without colour: rising ones for longer, level ones for shorter. */
import { svg } from "../components/element.ts"

/** Definitions for a chart; `prefix` keeps names of several charts on a page apart. */
export const signPatterns = (prefix: string): SVGDefsElement => {
  const pattern = (name: string, d: string): SVGPatternElement =>
    svg(
      "pattern",
      { id: `${prefix}-${name}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("path", { d, class: "stroke" })
    )
  return svg(
    "defs",
    {},
    pattern("longer", "M-1 7 L7 -1 M-1 1 L1 -1 M5 7 L7 5"),
    pattern("shorter", "M0 3 H6")
  )
}
