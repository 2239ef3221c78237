/** A figure at points of a sweep's scenario: simulated, or of the closed forms. */
import { Context, Effect, Layer, Result } from "effect"
import type { Catalog } from "../../scenario/catalog.ts"
import type { ReadFile } from "../../scenario/files.ts"
import { predict } from "../../sim/theory/predict.ts"
import { type Override, withOverrides } from "../override.ts"
import { type BaseScenario, evaluate, type PointRequest, PointRunner, readBase } from "../points.ts"
import type { Figure } from "./figure.ts"

/** Why there is no figure: it does not fit, or makes no sense. */
export interface NoFigure {
  readonly reason: string
}

export type FigureOutcome = number | NoFigure

export const isFigure = (outcome: FigureOutcome): outcome is number => typeof outcome === "number"

/** Asks for one figure of many points. */
export class Figures extends Context.Service<
  Figures,
  {
    /** In the order of the points. */
    readonly at: (
      base: BaseScenario,
      points: readonly PointRequest[]
    ) => Effect.Effect<readonly FigureOutcome[]>
  }
>()("vericache/planning/Figures") {
  /** Of simulations. */
  static readonly simulated = (figure: Figure): Layer.Layer<Figures, never, PointRunner> =>
    Layer.effect(
      Figures,
      Effect.map(PointRunner, (runner) =>
        Figures.of({
          at: (base, points) =>
            evaluate(base, points).pipe(
              // The base was read when the sweep was.
              Effect.orDie,
              Effect.provideService(PointRunner, runner),
              Effect.map((outcomes) =>
                outcomes.map((outcome) =>
                  outcome.kind === "simulated" ? figure.of(outcome.metrics) : { reason: outcome.reason }
                )
              )
            )
        })
      )
    )

  /** Tokens/s of all groups by the closed forms: no queue, no overhead, no seed. */
  static readonly theory = (read: ReadFile, catalog: Catalog): Layer.Layer<Figures> =>
    Layer.succeed(
      Figures,
      Figures.of({
        at: (base, points) =>
          Effect.sync(() => {
            const fields = Result.getOrThrow(readBase(base, read))
            return points.map(({ overrides, method }): FigureOutcome => {
              const changed = withOverrides(fields, overrides, read, catalog)
              if (Result.isFailure(changed))
                return { reason: changed.failure.faults[0]?.message ?? "invalid" }
              const scenario = changed.success
              const named =
                typeof method === "number"
                  ? scenario.methods[method]
                  : scenario.methods.find(({ name }) => name === method)
              if (named === undefined) return { reason: `no method ${method}` }
              const { throughput } = predict(scenario, named.method)
              return throughput > 0
                ? throughput * scenario.engine.dataParallelSize
                : { reason: "not one request fits" }
            })
          })
      })
    )
}

/** Points with every seed, and the mean over them; where one seed has no figure, there is none. */
export const meanAt = Effect.fnUntraced(function* (
  base: BaseScenario,
  points: readonly { readonly overrides: readonly Override[]; readonly method: number }[],
  seeds: readonly number[]
) {
  const figures = yield* Figures
  const outcomes = yield* figures.at(
    base,
    points.flatMap((point) => seeds.map((seed) => ({ ...point, seed })))
  )
  return points.map((_, i): FigureOutcome => {
    const own = outcomes.slice(i * seeds.length, (i + 1) * seeds.length)
    const values = own.filter(isFigure)
    return values.length < own.length
      ? own.find((one): one is NoFigure => !isFigure(one))!
      : values.reduce((sum, value) => sum + value, 0) / values.length
  })
})
