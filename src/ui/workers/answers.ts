/** Answers the page's questions with the code of the command line: the same loader, simulator and closed forms. */
import { Exit, Result } from "effect"
import { caveatsOf } from "../../planning/caveats.ts"
import type { ScenarioInvalid } from "../../scenario/document.ts"
import { readFields, type ScenarioFields } from "../../scenario/load.ts"
import { loadScenario } from "../../scenario/load.ts"
import type { NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { peaksOf } from "../../sim/peaks.ts"
import { Infeasible } from "../../sim/setup.ts"
import { prepare, type Simulation } from "../../sim/simulate.ts"
import { predict } from "../../sim/theory/predict.ts"
import { TraceStore } from "../../trace/store.ts"
import { candidatesFor } from "./advice.ts"
import { changedText } from "./changed-text.ts"
import { controlsOf } from "./controls.ts"
import { bundled, CATALOG, reading, SCENARIOS } from "./library.ts"

import type { MethodOutcome, Request, Response, ScenarioSource } from "./protocol.ts"

/** How a question is answered: piece by piece, giving way to the next message between pieces. */
export interface Asker {
  readonly tell: (response: Response, transfer?: readonly ArrayBuffer[]) => void
  /** Ends in a later macrotask. */
  readonly pause: () => Promise<void>
  readonly signal: AbortSignal
}

/** Kernel events between two looks at messages: some ten milliseconds of work, so that a slider does not wait for what it cancels. */
const SLICE = 200
/** Requests of the quick look that comes before a long run. */
const QUICK = 24

const WINDOWS = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96] as const
const LINKS = Array.from({ length: 24 }, (_, i) => 2 * 2 ** (i / 2.8) * 1e9)
const CONTEXTS = Array.from({ length: 28 }, (_, i) => Math.round(1024 * 2 ** (i / 4)))

interface Loaded {
  readonly text: string
  readonly scenario: Result.Result<Scenario, ScenarioInvalid>
}

/** The scenario as the page shows it. */
export const load = ({ file, text, changes }: ScenarioSource): Loaded => {
  const original = text ?? bundled(file) ?? ""
  const fields: Result.Result<ScenarioFields, ScenarioInvalid> = readFields(file, reading(file, original))
  const value = Result.isSuccess(fields) ? fields.success.value : {}
  const changed = changedText(original, changes, value as Readonly<Record<string, unknown>>)
  return { text: changed, scenario: loadScenario(file, reading(file, changed), CATALOG) }
}

const theoryOf = (scenario: Scenario, { method }: NamedMethod): number | undefined => {
  if (scenario.deployment.kind !== "long-context") return undefined
  const { throughput } = predict(scenario, method)
  return throughput > 0 ? throughput * scenario.engine.dataParallelSize : undefined
}

/** The best window by the closed forms, where they speak. */
const optimumOf = (
  scenario: Scenario,
  named: NamedMethod
): { readonly window: number; readonly theory: number } | undefined => {
  if (named.method.kind !== "vericache" || scenario.deployment.kind !== "long-context") return undefined
  const { window, throughput } = predict(scenario, { ...named.method, window: { kind: "optimal" } })
  return window === undefined || throughput === 0
    ? undefined
    : { window, theory: throughput * scenario.engine.dataParallelSize }
}

const requestsOf = ({ workload }: Scenario): number =>
  workload.kind === "trace" ? workload.requests.length : workload.requests

const simulated = async (
  scenario: Scenario,
  named: NamedMethod,
  { pause, signal }: Asker,
  recorder?: TraceStore
): Promise<MethodOutcome> => {
  const prepared = prepare(scenario, named, recorder === undefined ? {} : { recorder })
  if (prepared instanceof Infeasible) return { kind: "failed", reason: prepared.message }
  const exit: Exit.Exit<Simulation, unknown> = await prepared.time.simulateAsync(prepared.program, {
    events: SLICE,
    pause,
    signal
  })
  if (Exit.isSuccess(exit)) {
    const { metrics, extrapolated } = exit.value
    return {
      kind: "simulated",
      metrics,
      requests: requestsOf(scenario),
      theory: theoryOf(scenario, named),
      caveats: caveatsOf(scenario.hardware, extrapolated),
      extrapolated: extrapolated.length > 0
    }
  }
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  return { kind: "failed", reason: error instanceof Error ? error.message : "the simulation broke" }
}

/** Answers until done or aborted; the last response is `done`, or `problem` in place of everything. */
export const answer = async (request: Request, to: Asker): Promise<void> => {
  if (request.kind === "point") {
    // Loaded when it is needed: it is no part of a first page.
    const { pointScenario } = await import("./sweep-points.ts")
    const found = pointScenario(request)
    to.tell(found)
    if (found.kind !== "problem") to.tell({ kind: "done" })
    return
  }
  const { text, scenario: loaded } = load(request.source)
  if (request.kind === "check") {
    to.tell({ kind: "checked", faults: Result.isFailure(loaded) ? loaded.failure.faults : [] })
    to.tell({ kind: "done" })
    return
  }
  if (Result.isFailure(loaded)) {
    to.tell({ kind: "faults", faults: loaded.failure.faults, files: SCENARIOS, text })
    to.tell({ kind: "done" })
    return
  }
  const scenario = loaded.success
  if (request.kind === "simulate") await simulateAll(scenario, text, to)
  else {
    const named = scenario.methods[request.method]
    if (named === undefined) return to.tell({ kind: "problem", message: "The scenario has no such method." })
    if (request.kind === "windows") await windows(scenario, named, to)
    else if (request.kind === "breakEven") await breakEven(scenario, named, to)
    else if (request.kind === "advice") await advise(request.source, scenario, request.method, to)
    else await traced(scenario, named, to)
  }
  if (!to.signal.aborted) to.tell({ kind: "done" })
}

const simulateAll = async (scenario: Scenario, text: string, to: Asker): Promise<void> => {
  to.tell({
    kind: "scenario",
    summary: {
      name: scenario.name,
      description: "",
      baseline: scenario.baseline,
      requests: requestsOf(scenario),
      seed: scenario.seed,
      methods: scenario.methods.map(({ name, method }) => ({
        name,
        kind: method.kind,
        lossless: method.kind !== "lossy"
      })),
      controls: controlsOf(scenario),
      text,
      files: SCENARIOS
    }
  })
  const { workload } = scenario
  const runs =
    workload.kind === "synthetic" && workload.requests > QUICK
      ? [{ ...scenario, workload: { ...workload, requests: QUICK } }, scenario]
      : [scenario]
  for (const run of runs)
    for (const [index, named] of run.methods.entries()) {
      // The quick look is for the verdict: what is compared in it, and no more.
      if (run !== scenario && named.name !== scenario.baseline && named.method.kind !== "vericache") continue
      const outcome = await simulated(run, named, to)
      if (to.signal.aborted) return
      to.tell({ kind: "method", index, outcome })
      await to.pause()
    }
}

const windows = async (scenario: Scenario, named: NamedMethod, to: Asker): Promise<void> => {
  const { method } = named
  if (method.kind !== "vericache") return
  const optimum = optimumOf(scenario, named)
  if (optimum !== undefined) to.tell({ kind: "optimum", ...optimum })
  const tried = new Set([...WINDOWS, ...(optimum === undefined ? [] : [optimum.window])])
  for (const window of [...tried].toSorted((a, b) => a - b)) {
    const at = { ...named, method: { ...method, window: { kind: "fixed", tokens: window } as const } }
    const outcome = await simulated(scenario, at, to)
    if (to.signal.aborted) return
    to.tell({
      kind: "window",
      window,
      theory: theoryOf(scenario, at),
      simulated: outcome.kind === "simulated" ? outcome.metrics.throughput.tokensPerSecond : undefined
    })
    await to.pause()
  }
}

const breakEven = async (scenario: Scenario, named: NamedMethod, to: Asker): Promise<void> => {
  const { workload, hardware } = scenario
  const baseline = scenario.methods.find(({ method }) => method.kind === "full-kv")
  if (workload.kind !== "synthetic" || baseline === undefined || scenario.deployment.kind !== "long-context")
    return to.tell({
      kind: "problem",
      message: "Break-even needs full KV to compare with and a synthetic workload beside its store."
    })
  for (const [index, link] of LINKS.entries()) {
    const speedups = CONTEXTS.map((tokens) => {
      const cell: Scenario = {
        ...scenario,
        workload: { ...workload, input: { kind: "fixed", tokens } },
        hardware: { ...hardware, link: { ...hardware.link, hostToDevice: link, deviceToHost: link } }
      }
      const [full, ours] = [theoryOf(cell, baseline), theoryOf(cell, named)]
      return full === undefined || ours === undefined ? undefined : ours / full
    })
    if (to.signal.aborted) return
    to.tell({ kind: "row", index, link, links: LINKS, contexts: CONTEXTS, speedups })
    await to.pause()
  }
}

/** Simulates the scenario with each change that might help; what it makes no sense with is passed over. */
const advise = async (
  source: ScenarioSource,
  scenario: Scenario,
  place: number,
  to: Asker
): Promise<void> => {
  for (const { label, change } of candidatesFor(scenario, scenario.methods[place]!, place)) {
    const { scenario: loaded } = load({ ...source, changes: [...source.changes, change] })
    if (Result.isFailure(loaded)) continue
    const outcome = await simulated(loaded.success, loaded.success.methods[place]!, to)
    if (to.signal.aborted) return
    if (outcome.kind === "simulated")
      to.tell({ kind: "advice", label, change, throughput: outcome.metrics.throughput.tokensPerSecond })
    await to.pause()
  }
}

const traced = async (scenario: Scenario, named: NamedMethod, to: Asker): Promise<void> => {
  const store = new TraceStore(
    {
      name: `${scenario.name}: ${named.name}`,
      scenario: scenario.name,
      method: named.name,
      seed: scenario.seed,
      clock: "virtual",
      basis: "modelled",
      clockOffset: 0,
      peaks: peaksOf(scenario)
    },
    { limit: 2_000_000 }
  )
  const outcome = await simulated(scenario, named, to, store)
  if (to.signal.aborted) return
  if (outcome.kind === "failed") return to.tell({ kind: "problem", message: outcome.reason })
  const transfer: ArrayBuffer[] = []
  /** Copies cut to size, whose memory moves to the page. */
  const cut = <A extends object>(view: A): A =>
    Object.fromEntries(
      Object.entries(view).map(([name, column]: [string, unknown]) => {
        if (!ArrayBuffer.isView(column)) return [name, column]
        const copy = (column as Float64Array<ArrayBuffer>).slice()
        transfer.push(copy.buffer)
        return [name, copy]
      })
    ) as A
  const { meta, tracks, slices, instants, counters, flows, dropped } = store
  const trace = {
    meta,
    tracks: [...tracks],
    slices: cut(slices),
    instants: cut(instants),
    counters: cut(counters),
    flows: cut(flows),
    dropped
  }
  to.tell({ kind: "trace", name: meta.name, trace }, transfer)
}
