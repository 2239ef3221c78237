import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { anyTrace, aRound, META } from "../../trace/trace.fixture.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { TraceStore } from "../../trace/store.ts"
import { ALIGNMENTS, axisOf, ROUND } from "./alignment.ts"
import { compareRuns, unpairedOf, verdictOf } from "./comparison.ts"
import { pair } from "./pairing.ts"
import { difference, phaseDeltas, QUANTITIES, ratio } from "./phases.ts"
import { waterfall } from "./waterfall.ts"

/** Rounds of requests one after the other, each a pass and a reload behind it; `stretch` lengthens what the link moves. */
const rounds = (lengths: readonly number[], stretch = 1): TraceStore => {
  const trace = new TraceStore(META)
  const replica = trace.track({ name: "replica 0", kind: "replica" })
  const gpu = trace.track({ name: "GPU", kind: "gpu", parent: replica })
  const link = trace.track({ name: "link host → device", kind: "link-h2d", parent: replica })
  const request = trace.track({ name: "request 0", kind: "request", parent: replica })
  let now = 0
  for (const [index, length] of lengths.entries()) {
    const drafted = now + length
    const moved = drafted + Math.round(length * 2 * stretch)
    const verified = moved + length
    trace.slice(gpu, "draft", now, drafted, { steps: 4 })
    trace.slice(link, "reload", drafted, moved, { request: 0 })
    trace.slice(gpu, "verify", moved, verified)
    trace.slice(request, "draft", now, drafted, { request: 0, round: index + 1 })
    trace.slice(request, "verify", moved, verified, { request: 0, round: index + 1 })
    now = verified
  }
  return trace
}
const lengths = fc.array(fc.integer({ min: 100_000, max: 1_000_000 }), { minLength: 1, maxLength: 20 })

describe("the comparison of two runs", () => {
  it("is zero everywhere for a run beside itself", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyTrace,
          lengths.map((some) => rounds(some))
        ),
        (trace) => {
          const { pairing, phases, waterfall: falls } = compareRuns(trace, trace)
          expect(pairing.slices).toEqual({ paired: trace.slices.length, onlyA: 0, onlyB: 0 })
          expect(pairing.rounds.onlyA + pairing.rounds.onlyB).toBe(0)
          expect([...pairing.inB]).toEqual(Array.from(pairing.inB, (_, row) => row))
          for (const phase of phases)
            for (const quantity of QUANTITIES) expect(difference(phase, quantity) ?? 0).toBe(0)
          expect(falls.steps.map(({ change }) => change)).toEqual(falls.steps.map(() => 0))
        }
      )
    )
    const same = compareRuns(aRound(), aRound())
    expect(verdictOf(same)).toBe(
      "B takes the same time as A per round; no part of it differs. The whole run takes the same time."
    )
  })

  it("finds transfers that take 10 % longer", () => {
    fc.assert(
      fc.property(lengths, (some) => {
        const phases = phaseDeltas(rounds(some), rounds(some, 1.1))
        const reload = phases.find(({ phase }) => phase === "reload")!
        for (const quantity of ["mean", "p50", "p95", "total"] as const)
          expect(Math.abs(ratio(reload, quantity)! - 1.1)).toBeLessThan(0.001)
        expect(
          difference(
            phases.find(({ phase }) => phase === "verify")!,
            "total"
          )
        ).toBe(0)
      })
    )
    const found = compareRuns(rounds([1e6]), rounds([1e6], 1.1))
    expect(verdictOf(found)).toBe(
      "B takes 5.0 % longer per round than A; exposed transfer explains 5.0 points of it. The whole run takes 5.0 % longer."
    )
  })

  it("explains the whole difference", () => {
    fc.assert(
      fc.property(anyTrace, anyTrace, (one, other) => {
        const { a, b, steps } = waterfall(one, other)
        expect(steps.reduce((sum, { change }) => sum + change, a)).toBe(b)
      })
    )
  })

  it("turns its signs round when the runs change places", () => {
    fc.assert(
      fc.property(anyTrace, anyTrace, (one, other) => {
        const [there, back] = [compareRuns(one, other), compareRuns(other, one)]
        expect(back.pairing.inA).toEqual(there.pairing.inB)
        expect(back.pairing.rounds).toEqual({
          paired: there.pairing.rounds.paired,
          onlyA: there.pairing.rounds.onlyB,
          onlyB: there.pairing.rounds.onlyA
        })
        for (const [index, phase] of there.phases.entries())
          for (const quantity of QUANTITIES)
            expect(0 - (difference(back.phases[index]!, quantity) ?? 0)).toBe(
              0 + (difference(phase, quantity) ?? 0)
            )
        for (const [index, { change }] of there.waterfall.steps.entries())
          expect(0 - back.waterfall.steps[index]!.change).toBe(0 + change)
      })
    )
  })

  it("pairs what is in both runs and counts what is not", () => {
    const [short, long] = [rounds([5, 5]), rounds([5, 5, 5])]
    const { inB, rounds: found } = pair(short, long)
    expect(found).toEqual({ paired: 2, onlyA: 0, onlyB: 1 })
    for (const [row, partner] of inB.entries()) {
      const pass = short.slices.request[row] === 0
      // There are more passes in the other run: nobody knows which is which.
      expect(partner < 0).toBe(pass)
      if (!pass) expect(long.slices.round[partner]).toBe(short.slices.round[row])
    }
    expect(unpairedOf(compareRuns(short, long))).toContain("0 only in A, 1 only in B")
  })

  it("says so when there is nothing to compare", () => {
    expect(verdictOf(compareRuns(new TraceStore(META), aRound()))).toContain("nothing to compare")
  })
})

describe("the shared axis", () => {
  it("never runs backwards", () => {
    fc.assert(
      fc.property(anyTrace, fc.constantFrom(...ALIGNMENTS), fc.array(fc.nat(20_000)), (trace, by, times) => {
        const axis = axisOf(trace, by, 0)
        const at = times.toSorted((x, y) => x - y).map((ns) => axis?.position(ns) ?? 0)
        expect(at).toEqual(at.toSorted((x, y) => x - y))
      })
    )
  })

  it("makes rounds of whatever length one unit wide", () => {
    fc.assert(
      fc.property(lengths, (some) => {
        const trace = rounds(some)
        const { position } = axisOf(trace, "round", 0)!
        for (let row = 0; row < trace.slices.length; row++)
          if (trace.slices.round[row]! > 0 && EVENT_KINDS[trace.slices.kind[row]!] === "verify")
            expect(position(trace.slices.end[row]!)).toBeCloseTo((trace.slices.round[row]! + 1) * ROUND, 3)
      })
    )
  })
})
