/** One scenario on both physics: what the engine was asked for, and what the simulator's runtime asks for when it hears the same. */
import { join } from "node:path"
import { Effect, Exit } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import type { Method, NamedMethod, Scenario, Workload } from "../../scenario/resolved.ts"
import { simulate } from "../../sim/simulate.ts"
import type { Faults } from "../../engine/physics.ts"
import { chromeTrace } from "../../trace/chrome.ts"
import { writeTrace } from "../../trace/jsonl.ts"
import { perfettoTrace } from "../../trace/perfetto.ts"
import { readChrome } from "../../trace/read-chrome.ts"
import { readPerfetto } from "../../trace/read-perfetto.ts"
import { readTrace } from "../../trace/read-trace.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { TraceStore } from "../../trace/store.ts"
import { together } from "../../trace/together.ts"
import { samePath } from "../../twin/decisions.ts"
import { replaying } from "../../twin/recorded.ts"
import { readScenario } from "../files.ts"
import { Progress } from "../progress.ts"
import { identicalTo, type MethodRun, runScenario } from "./run.ts"

const ROOT = join(import.meta.dirname, "..", "..", "..")

/** Few and short requests: the software adapter is slow. */
const small = (scenario: Scenario, requests: number, concurrency: number): Scenario => ({
  ...scenario,
  workload: {
    kind: "synthetic",
    context: "prefill",
    requests,
    arrivals: { kind: "closed", concurrency },
    input: { kind: "uniform", min: 24, max: 64 },
    output: { kind: "fixed", tokens: 12 }
  }
})

describe("one scenario on both physics", () => {
  let runs: readonly MethodRun[] = []
  let beside: readonly MethodRun[] = []
  let open: readonly MethodRun[] = []
  let faulty: readonly MethodRun[] = []
  const ran = async (
    scenario: Scenario,
    faults: Faults = {},
    numWarmups = 0
  ): Promise<readonly MethodRun[]> => {
    const run = await Effect.runPromise(
      runScenario({
        scenario,
        methods: scenario.methods,
        model: join(ROOT, "models", "vericache-1m"),
        adapter: "software",
        note: () => {},
        progress: new Progress(process.stderr),
        numWarmups,
        faults
      })
    )
    return run.runs
  }
  beforeAll(async () => {
    const scenario = await Effect.runPromise(readScenario(join(ROOT, "scenarios", "twin", "embedded.yaml")))
    const { methods } = await Effect.runPromise(
      readScenario(join(ROOT, "scenarios", "twin", "embedded-ngram.yaml"))
    )
    const both = { ...scenario, methods: [...methods.slice(1), ...scenario.methods] }
    runs = await ran(small(both, 3, 1), {}, 2)
    const vericache = scenario.methods.find(({ method }) => method.kind === "vericache")!
    const streamed = (name: string, method: Method, fields: object = {}): NamedMethod => ({
      name,
      method: { ...method, granularity: "streaming", ...fields } as Method
    })
    const { compressor } = vericache.method as Extract<Method, { kind: "vericache" }>
    const online = { compressor: { ...compressor, name: "verify-fed", mode: "online" } }
    const drafting = methods.find(
      ({ method }) => method.kind === "vericache" && method.drafter !== undefined
    )!
    const streaming = [
      streamed("streaming", vericache.method),
      streamed("streaming, compressed anew", vericache.method, online),
      streamed("streaming, n-gram", drafting.method)
    ]
    const offloaded: NamedMethod = { name: "offloaded", method: { kind: "offloaded" } }
    const several = small(scenario, 6, 3)
    beside = await ran({ ...several, methods: [...scenario.methods, offloaded, ...streaming] })
    const { workload } = small(scenario, 4, 0)
    const arrivals = { kind: "poisson", rate: 8 } as const
    open = await ran({ ...scenario, methods: [vericache], workload: { ...workload, arrivals } as Workload })
    let [transfers, lost] = [0, false]
    faulty = await ran(
      { ...several, methods: [vericache] },
      {
        transfer: () => (++transfers % 9 === 4 ? "corrupt" : undefined),
        pass: (index) => {
          if (lost || index < 12) return undefined
          lost = true
          return "lose-device"
        }
      }
    )
  })

  it("has the output of full KV wherever it is verified", () => {
    const [ngram, three, full, lossy, vericache] = runs
    expect(full!.outputs.size).toBe(3)
    for (const verified of [ngram, three, vericache]) expect(identicalTo(full, verified!)).toBe(true)
    expect(lossy!.metrics.outputTokens).toBe(36)
    for (const { metrics } of [ngram!, three!]) {
      expect(metrics.proposals.proposed).toBeGreaterThan(0)
      expect(metrics.proposals.agreed).toBeLessThanOrEqual(metrics.proposals.proposed)
    }
  })

  it("counts nothing of requests that were served before the clock started", () => {
    for (const { outputs, metrics, trace } of runs) {
      expect([outputs.size, metrics.outputTokens]).toEqual([3, 36])
      const { instants, slices } = trace
      const arrived = Array.from({ length: instants.length }, (_, row) => row).filter(
        (row) => EVENT_KINDS[instants.kind[row]!] === "arrive"
      )
      // Traces count requests from 1.
      expect(arrived.map((row) => instants.request[row])).toEqual([1, 2, 3])
      expect(Math.min(...slices.start.subarray(0, slices.length))).toBeGreaterThanOrEqual(0)
    }
  })

  it("streams reloads into verifies whatever drafts and compresses", () => {
    const streams = beside.filter(({ named }) => named.name.startsWith("streaming"))
    expect(streams).toHaveLength(3)
    for (const run of streams) {
      expect(run.metrics.bytes.stream).toBeGreaterThan(0)
      expect(identicalTo(beside[0], run)).toBe(true)
    }
  })

  it("takes the same transitions, reservations and commits, track by track", () => {
    for (const { named, scenario, trace } of [...runs, ...beside])
      expect([named.name, samePath(scenario, named, trace)]).toMatchObject([named.name, { same: true }])
  })

  it("does so for requests that come by the clock, and through failing transfers and a lost device", () => {
    for (const { named, scenario, trace } of [...open, ...faulty])
      expect(samePath(scenario, named, trace)).toMatchObject({ same: true })
    const { instants, slices, tracks } = faulty[0]!.trace
    const told = (rows: typeof instants | typeof slices, kind: "scheduler" | "link-h2d"): number =>
      Array.from({ length: rows.length }, (_, row) => row).filter(
        (row) => EVENT_KINDS[rows.kind[row]!] === "fault" && tracks[rows.track[row]!]!.kind === kind
      ).length
    expect(told(instants, "scheduler")).toBe(1)
    expect(told(slices, "link-h2d")).toBeGreaterThan(0)
    expect(identicalTo(beside[0], faulty[0]!)).toBe(true)
  })

  it("leaves a trace with its simulation's tracks, that opens beside it and in every form", () => {
    const { named, scenario, trace } = beside[2]!
    const simulated = new TraceStore({ ...trace.meta, clock: "virtual", basis: "modelled", clockOffset: 0 })
    simulate(scenario, named, { recorder: simulated })
    const tracksOf = ({ tracks }: TraceStore): readonly string[] =>
      tracks.flatMap(({ name, kind }) => (kind === "device-clock" ? [] : [`${kind} ${name}`])).toSorted()
    expect(tracksOf(trace)).toEqual(tracksOf(simulated))
    const opened = readTrace([...writeTrace(trace)].join(""))
    expect(opened.digest()).toBe(trace.digest())
    expect(opened.meta).toEqual(trace.meta)
    expect(opened.meta.clock === "wall" && opened.meta.clockOffset > 1e18).toBe(true)
    // What the timeline draws of two runs beside each other.
    const both = together(opened, simulated, 0)
    expect(both.slices.length).toBe(opened.slices.length + simulated.slices.length)
    expect(both.tracks.filter(({ kind, name }) => kind === "gpu" && name === "GPU").length).toBe(2)
    const chrome = readChrome("run.json", [...chromeTrace(trace)].join(""))
    const { found: perfetto } = readPerfetto(
      "run.pftrace",
      new Uint8Array(Buffer.concat([...perfettoTrace(trace)]))
    )
    for (const other of [chrome, perfetto!]) {
      if ("problem" in other) throw new Error(other.problem)
      expect(other.trace.slices.length).toBe(trace.slices.length)
      for (const { name } of trace.tracks.filter(({ kind }) => kind.startsWith("link")))
        expect(other.trace.tracks.map((track) => track.name).join("\n")).toContain(name)
    }
  })

  it("keeps in every round what was measured when the simulator says how long things take", () => {
    const { named, scenario, trace, metrics } = runs.at(-1)!
    const again = replaying(scenario, trace)
    const exit = simulate(
      again,
      again.methods.find(({ name }) => name === named.name)!
    )
    expect(Exit.isSuccess(exit) && exit.value.metrics.outputTokens).toBe(metrics.outputTokens)
    expect(Exit.isSuccess(exit) && exit.value.metrics.requests.finished).toBe(3)
  })
})
