import { describe, expect, it } from "vitest"
import type { TraceMeta } from "../../trace/store.ts"
import { aRound } from "../../trace/trace.fixture.ts"
import type { OpenTrace, TraceView } from "../shell/traces.ts"
import { beside, clockShift } from "./beside.ts"
import { timelineModel } from "./model.ts"

const run = (meta: Partial<TraceMeta>, names?: TraceView["names"]): OpenTrace => {
  const store = aRound()
  const { tracks, slices, instants, counters, flows, dropped } = store
  const trace = { meta: { ...store.meta, ...meta }, tracks, slices, instants, counters, flows, dropped }
  return { id: "", name: "", trace: names === undefined ? trace : { ...trace, names } }
}
const wall = (clockOffset: number): OpenTrace => run({ clock: "wall", basis: "measured", clockOffset })

describe("two runs beside each other", () => {
  it("have the same rows twice, each with its own basis", () => {
    const both = timelineModel(beside(run({}), wall(0)))
    const alone = timelineModel(aRound())
    const half = alone.rows.length
    expect(both.rows.map(({ basis }) => basis)).toEqual([
      ...Array.from({ length: half }, () => "modelled"),
      ...Array.from({ length: half }, () => "measured")
    ])
    expect(both.rows.map(({ label }) => label.replace(/^[AB] · /, ""))).toEqual(
      [...alone.rows, ...alone.rows].map(({ label }) => label)
    )
    expect(both.rows[half]!.label).toBe("B · replica 0")
  })

  it("stand as far apart as clocks of machines say, within an hour; a model's begins with the other", () => {
    expect(clockShift(wall(5e9).trace, wall(7e9).trace)).toBe(2e9)
    expect(clockShift(wall(7e9).trace, wall(5e9).trace)).toBe(-2e9)
    expect(clockShift(wall(0).trace, wall(1e15).trace)).toBe(0)
    expect(clockShift(run({}).trace, wall(5e9).trace)).toBe(0)
    expect(timelineModel(beside(wall(0), wall(1000))).run.to).toBe(timelineModel(aRound()).run.to + 1000)
  })

  it("keep the names another tool gave slices, and ours their kinds", () => {
    const count = aRound().slices.length
    const { names } = beside(run({}), run({}, { table: ["theirs"], index: new Uint32Array(count) }))
    const named = Array.from(names!.index, (index) => names!.table[index])
    expect(named).toEqual([
      ...Array.from({ length: count }, () => undefined),
      ...Array.from({ length: count }, () => "theirs")
    ])
  })
})
