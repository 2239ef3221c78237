import { describe, expect, it } from "vitest"
import { roundsOf } from "../../trace/rounds.ts"
import { META } from "../../trace/trace.fixture.ts"
import { TraceStore } from "../../trace/store.ts"
import { cyclesOf, phasesOf, tokensOf } from "./cycles.ts"
import { shapesOf } from "./rounds-picture.ts"

/** Two rounds of request 0 and one of request 1, which has no reload. */
const rounds = (() => {
  const trace = new TraceStore(META)
  const link = trace.track({ name: "link", kind: "link-h2d" })
  const requests = [0, 1].map((id) => trace.track({ name: `request ${id}`, kind: "request" }))
  const round = (
    request: number,
    start: number,
    draft: number,
    reload: readonly [number, number] | undefined,
    end: number
  ) => {
    const track = requests[request]!
    const own = { request, round: 1 }
    const drafting = trace.slice(track, "draft", start, draft, { ...own, tokens: 4 })
    const verify = trace.slice(track, "verify", Math.max(draft, reload?.[1] ?? 0), end, {
      ...own,
      tokens: 3,
      accepted: 2
    })
    if (reload === undefined) return trace.flow(drafting, verify)
    const moved = trace.slice(link, "reload", ...reload, { request, bytes: 10 })
    trace.flow(drafting, moved)
    trace.flow(moved, verify)
  }
  round(0, 100, 200, [150, 230], 300)
  round(1, 250, 400, undefined, 450)
  round(0, 1000, 1200, [1050, 1100], 1250)
  return roundsOf(trace)
})()

describe("rounds over each other", () => {
  it("begin at 0, or are verified at one place, and nothing lies outside", () => {
    const start = cyclesOf(rounds, undefined, "start")
    expect([[...start.zero], start.lead, start.length]).toEqual([[100, 250, 1000], 0, 250])
    const verify = cyclesOf(rounds, undefined, "verify")
    expect([...rounds.verifyStart].map((at, i) => at - verify.zero[i]!)).toEqual([200, 200, 200])
    for (const cycles of [start, verify])
      for (const line of cycles.places.keys())
        for (const { from, to } of shapesOf(rounds, cycles, line)) {
          expect(from).toBeGreaterThanOrEqual(0)
          expect(to).toBeLessThanOrEqual(cycles.length)
        }
    expect(cyclesOf(rounds, 1, "start").places).toEqual([1])
  })

  it("show what of a reload the draft did not hide, and each token once", () => {
    const cycles = cyclesOf(rounds, undefined, "start")
    const parts = (line: number) =>
      Object.fromEntries(shapesOf(rounds, cycles, line).map(({ part, from, to }) => [part, to - from]))
    expect(parts(0)).toMatchObject({ draft: 100, reload: 50, "late reload": 30, wait: 30, verify: 70 })
    expect(parts(1)).not.toHaveProperty("reload")
    const { accepted, corrected, rejected } = parts(2) as Record<string, number>
    // 2 accepted, 1 corrected, 2 rejected.
    expect([accepted, corrected, rejected].map((ns) => ns! / 10)).toEqual([2, 1, 2])
  })

  it("come to the times of their parts", () => {
    const phases = new Map(phasesOf(rounds, [0, 1, 2]).map((phase) => [phase.name, phase]))
    expect(phases.get("draft")).toMatchObject({ count: 3, mean: 150, p50: 150 })
    expect(phases.get("reload")).toMatchObject({ count: 2, mean: 65 })
    expect(phases.get("reload after the draft")).toMatchObject({ mean: 15 })
    expect(tokensOf(rounds, [0, 1, 2])).toEqual({ drafted: 12, accepted: 6, brought: 9 })
  })
})
