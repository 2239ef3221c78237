import { describe, expect, it } from "vitest"
import { decodeState } from "../shell/page-state.ts"
import { lookingAt } from "./looking.ts"

const RUN = { from: 0, to: 1e9 }
const START = {
  view: RUN,
  slice: undefined,
  area: undefined,
  filter: "",
  all: false,
  pins: new Set(),
  shut: new Set(),
  marks: []
}
const at = (hash: string) => lookingAt(decodeState(hash).view, RUN)

describe("addresses of the timeline", () => {
  it("say where the view is, what is selected, pinned, collapsed and marked", () => {
    expect(
      at(
        "#/timeline?v=1&view.all=1&view.area=5-9&view.filter=gpu&view.marks=7~a%20b&view.pins=4+9.1&view.range=100-2000&view.shut=0&view.slice=12"
      )
    ).toEqual({
      view: { from: 100, to: 2000 },
      slice: 12,
      area: { from: 5, to: 9 },
      filter: "gpu",
      all: true,
      pins: new Set(["4", "9.1"]),
      shut: new Set(["0"]),
      marks: [{ at: 7, name: "a b" }]
    })
  })

  it("open whatever they say that is not understood, as those of the first version, whose slices were places in rows", () => {
    expect(at("#/timeline?v=1&view.open=file-1&view.range=100-2000&view.slice=3.12")).toEqual({
      ...START,
      view: { from: 100, to: 2000 }
    })
    for (const hash of [
      "#/timeline?v=1",
      "#/timeline?v=1&view.range=9-2&view.area=x&view.slice=-1&view.marks=~"
    ])
      expect(at(hash)).toEqual(START)
  })
})
