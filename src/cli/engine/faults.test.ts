/** What the twin says, and the machine does, when something goes wrong: the real engine with faults injected. */
import { join } from "node:path"
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import type { Faults } from "../../engine/physics.ts"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { TraceStore } from "../../trace/store.ts"
import { Follower, PARTS, type Part, type PartShift, slowed } from "../../twin/follow.ts"
import { retell } from "../../twin/retell.ts"
import { beyondTolerance, compareRuns } from "../../twin/twin.ts"
import { askLive, parseQuestion, type Question } from "../../twin/what-if.ts"
import { readScenario } from "../files.ts"
import { Progress } from "../progress.ts"
import { type MethodRun, runScenario } from "./run.ts"

const ROOT = join(import.meta.dirname, "..", "..", "..")

interface Watched {
  readonly run: MethodRun
  readonly follower: Follower
  readonly shifts: readonly PartShift[]
  readonly notes: readonly string[]
  /** Standing of the link in as each of its transfers was told. */
  readonly standings: readonly string[]
}

/** Tokens of a run, and of one in which enough is transferred to tell a slower link. */
const FEW = 24
const MANY = 48

/** Short rounds, so that few requests make many transfers. */
const short = (scenario: Scenario, output: number): Scenario => ({
  ...scenario,
  workload: {
    kind: "synthetic",
    context: "prefill",
    requests: 3,
    arrivals: { kind: "closed", concurrency: 3 },
    input: { kind: "uniform", min: 24, max: 40 },
    output: { kind: "fixed", tokens: output }
  },
  methods: scenario.methods.map((named): NamedMethod =>
    named.method.kind === "vericache"
      ? { ...named, method: { ...named.method, window: { kind: "fixed", tokens: 1 } } }
      : named
  )
})

const watched = async (
  scenario: Scenario,
  kind: "full-kv" | "vericache",
  faults: Faults = {}
): Promise<Watched> => {
  const shifts: PartShift[] = []
  const notes: string[] = []
  const standings: string[] = []
  let follower: Follower | undefined
  const { runs } = await Effect.runPromise(
    runScenario({
      scenario,
      methods: scenario.methods.filter(({ method }) => method.kind === kind),
      model: join(ROOT, "models", "vericache-1m"),
      adapter: "software",
      note: (text) => notes.push(text),
      progress: new Progress(process.stderr),
      faults,
      hearing: (named, fitted, trace) => {
        const own = new Follower(fitted, named.method, (shift) => shifts.push(shift))
        follower = own
        const heard = own.hearing(trace)
        return {
          ...heard,
          slice: (track, event, start, end, args) => {
            const id = heard.slice(track, event, start, end, args)
            if (event === "reload") standings.push(own.standing("host to device"))
            return id
          }
        }
      }
    })
  )
  return { run: runs[0]!, follower: follower!, shifts, notes, standings }
}

/** Whether every request's output begins as full KV's, as far as it goes. */
const beginsAs = (full: MethodRun, run: MethodRun): boolean =>
  [...run.outputs].every(
    ([id, tokens]) => tokens.join() === full.outputs.get(id)?.slice(0, tokens.length).join()
  )

const asked = (text: string): Question => {
  const read = parseQuestion(text)
  if ("problem" in read) throw new Error(read.problem)
  return read
}

describe("a twin beside an engine that things happen to", () => {
  let scenario: Scenario
  let long: Scenario
  let full: Watched
  beforeAll(async () => {
    const embedded = await Effect.runPromise(readScenario(join(ROOT, "scenarios", "twin", "embedded.yaml")))
    scenario = short(embedded, FEW)
    long = short(embedded, MANY)
    full = await watched(long, "full-kv")
  })

  it("sees a device lost, goes on on a new one, and holds nothing it knew for current", async () => {
    let lost = false
    const { run, notes, follower } = await watched(scenario, "vericache", {
      pass: (index) => {
        if (lost || index < 12) return undefined
        lost = true
        return "lose-device"
      }
    })
    expect(notes.join("")).toContain("VeriCache: the device was lost once")
    const { instants, tracks } = run.trace
    const told = Array.from(instants.kind.slice(0, instants.length)).filter(
      (kind, row) => EVENT_KINDS[kind] === "fault" && tracks[instants.track[row]!]!.kind === "scheduler"
    )
    expect(told.length).toBe(1)
    expect(beginsAs(full.run, run)).toBe(true)
    expect(run.metrics.requests.finished).toBe(3)
    // Fewer transfers came since than a level is taken from.
    expect(follower.standing("host to device")).toBe("unproven")
    // Who hears the recorded run told again hears of the loss as well.
    const later = new Follower(run.scenario, run.named.method, () => {})
    retell(run.trace, later.hearing(new TraceStore(run.trace.meta)))
    for (const part of PARTS) expect(later.standing(part)).toBe(follower.standing(part))
  })

  it("notices a link that slows to a tenth, answers nothing until its level is known, and keeps serving", async () => {
    let transfers = 0
    const { run, follower, standings } = await watched(long, "vericache", {
      slower: (_, kind) => (kind === "reload" && ++transfers > 36 ? 10 : 1)
    })
    expect(transfers).toBeGreaterThan(48)
    // Noticed within a dozen transfers, and from then on not called current before it is known anew.
    const alarm = standings.indexOf("stale", 36)
    expect(alarm).toBeGreaterThanOrEqual(36)
    expect(alarm).toBeLessThan(50)
    // On a busy machine it may have been stale before.
    if (standings[35] === "current")
      expect(standings.slice(alarm, alarm + 31).every((standing) => standing === "stale")).toBe(true)
    if (follower.standing("host to device") === "stale")
      expect(askLive(follower, "VeriCache", [asked("window=4")]).kind).toBe("stale")
    expect(beginsAs(full.run, run)).toBe(true)
  })

  it("serves fewer at a time where host memory is short, with the same output", async () => {
    const { hardware } = scenario
    // Room for the full KV of one request, and not of two: they have 48 to 64 tokens of 3 KiB.
    const bytes = 90 * 3072
    const { run } = await watched(
      { ...scenario, hardware: { ...hardware, host: { ...hardware.host, capacity: bytes } } },
      "vericache"
    )
    expect(run.metrics.requests.finished).toBe(3)
    expect(run.metrics.peak.batch).toBe(1)
    expect(beginsAs(full.run, run)).toBe(true)
  })

  it("follows a machine whose profile is wrong, and says by how much", async () => {
    const factors: Readonly<Record<Part, number>> = {
      passes: 1 / 20,
      "host to device": 1,
      "device to host": 1
    }
    const wrong = { ...scenario, hardware: slowed(scenario.hardware, factors) }
    const { follower, run } = await watched(wrong, "vericache")
    const { twins } = compareRuns([run])
    expect(beyondTolerance(wrong, twins[0]!).join("\n")).toContain("throughput is")
    expect(follower.factors.passes).toBeGreaterThan(4)
    const price = ({ hardware }: Scenario): number => hardware.stepOverhead
    expect(price(follower.live)).toBeGreaterThan(4 * price(wrong))
  })
})
