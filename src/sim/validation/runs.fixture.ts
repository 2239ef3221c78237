/** Runs of the repository's scenarios, for the tests that hold the simulator against published numbers. */
import { Exit } from "effect"
import type { Method, NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { TraceStore } from "../../trace/store.ts"
import { readCatalog, readScenario } from "../scenarios.fixture.ts"
import { type Simulation, simulate } from "../simulate.ts"

const catalog = readCatalog()

/** @param path relative to the scenarios folder, without the ending */
export const scenarioAt = (path: string): Scenario => readScenario(`${path}.yaml`, catalog)

export const methodOf = (scenario: Scenario, name: string): NamedMethod => {
  const named = scenario.methods.find((method) => method.name === name)
  if (named === undefined) throw new Error(`${scenario.name} has no method ${name}`)
  return named
}

/** The method with its window replaced by a fixed one, draft steps. */
export const withWindow = (named: NamedMethod, tokens: number): NamedMethod => {
  const method: Method = named.method
  if (method.kind !== "vericache") throw new Error(`${named.name} has no window`)
  return { ...named, method: { ...method, window: { kind: "fixed", tokens } } }
}

export const ran = (scenario: Scenario, named: NamedMethod): Simulation & { readonly trace: TraceStore } => {
  const trace = new TraceStore({
    name: named.name,
    scenario: scenario.name,
    method: named.name,
    seed: scenario.seed,
    clock: "virtual",
    basis: "modelled",
    clockOffset: 0
  })
  const exit = simulate(scenario, named, { recorder: trace })
  if (Exit.isFailure(exit)) throw new Error(`${scenario.name}, ${named.name} does not run`)
  return { ...exit.value, trace }
}

/** Output tokens per second of each of these methods over those of the first. */
export const gains = (path: string, ...names: readonly string[]): readonly number[] => {
  const scenario = scenarioAt(path)
  const rates = names.map(
    (name) => ran(scenario, methodOf(scenario, name)).metrics.throughput.tokensPerSecond
  )
  return rates.slice(1).map((rate) => rate / rates[0]!)
}

/** Mean time per output token of a method, seconds. */
export const meanTpot = (path: string, name: string): number => {
  const scenario = scenarioAt(path)
  return ran(scenario, methodOf(scenario, name)).metrics.tpot.mean
}
