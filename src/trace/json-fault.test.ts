import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jsonFault } from "./json-fault.ts"

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** JSON with one character removed, doubled or replaced: close to right, which is where faults hide. */
const nearlyJson = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom("", '"', "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\\", "\n", "x", " ")
  )
  .map(([text, where, put]) => {
    const index = where % (text.length + 1)
    return text.slice(0, index) + put + text.slice(index + 1)
  })

describe("the JSON fault finder", () => {
  it("finds a fault exactly where JSON.parse refuses", () => {
    fc.assert(
      fc.property(nearlyJson, (text) => (jsonFault(text) === undefined) === isJson(text)),
      { numRuns: 1000 }
    )
  })

  it("points into the text or just behind it, and shows what is there", () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const fault = jsonFault(text)
        fc.pre(fault !== undefined)
        const rest = text.slice(fault.column - 1)
        if (rest === "") expect(fault.found).toBe("the end of the line")
        else expect(fault.found.slice(1, 2)).toBe(rest.slice(0, 1))
        expect(fault.column).toBeLessThanOrEqual(text.length + 1)
      })
    )
  })

  it.each([
    ['{"a":1', 7, '"," and a member, or "}"', "the end of the line"],
    ['{"a" 1}', 6, '":"', '"1}"'],
    ["[1,]", 4, "a JSON value", '"]"'],
    ["{,}", 2, "a name in quotes", '",}"'],
    ['{"a":"b}', 6, "a string that ends on its line", '""b}"'],
    ["1 2", 3, "the end of the line", '"2"'],
    ["", 1, "a JSON value", "the end of the line"]
  ])("explains %j", (text, column, expected, found) => {
    expect(jsonFault(text)).toEqual({ column, expected, found })
  })
})
