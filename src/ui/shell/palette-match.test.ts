import { describe, expect, it } from "vitest"
import { matches } from "./palette-match.ts"

const ALL = ["Zoom in", "Zoom out", "Fit the whole run", "Find slices", "Save timeline as SVG"].map(
  (name) => ({ name })
)
const found = (typed: string): readonly string[] => matches(ALL, typed).map(({ name }) => name)

describe("the palette", () => {
  it("finds by words in any order before letters in order", () => {
    expect(found("")).toHaveLength(ALL.length)
    expect(found("out ZOOM")).toEqual(["Zoom out"])
    expect(found("svg")).toEqual(["Save timeline as SVG"])
    expect(found("fi")).toEqual(["Fit the whole run", "Find slices", "Save timeline as SVG"].slice(0, 2))
    expect(found("zmo")).toEqual(["Zoom out"])
    expect(found("quantum")).toEqual([])
  })
})
