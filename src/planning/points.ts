/**
 * Points: a base scenario with some fields replaced, one of its methods, a seed; and who simulates them. Whatever needs
 * many simulations (sweeps, searches, sensitivities) asks a `PointRunner`, which is one kernel here (`inProcess`) or as
 * many as there are cores (the command line's pool of workers). Outcomes depend on the point alone, never on the runner.
 */
import { Cause, Context, Effect, Exit, Layer, Result, Stream } from "effect"
import type { Catalog } from "../scenario/catalog.ts"
import type { ScenarioInvalid } from "../scenario/document.ts"
import type { Fault } from "../scenario/fault.ts"
import type { ReadFile } from "../scenario/files.ts"
import { readFields, type ScenarioFields } from "../scenario/load.ts"
import { requestCount, type NamedMethod, type Objective, type Scenario } from "../scenario/resolved.ts"
import { Infeasible } from "../sim/setup.ts"
import { simulate } from "../sim/simulate.ts"
import { predict, type Prediction } from "../sim/theory/predict.ts"
import type { RunMetrics } from "../trace/metrics.ts"
import { TraceStore } from "../trace/store.ts"
import { caveatsOf } from "./caveats.ts"
import { Missed, watchObjectives } from "./missed.ts"
import { judge, type JudgedObjective } from "./objectives.ts"
import { type Override, withOverrides } from "./override.ts"

/** The scenario that points change: a file, or a text that stands in for the file of that name. */
export interface BaseScenario {
  readonly file: string
  readonly text?: string
}

/** One simulation asked for. Plain data: it crosses to workers and back. */
export interface PointRequest {
  /** Fields of the base that are replaced; none: the base as it is. */
  readonly overrides: readonly Override[]
  /** Name of the method in the changed scenario, or its place from 0. */
  readonly method: string | number
  /** In place of the scenario's. */
  readonly seed?: number
}

/** What comes of a point besides its metrics. */
export interface PointOptions {
  /** Ask the closed forms of one group too; those of remote prefix caching are another matter and left out. */
  readonly theory?: boolean
  /** End the run as soon as an objective of the scenario is missed, whatever is still to come. */
  readonly untilMissed?: boolean
  /** Record the whole run and keep its fingerprint; takes about a third longer. */
  readonly digest?: boolean
}

export type PointOutcome =
  | {
      readonly kind: "simulated"
      /** Name of the method. */
      readonly method: string
      readonly metrics: RunMetrics
      /** What makes the figures weaker evidence than others, in words. */
      readonly caveats: readonly string[]
      /** Its output is that of decoding on full KV, by construction of the method. */
      readonly lossless: boolean
      /** The scenario's objectives (`goodput`), met or not. */
      readonly objectives: readonly JudgedObjective[]
      /** What the closed forms of arXiv:2605.17613 say of one group; if asked for. */
      readonly theory?: Prediction
      /** Digest of the trace (`TraceStore.digest`); if asked for. */
      readonly digest?: string
    }
  /** The model or a request does not fit; bytes. */
  | {
      readonly kind: "infeasible"
      readonly method: string
      readonly reason: string
      readonly needed: number
      readonly available: number
    }
  /** Ended before its end, if that was asked for: an objective was missed by then. */
  | {
      readonly kind: "missed"
      readonly method: string
      readonly objective: Objective
      readonly reason: string
    }
  /** The changed scenario contradicts itself or a schema; every fault, one after the other. */
  | { readonly kind: "invalid"; readonly reason: string }
  /** The simulation broke: a fault of vericache itself, or out of memory. */
  | { readonly kind: "failed"; readonly reason: string }

/** The outcome of the point at `index` of those asked for. */
export interface PointResult {
  readonly index: number
  readonly outcome: PointOutcome
}

/** Simulates points, several at once where it can. */
export class PointRunner extends Context.Service<
  PointRunner,
  {
    /** Results as they come, each point once, in any order; points are asked for as there is room for them. Fails, before the first, if the base cannot be read. */
    readonly run: (
      base: BaseScenario,
      points: Iterable<PointRequest>,
      options?: PointOptions
    ) => Stream.Stream<PointResult, ScenarioInvalid>
  }
>()("vericache/planning/PointRunner") {
  /** One after the other, on this thread. */
  static readonly inProcess = (read: ReadFile, catalog: Catalog): Layer.Layer<PointRunner> =>
    Layer.succeed(
      PointRunner,
      PointRunner.of({
        run: (base, points, options) =>
          Stream.unwrap(
            Effect.map(Effect.fromResult(readBase(base, read)), (fields) =>
              Stream.fromIterable(numbered(points)).pipe(
                Stream.mapEffect(([index, point]) =>
                  // Signals are looked at between points.
                  Effect.yieldNow.pipe(
                    Effect.map(() => ({
                      index,
                      outcome: evaluatePoint(fields, point, read, catalog, options)
                    }))
                  )
                )
              )
            )
          )
      })
    )
}

function* numbered<A>(all: Iterable<A>): Generator<readonly [index: number, one: A]> {
  let index = 0
  for (const one of all) yield [index++, one]
}

/** All outcomes, in the order of the points. */
export const evaluate = (
  base: BaseScenario,
  points: readonly PointRequest[],
  options?: PointOptions
): Effect.Effect<readonly PointOutcome[], ScenarioInvalid, PointRunner> =>
  Effect.gen(function* () {
    const runner = yield* PointRunner
    const results = yield* Stream.runCollect(runner.run(base, points, options))
    return results.toSorted((a, b) => a.index - b.index).map(({ outcome }) => outcome)
  })

/** The fields of a base scenario, with those of the files it extends. */
export const readBase = (
  { file, text }: BaseScenario,
  read: ReadFile
): Result.Result<ScenarioFields, ScenarioInvalid> =>
  readFields(
    file,
    text === undefined ? read : (path) => (path === file ? new TextEncoder().encode(text) : read(path))
  )

/** Resolves and simulates one point, here and now. */
export const evaluatePoint = (
  base: ScenarioFields,
  { overrides, method, seed }: PointRequest,
  read: ReadFile,
  catalog: Catalog,
  options: PointOptions = {}
): PointOutcome => {
  const changed = withOverrides(base, overrides, read, catalog)
  if (Result.isFailure(changed)) return { kind: "invalid", reason: inOneLine(changed.failure) }
  const scenario = seed === undefined ? changed.success : { ...changed.success, seed }
  const named =
    typeof method === "number"
      ? scenario.methods[method]
      : scenario.methods.find(({ name }) => name === method)
  if (named === undefined)
    return {
      kind: "invalid",
      reason: `no method ${method}; the scenario has ${scenario.methods.map(({ name }) => name).join(", ")}`
    }
  return simulatePoint(scenario, named, options)
}

/** Simulates one method of a resolved scenario, here and now. */
export const simulatePoint = (
  scenario: Scenario,
  named: NamedMethod,
  { theory = false, digest = false, untilMissed = false }: PointOptions = {}
): PointOutcome => {
  const recorder = digest
    ? new TraceStore(
        {
          name: named.name,
          scenario: scenario.name,
          method: named.name,
          seed: scenario.seed,
          clock: "virtual",
          basis: "modelled",
          clockOffset: 0
        },
        { limit: Number.POSITIVE_INFINITY }
      )
    : undefined
  const method = named.name
  const exit = Effect.runSyncExit(
    Effect.suspend(() =>
      simulate(scenario, named, {
        ...(recorder === undefined ? {} : { recorder }),
        ...(untilMissed ? { onLatency: watchObjectives(scenario.objectives, requestCount(scenario)) } : {})
      })
    )
  )
  if (Exit.isSuccess(exit))
    return {
      kind: "simulated",
      method,
      metrics: exit.value.metrics,
      caveats: caveatsOf(scenario.hardware, exit.value.extrapolated),
      lossless: named.method.kind !== "lossy",
      objectives: judge(scenario.objectives, exit.value.metrics),
      ...(theory && scenario.deployment.kind === "long-context"
        ? { theory: predict(scenario, named.method) }
        : {}),
      ...(recorder === undefined ? {} : { digest: recorder.digest() })
    }
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (error instanceof Infeasible)
    return {
      kind: "infeasible",
      method,
      reason: error.message,
      needed: error.needed,
      available: error.available
    }
  // The message alone: where it was thrown depends on how vericache is installed.
  const defect = Cause.squash(exit.cause)
  if (defect instanceof Missed)
    return { kind: "missed", method, objective: defect.objective, reason: defect.message }
  return { kind: "failed", reason: defect instanceof Error ? defect.message : String(defect) }
}

/** Every fault of a scenario, without its place in a file that the changed fields are not in. */
const inOneLine = ({ faults }: ScenarioInvalid): string =>
  faults
    .map(
      ({ field, message, suggestion }: Fault) =>
        `${field === "" ? "" : `${field}: `}${message}${suggestion === undefined ? "" : `; ${suggestion}`}`
    )
    .join(" | ")
