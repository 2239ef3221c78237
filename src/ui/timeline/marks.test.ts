import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { marksOf, spelledMarks } from "./marks.ts"

describe("marks", () => {
  it("come back from the address as they went, by time", () => {
    const mark = fc.record({
      at: fc.nat(),
      name: fc.string({ minLength: 1 }).filter((name) => !/[,\n\r\u2028\u2029]/.test(name))
    })
    fc.assert(
      fc.property(fc.array(mark), (marks) => {
        expect(marksOf(spelledMarks(marks))).toEqual(marks.toSorted((a, b) => a.at - b.at))
      })
    )
  })

  it("are left out where an address says nonsense", () => {
    expect(marksOf("x,12,~a,5~b")).toEqual([{ at: 5, name: "b" }])
    expect(marksOf(undefined)).toEqual([])
  })
})
