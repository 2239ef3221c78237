/**
 * The worked example of arXiv:2605.17613 in the setting its figures assume: ten requests in step, nothing but HBM, link and a
 * pass of about 40 ms, HBM for one full KV beside the compressed ones (staggered) or for all ten (lock-step).
 */
import { describe, expect, it } from "vitest"
import type { Scenario } from "../../scenario/resolved.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import type { TraceStore } from "../../trace/store.ts"
import { methodOf, ran, scenarioAt } from "./runs.fixture.ts"

const GB = 1e9
const published = scenarioAt("paper/worked-example")
const ideal = { memory: 1, compute: 1, overhead: 0 }

const ideally = (pages: number, capacity: number): Scenario => ({
  ...published,
  hardware: {
    ...published.hardware,
    hbm: { ...published.hardware.hbm, capacity },
    link: { ...published.hardware.link, latency: 0 },
    efficiency: {
      matmul: ideal,
      "attention-decode": ideal,
      "attention-prefill": ideal,
      elementwise: ideal,
      "lm-head": ideal
    },
    // HBM alone takes 33 ms a pass; the example says about 40.
    stepOverhead: 8e-3,
    stepOverheadPerRequest: 0
  },
  engine: { ...published.engine, numGpuBlocks: pages, reservedBytes: 0 },
  workload: {
    ...published.workload,
    kind: "synthetic",
    requests: 10,
    // 24,280 to 24,580 tokens of 160 KiB: 4.0 GB.
    input: { kind: "fixed", tokens: 24_280 },
    output: { kind: "fixed", tokens: 300 },
    arrivals: { kind: "closed", concurrency: 10 }
  }
})

/** Start and end, ms, of the slices of a kind on tracks of links (`reload`) or of GPUs (`verify`). */
const slices = (
  trace: TraceStore,
  kind: "reload" | "verify",
  track: "link-h2d" | "gpu"
): readonly (readonly [number, number])[] =>
  Array.from({ length: trace.slices.length }, (_, i) => i)
    .filter(
      (i) =>
        EVENT_KINDS[trace.slices.kind[i]!] === kind && trace.tracks[trace.slices.track[i]!]!.kind === track
    )
    .map((i) => [trace.slices.start[i]! / 1e6, trace.slices.end[i]! / 1e6] as const)
    .toSorted((a, b) => a[0] - b[0])

describe("the worked example as it is told", () => {
  // Ten compressed KVs with their 300 new tokens, and one full KV: 14.4 GB in pages of 16 tokens.
  const staggered = ran(ideally(5530, 96 * GB), methodOf(published, "staggered"))
  const lockStep = ran(ideally(20_000, 120 * GB), methodOf(published, "lock-step"))
  // From the second round on, when the length of a pass is known, and while all ten are there.
  const verifies = slices(staggered.trace, "verify", "gpu").slice(11, 40)
  const reloads = slices(staggered.trace, "reload", "link-h2d").slice(0, 40)
  const iteration =
    (staggered.metrics.duration * 1e3 * staggered.metrics.utilisation.gpu) /
    staggered.metrics.events.iterations

  it("reloads 4 GB in 80 ms, which is S_r = 2 iterations of 40 ms", () => {
    for (const [start, end] of reloads) expect(Math.abs(end - start - 80)).toBeLessThan(0.01 * 80)
    expect(Math.abs(iteration - 40)).toBeLessThan(0.05 * 40)
    expect(Math.ceil(80 / iteration)).toBe(2)
  })

  // 31 iterations a round for ten requests: now and then there are four.
  it("verifies one request every three iterations", () => {
    const gaps = verifies.slice(1).map(([start], i) => Math.round((start - verifies[i]![0]) / iteration))
    const threes = gaps.filter((gap) => gap === 3).length
    expect(threes / gaps.length).toBeGreaterThan(0.85)
  })

  it("holds M + B·KV_comp + 1·KV in HBM at its peak", () => {
    const peak = staggered.metrics.peak.hbmBytes
    expect(Math.abs(peak / ((48 + 10 * 1.02 + 4) * GB) - 1)).toBeLessThan(0.01)
  })

  it("holds the link for 800 ms in lock-step, ten reloads on end, and for one at a time when staggered", () => {
    const longest = (moves: readonly (readonly [number, number])[]): number => {
      let [begin, last, most] = [0, -1, 0]
      for (const [start, end] of moves) {
        if (start - last > 0.01) begin = start
        last = end
        most = Math.max(most, end - begin)
      }
      return most
    }
    expect(Math.abs(longest(slices(lockStep.trace, "reload", "link-h2d")) / 800 - 1)).toBeLessThan(0.01)
    expect(Math.abs(longest(reloads) / 80 - 1)).toBeLessThan(0.01)
  })
})
