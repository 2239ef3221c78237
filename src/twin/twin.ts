/** Measured runs beside their prediction: what both come to, how far each part is off, how far it could be, and which assumption explains it. */
import { Exit } from "effect"
import type { Hardware, NamedMethod, Scenario } from "../scenario/resolved.ts"
import { simulate } from "../sim/simulate.ts"
import { TraceStore } from "../trace/store.ts"
import { type Outcome, outcomeOf } from "./outcome.ts"
import { replaying } from "./recorded.ts"
import { refit } from "./refit.ts"
import { noiseFloor, pacedRatios, paceOf, typicalFloor, typicalRatios } from "./repetitions.ts"
import {
  byKind,
  type Contrast,
  contrasts,
  eventResiduals,
  type PricedPass,
  pricedPasses,
  residual,
  type Residual
} from "./residuals.ts"

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
  /** Each repetition, and the one in the middle by throughput, that is compared. */
  readonly repetitions: readonly Outcome[]
  readonly measured: Outcome
  readonly contrasts: readonly Contrast[]
  readonly residuals: readonly Residual[]
  /** Passes at the pace the machine had in the other methods' runs of the same repetition; undefined with one method. */
  readonly paced: Residual | undefined
  /** Passes in the middle of the repetitions, by what they computed; undefined with one repetition. */
  readonly typical: Residual | undefined
  /** How well a repetition predicts another; empty with one repetition. */
  readonly floor: readonly Residual[]
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

/** Draws of acceptance that a prediction is the middle of: which prompts come is chance, and one draw of it no more than one run. */
const DRAWS = 9

/** The simulation in the middle of several by throughput, each with other draws of acceptance; the workload is the scenario's in all. */
const middleOf = (scenario: Scenario, name: string, measured: TraceStore): TraceStore | undefined => {
  const named = scenario.methods.find((one) => one.name === name)
  // A simulated run has the scenario's own draws.
  if (named === undefined || !drawsAcceptance(named) || measured.meta.basis === "modelled")
    return simulated(scenario, name, measured)
  const some = Array.from({ length: DRAWS }, (_, i) => {
    const trace = simulated({ ...scenario, acceptanceSeed: scenario.seed + i }, name, measured)
    return trace && { trace, rate: outcomeOf(trace).tokensPerSecond }
  }).filter((one) => one !== undefined)
  return some.toSorted((a, b) => a.rate - b.rate)[(some.length - 1) >> 1]?.trace
}

/** Whether how many drafts a round keeps is drawn: recorded lengths are what they are. */
const drawsAcceptance = ({ method }: NamedMethod): boolean =>
  (method.kind === "vericache" || method.kind === "sparse") &&
  method.compressor.acceptance.kind !== "recorded"

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

/** Run number i of every method is of repetition i. */
type Runs = readonly MeasuredRun[]

const TYPICAL = "passes in the middle of the repetitions"

/** One method's repetitions beside their prediction. `paces`: of each repetition, those of the other methods. */
const compare = (
  runs: Runs,
  passes: readonly (readonly PricedPass[])[],
  paces: readonly (readonly number[])[]
): Twin | undefined => {
  const outcomes = runs.map(({ trace }) => outcomeOf(trace))
  const order = [...outcomes.keys()].toSorted(
    (a, b) => outcomes[a]!.tokensPerSecond - outcomes[b]!.tokensPerSecond
  )
  const middle = order[(order.length - 1) >> 1]!
  const run = runs[middle]!
  const { named, scenario, trace } = run
  const ours = middleOf(scenario, named.name, trace)
  if (ours === undefined) return undefined
  const predicted = outcomeOf(ours)
  const measured = outcomes[middle]!
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
  const traces = runs.map((one) => one.trace)
  const ratios = passes.flat().map(({ kind, ...one }) => ({ kind, ratio: one.predicted / one.measured }))
  return {
    named,
    predicted,
    repetitions: outcomes,
    measured,
    contrasts: contrasts(predicted, measured),
    residuals: [...byKind(ratios), ...eventResiduals(ours, traces)],
    paced: byKind(passes.flatMap((own, i) => pacedRatios(own, paces[i] ?? [])))[0],
    typical: residual(TYPICAL, typicalRatios(passes)),
    floor: [
      ...noiseFloor(passes, traces),
      ...[residual(TYPICAL, typicalFloor(passes))].filter((one) => one !== undefined)
    ],
    explained
  }
}

/** Step time over all methods together, predicted over measured. */
export interface StepTime {
  /** Every pass of every run. */
  readonly every: Residual
  /** Passes in the middle of the repetitions, and how well half of the repetitions predicts the other half; undefined with too few. */
  readonly typical: Residual | undefined
  readonly typicalFloor: Residual | undefined
}

export interface Compared {
  readonly twins: readonly Twin[]
  /** Methods that ran and do not fit in the simulator. */
  readonly unfit: readonly string[]
  /** Undefined without passes that say what they computed. */
  readonly stepTime: StepTime | undefined
}

/** Compares runs with what the simulator says of them, method by method. */
export const compareRuns = (runs: Runs): Compared => {
  const names = [...new Set(runs.map(({ named }) => named.name))]
  const methods = names.map((name) => {
    const own = runs.filter(({ named }) => named.name === name)
    return { name, own, passes: own.map((run) => pricedPasses(run.scenario, run.named.method, run.trace)) }
  })
  const compared = methods.map(({ name, own, passes }) => {
    const paces = own.map((_, i) =>
      methods.flatMap((other) =>
        other.name === name || other.passes[i] === undefined ? [] : (paceOf(other.passes[i]) ?? [])
      )
    )
    return compare(own, passes, paces)
  })
  const passes = methods.map((method) => method.passes)
  const every = residual(
    "passes",
    passes.flat(2).map(({ predicted, measured }) => predicted / measured)
  )
  return {
    twins: compared.filter((twin) => twin !== undefined),
    unfit: names.filter((_, i) => compared[i] === undefined),
    stepTime: every && {
      every,
      typical: residual(TYPICAL, passes.flatMap(typicalRatios)),
      typicalFloor: residual(TYPICAL, passes.flatMap(typicalFloor))
    }
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
