import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeState, encodeState, type PageState, SCREENS, START, withChange } from "./page-state.ts"

const text = fc.string({ unit: "grapheme" })
const states: fc.Arbitrary<PageState> = fc.record({
  screen: fc.constantFrom(...SCREENS),
  file: text,
  text: fc.option(text, { nil: undefined }),
  changes: fc.array(
    fc.record({
      field: text,
      value: fc.oneof(
        text,
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Object.is(x, -0))
      )
    })
  ),
  view: fc.dictionary(
    text.filter((key) => key !== "__proto__"),
    text,
    { noNullPrototype: true }
  )
})

describe("the state of the page", () => {
  it("survives its address", () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(decodeState(encodeState(state))).toEqual(state)
      })
    )
  })

  it("is the start where the address says nothing or nonsense", () => {
    expect(decodeState("")).toEqual(START)
    fc.assert(
      fc.property(fc.string(), (hash) => {
        expect(SCREENS).toContain(decodeState(hash).screen)
      })
    )
  })

  it("reads addresses of version 1", () => {
    expect(decodeState("#/sweep?v=1&file=a.yaml&set.engine.max_num_seqs=4&view.x=keep")).toEqual({
      screen: "sweep",
      file: "a.yaml",
      text: undefined,
      changes: [{ field: "engine.max_num_seqs", value: 4 }],
      view: { x: "keep" }
    })
  })

  it("changes a field in its place, and takes it back", () => {
    const both = withChange(withChange(START, "a", 1), "b", 2)
    expect(withChange(both, "a", 3).changes).toEqual([
      { field: "a", value: 3 },
      { field: "b", value: 2 }
    ])
    expect(withChange(both, "a", undefined).changes).toEqual([{ field: "b", value: 2 }])
  })
})
