import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Fault, renderFault, withoutRepeats } from "./fault.ts"

const fault: Fault = {
  file: "s.yaml",
  line: 3,
  column: 7,
  field: "seed",
  message: "is odd",
  excerpt: "seed: 7"
}

describe("a fault as text", () => {
  it("is place, field, message, line and caret", () => {
    expect(renderFault({ ...fault, suggestion: "try 8" })).toBe(
      "s.yaml:3:7: seed: is odd; try 8\n    3 | seed: 7\n      |       ^"
    )
    const { excerpt: _, ...bare } = fault
    expect(renderFault({ ...bare, field: "" })).toBe("s.yaml:3:7: is odd")
  })

  it("has its caret under the column, however long the line", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), (before, after) => {
        const excerpt = `${"a".repeat(before)}X${"b".repeat(after)}`
        const lines = renderFault({ ...fault, column: before + 1, excerpt }).split("\n")
        expect(lines[1]![lines[2]!.indexOf("^")]).toBe("X")
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(130)
      })
    )
  })

  it("shows what a terminal would obey", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (field, excerpt) => {
        const text = renderFault({ ...fault, field, excerpt: excerpt.replaceAll("\n", "") })
        expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202E]/u)
        expect(text.split("\n").length).toBe(3)
      })
    )
  })

  it("does not repeat long names", () => {
    expect(renderFault({ ...fault, field: "k".repeat(1000) }).split("\n")[0]!.length).toBeLessThan(120)
  })
})

describe("faults without repeats", () => {
  it("are in their order, each once", () => {
    const other = { ...fault, line: 4 }
    expect(withoutRepeats([fault, other, { ...fault }])).toEqual([fault, other])
  })
})
