import { describe, expect, it } from "vitest"
import { judgedOf, roundsOf } from "./rounds.ts"
import { aRound, META } from "./trace.fixture.ts"
import { TraceStore } from "./store.ts"

describe("the rounds of a trace", () => {
  it("have their draft, reload and verification, and what became of the tokens", () => {
    const rounds = roundsOf(aRound())
    const first = Object.fromEntries(
      Object.entries(rounds).map(([name, column]) => [name, typeof column === "number" ? column : column[0]])
    )
    expect(first).toMatchObject({
      length: 1,
      request: 0,
      round: 1,
      draftStart: 0,
      draftEnd: 4000,
      reloadStart: 1500,
      reloadEnd: 3500,
      verifyStart: 4000,
      verifyEnd: 5500,
      bytes: 4.5e9
    })
    expect(judgedOf(rounds, 0)).toEqual({ accepted: 2, corrected: 1, rejected: 2 })
  })

  it("lack a reload where none was needed, and passes are no rounds", () => {
    const trace = new TraceStore(META)
    const passes = trace.track({ name: "verify", kind: "gpu" })
    const own = trace.track({ name: "request 3", kind: "request" })
    const draft = trace.slice(own, "draft", 0, 10, { request: 3, tokens: 5, round: 1 })
    trace.slice(passes, "verify", 10, 20, { tokens: 6 })
    const verify = trace.slice(own, "verify", 10, 20, { request: 3, tokens: 6, accepted: 5, round: 1 })
    trace.flow(draft, verify)
    const rounds = roundsOf(trace)
    expect([rounds.length, rounds.request[0], rounds.reloadStart[0], rounds.bytes[0]]).toEqual([1, 3, NaN, 0])
    expect(judgedOf(rounds, 0)).toEqual({ accepted: 5, corrected: 1, rejected: 0 })
  })
})
