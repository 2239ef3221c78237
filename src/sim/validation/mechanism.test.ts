/** The simulator against figures whose parameters are all known (arXiv:2605.17613): measured on the simulated trace. */
import { describe, expect, it } from "vitest"
import { EVENT_KINDS, type EventKind } from "../../trace/recorder.ts"
import type { TraceStore } from "../../trace/store.ts"
import { predict } from "../theory/predict.ts"
import { meanTpot, methodOf, ran, scenarioAt, withWindow } from "./runs.fixture.ts"

/** Start and end of every slice of a kind, in order, ms. */
const slicesOf = ({ slices }: TraceStore, kind: EventKind): readonly (readonly [number, number])[] => {
  const index = EVENT_KINDS.indexOf(kind)
  return Array.from(slices.kind.subarray(0, slices.length), (each, row) => [each, row] as const)
    .filter(([each]) => each === index)
    .map(([, row]) => [slices.start[row]! / 1e6, slices.end[row]! / 1e6] as const)
    .toSorted(([a], [b]) => a - b)
}

/** The longest time reloads follow one another without a gap of a millisecond, ms. */
const longestHold = (trace: TraceStore): number => {
  let [from, to, longest] = [0, -Infinity, 0]
  for (const [start, end] of slicesOf(trace, "reload")) {
    if (start - to > 1) from = start
    to = end
    longest = Math.max(longest, to - from)
  }
  return longest
}

describe("decode roofline of Llama 3.1 8B at 3.35 TB/s", () => {
  it.each([
    ["5K", "paper/decode-roofline-5k", 5.0],
    ["500K", "paper/decode-roofline-500k", 24.3]
  ])("%s, within 1 %%", (_context, path, milliseconds) => {
    expect(Math.abs((meanTpot(path, "full-kv") * 1e3) / milliseconds - 1)).toBeLessThan(0.01)
  })
})

describe("worked example: ten requests of 4 GB, window 30", () => {
  const scenario = scenarioAt("paper/worked-example")
  const staggered = ran(scenario, methodOf(scenario, "staggered"))
  const lockStep = ran(scenario, methodOf(scenario, "lock-step"))

  it("reloads one full KV in 80 ms, under either schedule", () => {
    for (const { trace } of [staggered, lockStep])
      for (const [start, end] of slicesOf(trace, "reload")) expect(Math.abs(end - start - 80)).toBeLessThan(2)
  })

  it("verifies once every three iterations when staggered", () => {
    const { events, rounds } = staggered.metrics
    expect(events.iterations / rounds.count).toBeGreaterThan(2.7)
    expect(events.iterations / rounds.count).toBeLessThan(3.4)
  })

  it("covers a reload with two iterations, S_r = 2", () => {
    const { metrics } = staggered
    const iteration = (metrics.duration * 1e3 * metrics.utilisation.gpu) / metrics.events.iterations
    expect(Math.ceil(80 / iteration)).toBe(2)
  })

  it("holds the link for at most two reloads when staggered, for most of the batch's 800 ms in lock-step", () => {
    expect(longestHold(staggered.trace)).toBeLessThan(170)
    expect(longestHold(lockStep.trace)).toBeGreaterThan(600)
    expect(longestHold(lockStep.trace)).toBeLessThan(820)
  })

  it("keeps one full KV in HBM beside the compressed ones, and one that is coming in", () => {
    const GB = 1e9
    const { reservedBytes } = scenario.engine
    const peak = staggered.metrics.peak.hbmBytes - reservedBytes
    expect(peak).toBeGreaterThan((48 + 10 * 1 + 4) * GB)
    expect(peak).toBeLessThan((48 + 10 * 1 + 2 * 4 + 1) * GB)
    expect(lockStep.metrics.peak.hbmBytes - reservedBytes).toBeGreaterThan((48 + 10 * 4) * GB)
  })

  it("serves more when staggered", () => {
    expect(staggered.metrics.throughput.tokensPerSecond).toBeGreaterThan(
      1.2 * lockStep.metrics.throughput.tokensPerSecond
    )
  })
})

describe("Appendix B: no overheads, efficiency 1", () => {
  const scenario = scenarioAt("paper/appendix-b")
  const vericache = methodOf(scenario, "VeriCache")
  const fullKv = methodOf(scenario, "full-kv")

  it("holds as many requests with full KV as fit: five", () => {
    expect(ran(scenario, fullKv).metrics.peak.batch).toBe(5)
  })

  it("comes within 5 % of the closed form with full KV, never above it", () => {
    const ratio =
      ran(scenario, fullKv).metrics.throughput.tokensPerSecond / predict(scenario, fullKv.method).throughput
    expect(ratio).toBeGreaterThan(0.95)
    expect(ratio).toBeLessThanOrEqual(1.001)
  })

  it("holds more requests compressed than full, and no more than (6) allows", () => {
    const { batch } = ran(scenario, vericache).metrics.peak
    expect(batch).toBeGreaterThan(2 * 5)
    expect(batch).toBeLessThanOrEqual(predict(scenario, vericache.method).batch)
  })

  it.each([8, 24, 48])("accepts as many of %i drafts as independent agreement gives", (window) => {
    const link = { ...scenario.hardware.link, hostToDevice: 1e12, deviceToHost: 1e12 }
    const quick = { ...scenario, hardware: { ...scenario.hardware, link } }
    const { acceptedLengths, count } = ran(quick, withWindow(vericache, window)).metrics.rounds
    expect(count).toBeGreaterThan(200)
    // P(accepted ≥ k) = α^k for rounds that are not cut short; the first four positions hardly ever are.
    for (const k of [1, 2, 3, 4]) {
      const survived = acceptedLengths.slice(k).reduce((sum, rounds) => sum + rounds, 0) / count
      const error = Math.sqrt((0.977 ** k * (1 - 0.977 ** k)) / count)
      expect(Math.abs(survived - 0.977 ** k)).toBeLessThan(4 * error + 0.02)
    }
  })

  const cases = [16e9, 64e9, 256e9].flatMap((link) =>
    [8, 24, 48].flatMap((window) => [512, 2048].map((output) => [link / 1e9, window, output] as const))
  )
  it.each(cases)(
    "link %d GB/s, window %i, output %i: below the ideal, above 0.4 of it",
    (link, window, output) => {
      const { hardware, workload } = scenario
      if (workload.kind !== "synthetic") throw new Error("a synthetic workload")
      const rate = link * 1e9
      const varied = {
        ...scenario,
        hardware: { ...hardware, link: { ...hardware.link, hostToDevice: rate, deviceToHost: rate } },
        workload: { ...workload, requests: 64, output: { kind: "fixed", tokens: output } as const }
      }
      const fixed = withWindow(vericache, window)
      const served = ran(varied, fixed).metrics.throughput.tokensPerSecond
      const ideal = predict(varied, vericache.method).throughput
      expect(served).toBeLessThanOrEqual(1.02 * ideal)
      expect(served).toBeGreaterThan(0.4 * Math.min(ideal, predict(varied, fixed.method).throughput))
    }
  )
})
