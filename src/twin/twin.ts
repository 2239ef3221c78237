/** A measured run beside its prediction: what both come to, how far each part is off, and which assumption explains it. */
import { Exit } from "effect"
import type { Hardware, NamedMethod, Scenario } from "../scenario/resolved.ts"
import { simulate } from "../sim/simulate.ts"
import { TraceStore } from "../trace/store.ts"
import { type Outcome, outcomeOf } from "./outcome.ts"
import { replaying } from "./recorded.ts"
import { refit } from "./refit.ts"
import { type Contrast, contrasts, eventResiduals, passResiduals, type Residual } from "./residuals.ts"

/** A run on a machine. */
export interface MeasuredRun {
  readonly named: NamedMethod
  /** As the machine could run it. */
  readonly scenario: Scenario
  readonly trace: TraceStore
}

/** One assumption replaced by what was measured, those before it too. */
export interface Step {
  readonly assumption: string
  /** Tokens/s predicted with it. */
  readonly throughput: number
  /** Logarithm of predicted over measured throughput that it takes away; negative: it was hiding another's error. */
  readonly explains: number
}

export interface Twin {
  readonly named: NamedMethod
  readonly predicted: Outcome
  readonly measured: Outcome
  readonly contrasts: readonly Contrast[]
  readonly residuals: readonly Residual[]
  /** From the prediction to the measurement; what no assumption explains is last. */
  readonly explained: readonly Step[]
}

/** The trace of a method as it is simulated; undefined if it does not fit. */
const simulated = (scenario: Scenario, name: string, measured: TraceStore): TraceStore | undefined => {
  const named = scenario.methods.find((one) => one.name === name)
  if (named === undefined) return undefined
  const { passTimes: _host, ...meta } = measured.meta
  const trace = new TraceStore({ ...meta, clock: "virtual", basis: "modelled", clockOffset: 0 })
  return Exit.isSuccess(simulate(scenario, named, { recorder: trace })) ? trace : undefined
}

/** What was assumed, and the scenario without the assumption. */
const stepsOf = ({ named, scenario, trace }: MeasuredRun): readonly (readonly [string, Scenario])[] => {
  const replayed = replaying(scenario, trace)
  const fitted = refit([{ scenario, method: named.method, trace }], scenario.hardware)
  const rounds = named.method.kind === "vericache" || named.method.kind === "sparse"
  if (fitted === undefined) return rounds ? [["how many drafts a round keeps", replayed]] : []
  const on = (hardware: Hardware): Scenario => ({ ...replayed, hardware })
  return [
    ...(rounds ? ([["how many drafts a round keeps", replayed]] as const) : []),
    ["how long passes take", on({ ...fitted.hardware, link: scenario.hardware.link })],
    ["how long transfers take", on(fitted.hardware)]
  ]
}

/** Compares a run with what the simulator says of it; undefined if the simulator finds that it does not fit. */
export const compareRun = (run: MeasuredRun): Twin | undefined => {
  const { named, scenario, trace } = run
  const ours = simulated(scenario, named.name, trace)
  if (ours === undefined) return undefined
  const predicted = outcomeOf(ours)
  const measured = outcomeOf(trace)
  const real = measured.tokensPerSecond
  let before = predicted.tokensPerSecond
  const explained: Step[] = []
  for (const [assumption, without] of stepsOf(run)) {
    const again = simulated(without, named.name, trace)
    const throughput = again === undefined ? before : outcomeOf(again).tokensPerSecond
    explained.push({ assumption, throughput, explains: Math.log(before / throughput) })
    before = throughput
  }
  explained.push({ assumption: "none of these", throughput: real, explains: Math.log(before / real) })
  return {
    named,
    predicted,
    measured,
    contrasts: contrasts(predicted, measured),
    residuals: [...passResiduals(scenario, named.method, trace), ...eventResiduals(ours, trace)],
    explained
  }
}

/** What of a comparison is beyond the tolerance the scenario states, each as a sentence. */
export const beyondTolerance = ({ tolerance = {} }: Scenario, twin: Twin): readonly string[] => {
  const { named, predicted, measured, residuals } = twin
  const passes = residuals.find(({ what }) => what === "all passes")
  const throughput = Math.abs(predicted.tokensPerSecond / measured.tokensPerSecond - 1)
  const judged = [
    ["throughput", throughput, tolerance.throughput],
    ["median error of step time", passes?.medianError ?? 0, tolerance.stepTimeMedian],
    ["p90 error of step time", passes?.p90Error ?? 0, tolerance.stepTimeP90]
  ] as const
  return judged.flatMap(([what, error, most]) =>
    most === undefined || error <= most
      ? []
      : [
          `${named.name}: ${what} is ${(100 * error).toFixed(1)} % off; at most ${(100 * most).toFixed(1)} % is tolerated`
        ]
  )
}
