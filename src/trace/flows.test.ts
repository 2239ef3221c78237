import { describe, expect, it } from "vitest"
import { chainOf } from "./flows.ts"
import { EVENT_KINDS } from "./recorder.ts"
import { aRound } from "./trace.fixture.ts"

const trace = aRound()
const rowOf = (name: string): number =>
  [...trace.slices.kind].findIndex(
    (kind, row) => EVENT_KINDS[kind] === name && trace.slices.request[row]! > 0
  )

describe("arrows between slices", () => {
  it("join the draft, reload and verification of a round, whichever of them is asked for", () => {
    const [draft, reload, verify] = [rowOf("draft"), rowOf("reload"), rowOf("verify")]
    const chain = [
      { from: draft, to: reload },
      { from: reload, to: verify }
    ]
    for (const asked of [draft, reload, verify]) expect(chainOf(trace, asked)).toEqual(chain)
    expect(chainOf(trace, 0)).toEqual([])
  })
})
