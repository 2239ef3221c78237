/** What a scenario file means: names looked up, defaults filled in, units gone, contradictions found. */
import type { ScenarioFile } from "./schema/scenario.ts"
import { closest } from "./closest.ts"
import { amount } from "./entries.ts"
import type { Fault } from "./fault.ts"
import { resolveDeployment, resolveEngine, resolveObjectives } from "./resolve/engine.ts"
import { resolveHardware, resolveModel } from "./resolve/inputs.ts"
import { resolveMethod, vllmDrafter } from "./resolve/methods.ts"
import { Resolution, type Source } from "./resolve/resolution.ts"
import { resolveWorkload } from "./resolve/workload.ts"
import type { Engine, Lengths, Model, NamedMethod, Scenario, Workload } from "./resolved.ts"

/** The scenario; undefined, with all faults, if the file does not make sense. */
export const resolve = (
  source: Source
): { readonly scenario: Scenario | undefined; readonly faults: readonly Fault[] } => {
  const to = new Resolution(source)
  const scenario = resolveScenario(to)
  return { scenario: to.faults.length > 0 ? undefined : scenario, faults: to.faults }
}

const resolveScenario = (to: Resolution): Scenario | undefined => {
  const { file } = to
  const model = resolveModel(to)
  const hardware = resolveHardware(to)
  const engine = resolveEngine(to)
  const workload = resolveWorkload(to)
  const methods = [
    ...(file.methods ?? []).map((method, i) =>
      method === undefined ? undefined : resolveMethod(to, method, ["methods", i], model?.name)
    ),
    ...vllmDrafter(to)
  ]
  const named = methods.filter((method) => method !== undefined)
  checkNames(to, named, named.length === methods.length && file.methods !== undefined)
  if (model !== undefined) checkParallelism(to, model, engine)
  if (model !== undefined && workload !== undefined) checkLengths(to, model, workload)
  if (file.name === undefined || model === undefined || hardware === undefined || workload === undefined)
    return undefined
  return {
    name: file.name,
    description: file.description ?? "",
    seed: file.seed ?? 1,
    model,
    hardware,
    engine,
    deployment: resolveDeployment(to),
    workload,
    methods: named,
    baseline: file.baseline ?? named[0]?.name ?? "",
    faults: { reloadFailure: file.faults?.reload_failure ?? 0, cancel: file.faults?.cancel ?? 0 },
    objectives: resolveObjectives(to),
    ...toleranceOf(file.tolerance),
    assumptions: file.assumptions ?? []
  }
}

const toleranceOf = (given: ScenarioFile["tolerance"]): Pick<Scenario, "tolerance"> => {
  if (given === undefined) return {}
  const { throughput, step_time_median: stepTimeMedian, step_time_p90: stepTimeP90 } = given
  return {
    tolerance: {
      ...(throughput === undefined ? {} : { throughput }),
      ...(stepTimeMedian === undefined ? {} : { stepTimeMedian }),
      ...(stepTimeP90 === undefined ? {} : { stepTimeP90 })
    }
  }
}

/** Results go by the methods' names. Where not all methods are known, one of the others may be the baseline. */
const checkNames = (to: Resolution, methods: readonly NamedMethod[], complete: boolean): void => {
  const names = methods.map(({ name }) => name)
  names.forEach((name, i) => {
    if (names.indexOf(name) < i)
      to.fault(["methods", i], `two methods are called ${name}`, "give one a name: of its own")
  })
  const { baseline } = to.file
  if (complete && baseline !== undefined && !names.includes(baseline))
    to.fault(["baseline"], `no method is called ${baseline}`, closest(baseline, names))
}

const longestOf = (lengths: Lengths): number => {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens
    case "empirical":
      return lengths.values.reduce((most, value) => Math.max(most, value), 0)
    default:
      return lengths.max
  }
}

const longestRequest = (workload: Workload): number =>
  workload.kind === "synthetic"
    ? longestOf(workload.input) + longestOf(workload.output)
    : workload.requests.reduce((most, { input, output }) => Math.max(most, input + output), 0)

/** Simulated time counts nanoseconds exactly up to 104 days; what arrives must be served within them too. Seconds. */
const LONGEST_SPAN = 60 * 86_400

/** Seconds over which requests arrive, on average. */
const spanOf = (workload: Workload): number => {
  if (workload.kind === "trace") return workload.requests.at(-1)?.arrival ?? 0
  return workload.arrivals.kind === "closed" ? 0 : workload.requests / workload.arrivals.rate
}

/** A group of GPUs shares heads evenly, those of the KV too: copies of KV are not modelled. */
const checkParallelism = (to: Resolution, model: Model, { tensorParallelSize }: Engine): void => {
  if (to.isMalformed("engine")) return
  const path = ["engine", "tensor_parallel_size"]
  for (const heads of new Set(model.layers.map(({ attention }) => attention.heads))) {
    if (heads % tensorParallelSize !== 0) {
      to.fault(path, `${heads} attention heads do not divide by ${tensorParallelSize}`)
      return
    }
  }
  for (const { attention } of model.layers) {
    if (attention.kind === "gqa" && attention.kvHeads % tensorParallelSize !== 0) {
      to.fault(path, `${attention.kvHeads} KV heads do not divide by ${tensorParallelSize}`)
      return
    }
  }
}

/** Requests against what the model and the engine can hold. Memory is the simulator's to judge. */
const checkLengths = (to: Resolution, model: Model, workload: Workload): void => {
  const section = workload.kind === "trace" ? "trace" : "input"
  const span = spanOf(workload)
  if (span > LONGEST_SPAN)
    to.fault(
      ["workload", workload.kind === "trace" ? "trace" : "arrivals"],
      `arrivals go on for ${Math.round(span / 86_400)} days; at most ${LONGEST_SPAN / 86_400} can be simulated`
    )
  const longest = longestRequest(workload)
  const limit = to.file.engine?.max_model_len
  const most = limit === undefined ? model.maxPositions : amount(limit, "tokens")
  if (most > model.maxPositions)
    to.fault(["engine", "max_model_len"], `is beyond ${model.name}'s ${model.maxPositions} positions`)
  else if (longest > most)
    to.fault(
      ["workload", section],
      `prompt and output of up to ${longest} tokens are beyond ${limit === undefined ? `${model.name}'s ${most} positions` : `engine.max_model_len ${most}`}`
    )
}
