import { describe, expect, it } from "vitest"
import { aRound } from "../../trace/trace.fixture.ts"
import { kindName, type Place, timelineModel } from "./model.ts"
import { find } from "./search.ts"

const trace = aRound()
const { rows } = timelineModel(trace)

const nameOf = ({ row, slice }: Place): string => kindName(trace, row, slice)

describe("search", () => {
  it("goes through every slice of a name and around, in both directions", () => {
    for (const by of [1, -1] as const) {
      const seen: string[] = []
      let at: Place | undefined
      for (let i = 0; i < 6; i++) {
        at = find(trace, rows, "DRAFT", at, by)
        expect(nameOf(at!)).toBe("draft")
        seen.push(`${at!.row.key} ${at!.slice}`)
      }
      expect(new Set(seen).size).toBe(5)
      expect(seen[5]).toBe(seen[0])
    }
  })

  it("finds by row and by request, and nothing for other words", () => {
    expect(nameOf(find(trace, rows, "link host", undefined, 1)!)).toBe("reload")
    expect(find(trace, rows, "request 0", undefined, 1)).toBeDefined()
    expect(find(trace, rows, "request 7", undefined, 1)).toBeUndefined()
    expect(find(trace, rows, " ", undefined, 1)).toBeUndefined()
  })
})
