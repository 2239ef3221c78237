/**
 * The serving methods beside each other under one memory budget, end to end: the scenario of scenarios/twin/one-budget.yaml at
 * several contexts and batches, each run for real on the adapter at hand.
 */
import { join } from "node:path"
import { Effect } from "effect"
import type { AdapterChoice } from "../src/cli/gpu.ts"
import { identicalTo, type MethodRun, runScenario } from "../src/cli/engine/run.ts"
import { readScenario } from "../src/cli/files.ts"
import { Progress } from "../src/cli/progress.ts"
import type { Scenario } from "../src/scenario/resolved.ts"
import { elsewhere } from "./cpu.ts"
import type { Section } from "./section.ts"

const SCENARIO = join(import.meta.dirname, "..", "scenarios", "twin", "one-budget.yaml")
const OUTPUT = 24
const PAGE = 16

/** Hears when the requests of a method begin and end. */
class Watch extends Progress {
  /** CPU seconds of the adapter's threads, method by method. */
  readonly cpu = new Map<string, number>()
  #method = ""
  #from = 0

  override begin(method: string, total: number): void {
    super.begin(method, total)
    this.#method = method
    this.#from = elsewhere()
  }

  override clear(): void {
    super.clear()
    this.cpu.set(this.#method, elsewhere() - this.#from)
  }
}

/** Prompts of one length, so many in flight, and how many of them full KV has memory for. */
interface Setting {
  readonly context: number
  readonly inFlight: number
  readonly fitting: number
}

const SETTINGS: readonly Setting[] = [
  { context: 128, inFlight: 4, fitting: 2 },
  { context: 384, inFlight: 4, fitting: 2 },
  { context: 384, inFlight: 6, fitting: 2 }
]

const under = (scenario: Scenario, { context, inFlight, fitting }: Setting): Scenario => ({
  ...scenario,
  engine: {
    ...scenario.engine,
    maxNumSeqs: inFlight,
    numGpuBlocks: fitting * Math.ceil((context + OUTPUT) / PAGE)
  },
  workload: {
    kind: "synthetic",
    context: "prefill",
    requests: inFlight,
    arrivals: { kind: "closed", concurrency: inFlight },
    input: { kind: "fixed", tokens: context },
    output: { kind: "fixed", tokens: OUTPUT }
  }
})

const rowOf = ({ context, inFlight, fitting }: Setting, run: MethodRun, full: MethodRun, { cpu }: Watch) => {
  const { metrics, named } = run
  const { bytes, throughput } = metrics
  const identical = identicalTo(full, run)
  return {
    context,
    inFlight,
    fitting,
    method: named.name,
    tokensPerSecond: throughput.tokensPerSecond,
    overFull: throughput.tokensPerSecond / full.metrics.throughput.tokensPerSecond,
    cpu: (1000 * cpu.get(named.name)!) / metrics.outputTokens,
    cpuOverFull:
      cpu.get(full.named.name)! / full.metrics.outputTokens / (cpu.get(named.name)! / metrics.outputTokens),
    batch: metrics.peak.batch,
    itl: 1000 * metrics.tpot.p50,
    ttft: metrics.ttft.p50,
    movedIn: (bytes.reload + bytes.fetch + bytes.stream) / 1e6,
    accepted: metrics.rounds.count === 0 ? undefined : metrics.rounds.meanAccepted,
    output: identical === undefined ? "is compared with" : identical ? "identical" : "other tokens"
  }
}

export const methods = (model: string, adapter: AdapterChoice) =>
  Effect.gen(function* () {
    const scenario = yield* readScenario(SCENARIO)
    const rows: ReturnType<typeof rowOf>[] = []
    let where = ""
    for (const setting of SETTINGS) {
      const watch = new Watch(process.stderr)
      const { card, promptSource, runs } = yield* runScenario({
        scenario: under(scenario, setting),
        methods: scenario.methods,
        model,
        adapter,
        note: () => {},
        progress: watch
      })
      where = `${card.name}${card.kind === "software" ? " (software adapter)" : ""}; prompts: ${promptSource}`
      rows.push(...runs.map((run) => rowOf(setting, run, runs[0]!, watch)))
    }
    return {
      name: "methods",
      title: `Ways to serve under one memory budget, ${OUTPUT} tokens each, on ${where}`,
      columns: [
        { key: "context", title: "context" },
        { key: "inFlight", title: "in flight" },
        { key: "fitting", title: "full KV fits" },
        { key: "method", title: "method" },
        { key: "tokensPerSecond", title: "tok/s", digits: 1 },
        { key: "overFull", title: "× full KV", digits: 2 },
        { key: "cpu", title: "CPU ms a token", digits: 0 },
        { key: "cpuOverFull", title: "× by CPU", digits: 2 },
        { key: "batch", title: "at once" },
        { key: "itl", title: "TPOT p50 ms", digits: 0 },
        { key: "ttft", title: "TTFT p50 s", digits: 1 },
        { key: "movedIn", title: "MB in", digits: 1 },
        { key: "accepted", title: "accepted", digits: 1 },
        { key: "output", title: "output" }
      ],
      rows,
      notes: [
        "everything measured in one run, methods one after the other; MB in: KV that really moved to the device",
        "CPU: of the adapter's threads, which on a software adapter is what the work costs, however busy the machine; × by CPU: tokens for it, over full KV's",
        "at once: requests in the batch at most; accepted: drafts a round in the mean"
      ]
    } satisfies Section
  })
