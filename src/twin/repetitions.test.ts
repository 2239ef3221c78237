import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { shortened } from "../sim/scenarios.fixture.ts"
import { ran, scenarioAt } from "../sim/validation/runs.fixture.ts"
import { noiseFloor, pacedRatios, paceOf, typicalFloor, typicalRatios } from "./repetitions.ts"
import type { PricedPass } from "./residuals.ts"
import { compareRuns } from "./twin.ts"

const pass = (key: string, measured: number, predicted = 1): PricedPass => ({
  kind: "decode",
  key,
  predicted,
  measured
})

const demo = shortened(scenarioAt("llama-70b-2xh100-long-context"), 8)

describe("repetitions of a run", () => {
  it("predict each other without error where nothing is noisy, and by their noise where it is", () => {
    const { trace } = ran(demo, demo.methods[0]!)
    const quiet = [pass("a", 2), pass("b", 3)]
    const all = (passes: readonly (readonly PricedPass[])[]) =>
      noiseFloor(
        passes,
        passes.map(() => trace)
      ).find(({ what }) => what === "all passes")!
    expect(all([quiet, quiet, quiet])).toMatchObject({ count: 6, medianError: 0, p90Error: 0 })
    fc.assert(
      fc.property(fc.double({ min: 1.05, max: 3, noNaN: true }), (factor) => {
        const loud = quiet.map((one) => ({ ...one, measured: one.measured * factor }))
        // Either is off by what sets the other apart: too long against the quiet one, too short against the loud one.
        expect(all([quiet, loud]).p90Error).toBeGreaterThan(1 - 1 / factor - 1e-9)
        expect(all([quiet, loud]).p90Error).toBeLessThan(factor - 1 + 1e-9)
      })
    )
  })

  it("pair passes of the same work only, and say nothing of a single run", () => {
    const { trace } = ran(demo, demo.methods[0]!)
    const floor = noiseFloor([[pass("a", 2)], [pass("b", 9)]], [trace, trace])
    expect(floor.some(({ what }) => what === "all passes")).toBe(false)
    expect(noiseFloor([[pass("a", 2)]], [trace])).toEqual([])
  })

  it("are judged in their middle by what they computed, so that one slow moment counts for nothing", () => {
    const runs = [1, 1, 30, 1, 1].map((slow) => [pass("a", 2 * slow, 2), pass("b", 3 * slow, 2)])
    expect(typicalRatios(runs).map((ratio) => ratio.toFixed(3))).toEqual(["1.000", "0.667"])
    expect(typicalRatios([...runs, [pass("once", 1)]]).length).toBe(2)
    expect(typicalRatios(runs.slice(0, 1))).toEqual([])
    expect(typicalFloor(runs)).toEqual([1, 1])
    expect(typicalFloor(runs.slice(0, 3))).toEqual([])
  })

  it("lose what all methods have in common when a pass is held against the pace of the others", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 10, noNaN: true }), (slow) => {
        const others = [pass("a", 2 * slow, 2), pass("b", 3 * slow, 3)]
        const own = [pass("c", 5 * slow, 5)]
        expect(pacedRatios(own, [paceOf(others)!])[0]!.ratio).toBeCloseTo(1, 9)
      })
    )
    expect(pacedRatios([pass("a", 1)], [])).toEqual([])
  })
})

describe("a comparison of several methods and repetitions", () => {
  it("finds no error in a simulation of itself, and its floor is none", () => {
    const methods = demo.methods.filter(
      ({ method }) => method.kind === "full-kv" || method.kind === "vericache"
    )
    const runs = [1, 2].flatMap(() =>
      methods.map((named) => ({ named, scenario: demo, trace: ran(demo, named).trace }))
    )
    const { twins, unfit } = compareRuns(runs)
    expect(unfit).toEqual([])
    expect(twins.map(({ named }) => named.name)).toEqual(methods.map(({ name }) => name))
    for (const twin of twins) {
      expect(twin.repetitions.length).toBe(2)
      expect(twin.predicted.tokensPerSecond).toBeCloseTo(twin.measured.tokensPerSecond, 9)
      // Passes of the same work are not all alike: transfers beside them take some of their bandwidth.
      expect(twin.floor.every(({ medianError }) => medianError < 1e-3)).toBe(true)
      expect(twin.paced!.medianError).toBeLessThan(0.02)
    }
    const reloads = twins.at(-1)!.residuals.find(({ what }) => what === "transfers: reload")!
    expect(reloads.medianError).toBe(0)
  })

  it("is off by the factor a machine is slower than its profile, and paced it is not", () => {
    const slow = {
      ...demo,
      hardware: {
        ...demo.hardware,
        hbm: { ...demo.hardware.hbm, bandwidth: demo.hardware.hbm.bandwidth / 2 }
      }
    }
    const methods = demo.methods.filter(
      ({ method }) => method.kind === "full-kv" || method.kind === "lossy" || method.kind === "vericache"
    )
    const { twins } = compareRuns(
      methods.map((named) => ({ named, scenario: demo, trace: ran(slow, named).trace }))
    )
    for (const { residuals, paced } of twins) {
      const all = residuals.find(({ what }) => what === "all passes")!
      expect(all.medianError).toBeGreaterThan(0.3)
      expect(paced!.medianError).toBeLessThan(all.medianError / 2)
    }
  })
})
