/** The checks can fail: each is shown a run in which just its rule is broken. */
import { Exit } from "effect"
import { describe, expect, it } from "vitest"
import type { EventArgs, EventKind, TrackSpec } from "../trace/recorder.ts"
import { TraceStore } from "../trace/store.ts"
import { brokenInvariants } from "./invariants.ts"
import { readCatalog, readScenario, shortened } from "./scenarios.fixture.ts"
import { simulate, type Simulation } from "./simulate.ts"

const scenario = shortened(readScenario("llama-70b-2xh100-long-context.yaml", readCatalog()), 20)
const method = scenario.methods.find((one) => one.method.kind === "vericache")!
const META = {
  name: "",
  scenario: "",
  method: "",
  seed: 1,
  clock: "virtual",
  basis: "modelled",
  clockOffset: 0
} as const

/** A recorder that changes what it is told on the way. */
class Tampering extends TraceStore {
  readonly #change: (kind: EventKind, args: EventArgs) => EventArgs
  readonly #occupancy: number
  #hbm = -1
  constructor(change: (kind: EventKind, args: EventArgs) => EventArgs, occupancy: number) {
    super(META)
    this.#change = change
    this.#occupancy = occupancy
  }
  override track(spec: TrackSpec): number {
    const id = super.track(spec)
    if (spec.kind === "hbm-occupancy") this.#hbm = id
    return id
  }
  override slice(track: number, kind: EventKind, start: number, end: number, args: EventArgs = {}): number {
    return super.slice(track, kind, start, end, this.#change(kind, args))
  }
  override counter(track: number, at: number, value: number): void {
    super.counter(track, at, track === this.#hbm ? value * this.#occupancy : value)
  }
}

const run = (trace: TraceStore): Simulation => {
  const exit = simulate(scenario, method, { recorder: trace })
  if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
  return exit.value
}

const rules = (faults: readonly string[]): readonly string[] => [
  ...new Set(faults.map((fault) => fault.slice(0, 2)))
]

describe("the invariants", () => {
  const honest = new TraceStore(META)
  const simulation = run(honest)
  const { metrics } = simulation

  it("hold for an honest run", () => {
    expect(brokenInvariants(scenario, simulation, honest)).toEqual([])
  })

  it.each([
    ["I1", { requests: { ...metrics.requests, finished: metrics.requests.finished - 1 } }],
    ["I1", { requests: { ...metrics.requests, arrived: metrics.requests.arrived + 1, failed: 1 } }],
    ["I2", { rounds: { ...metrics.rounds, drafted: metrics.rounds.drafted + 1 } }],
    ["I2", { rounds: { ...metrics.rounds, committed: metrics.rounds.accepted - 1 } }],
    ["I3", { bytes: { ...metrics.bytes, reload: metrics.bytes.reload * 1.001 } }],
    ["I7", { limits: { ...metrics.limits, idle: metrics.limits.idle + 0.01 } }]
  ])("%s is broken by wrong metrics", (rule, wrong) => {
    expect(
      rules(brokenInvariants(scenario, { ...simulation, metrics: { ...metrics, ...wrong } }, honest))
    ).toContain(rule)
  })

  const untouched = (_kind: EventKind, args: EventArgs): EventArgs => args
  it.each([
    [
      "I4",
      (kind: EventKind, args: EventArgs): EventArgs =>
        kind === "reload" ? { ...args, bytes: (args.bytes ?? 0) * 2 } : args,
      1
    ],
    ["I5", untouched, 3],
    [
      "I7",
      (_kind: EventKind, { limitHbm = 0, limitCompute = 0, ...args }: EventArgs): EventArgs => ({
        ...args,
        limitHbm: limitCompute,
        limitCompute: limitHbm
      }),
      1
    ],
    [
      "I8",
      (kind: EventKind, args: EventArgs): EventArgs =>
        kind === "verify" ? { ...args, tokens: (args.accepted ?? 0) + 2 } : args,
      1
    ]
  ] as const)("%s is broken by a wrong trace", (rule, change, occupancy) => {
    const trace = new Tampering(change, occupancy)
    const tampered = run(trace)
    const broken = rules(brokenInvariants(scenario, tampered, trace))
    if (rule === "I8") expect(broken).toEqual(["I8"])
    else expect(broken).toContain(rule)
  })

  it("I6 is broken by two passes at once, and by a verify before its reload", () => {
    const trace = new TraceStore(META)
    const run6 = run(trace)
    const { slices } = trace
    const pass = Array.from({ length: slices.length }, (_, row) => row).find(
      (row) => trace.tracks[slices.track[row]!]!.kind === "gpu" && slices.end[row]! > slices.start[row]!
    )!
    const track = slices.track[pass]!
    trace.slice(track, "draft", slices.start[pass]!, slices.end[pass]!)
    expect(rules(brokenInvariants(scenario, run6, trace))).toEqual(["I6"])

    const late = new TraceStore(META)
    const runLate = run(late)
    const reloads = late.tracks.findIndex(({ kind }) => kind === "network")
    const reload = late.slice(reloads, "reload", 1e12, 2e12)
    const verify = late.slice(reloads, "verify", 0, 1)
    late.flow(reload, verify)
    expect(brokenInvariants(scenario, runLate, late).join()).toContain("before its reload")
  })
})
