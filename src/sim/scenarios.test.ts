/** Every scenario of the repository, under every method, as it is and under faults: the invariants hold. */
import { Cause, Exit } from "effect"
import { describe, expect, it } from "vitest"
import type { NamedMethod, Scenario } from "../scenario/resolved.ts"
import { TraceStore } from "../trace/store.ts"
import { brokenInvariants } from "./invariants.ts"
import { readCatalog, readScenario, scenarioPaths, shortened } from "./scenarios.fixture.ts"
import { Infeasible } from "./setup.ts"
import { simulate } from "./simulate.ts"

const catalog = readCatalog()

const traceOf = (scenario: Scenario, method: NamedMethod): TraceStore =>
  new TraceStore({
    name: method.name,
    scenario: scenario.name,
    method: method.name,
    seed: scenario.seed,
    clock: "virtual",
    basis: "modelled",
    clockOffset: 0
  })

/** Simulates and checks; the trace's digest, or why the method does not fit. */
const checked = (scenario: Scenario, method: NamedMethod): string => {
  const trace = traceOf(scenario, method)
  const exit = simulate(scenario, method, { recorder: trace })
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause)
    if (error instanceof Infeasible) return error.message
    throw error
  }
  expect(brokenInvariants(scenario, exit.value, trace)).toEqual([])
  return trace.digest()
}

const FAULTS = { reloadFailure: 0.2, cancel: 0.2 }

describe.each(scenarioPaths())("%s", (path) => {
  const scenario = shortened(readScenario(path, catalog), 40)

  it.each(scenario.methods.map((method) => [method.name, method] as const))(
    "%s keeps the invariants",
    (_name, method) => {
      const digest = checked(scenario, method)
      expect(checked(scenario, method)).toBe(digest)
    }
  )

  it.each(scenario.methods.map((method) => [method.name, method] as const))(
    "%s keeps them under faults, impatience and pressure",
    (_name, method) => {
      const pressed: Scenario = {
        ...scenario,
        seed: scenario.seed + 1,
        faults: FAULTS,
        workload: { ...scenario.workload, timeout: 60 },
        engine: {
          ...scenario.engine,
          gpuMemoryUtilization: Math.max(0.5, scenario.engine.gpuMemoryUtilization - 0.03)
        },
        deployment: scenario.deployment
      }
      checked(pressed, method)
    }
  )
})
