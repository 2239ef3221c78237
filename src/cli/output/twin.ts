/** A twin's comparison as people and programs read it. */
import type { Scenario } from "../../scenario/resolved.ts"
import { type Follower, PARTS } from "../../twin/follow.ts"
import type { Answer, Answers } from "../../twin/what-if.ts"
import type { Contrast, Residual } from "../../twin/residuals.ts"
import type { SamePath } from "../../twin/decisions.ts"
import {
  type Against,
  againstBaseline,
  type BestWindow,
  orderOf,
  ranking,
  type Windows,
  windowsOf
} from "../../twin/together.ts"
import type { Compared, Step, StepTime, Twin } from "../../twin/twin.ts"
import { type Column, plainTable } from "./grid.ts"
import { seconds, significant, times } from "./number.ts"

const signed = (share: number): string => `${share >= 0 ? "+" : "−"}${Math.abs(100 * share).toFixed(1)} %`

const amount = ({ unit }: Contrast, value: number): string =>
  unit === "seconds" ? seconds(value) : `${significant(value)}${unit === "tokens/s" ? " tok/s" : ""}`

const column = <Row>(title: string, text: (row: Row) => string, left = false): Column<Row> => ({
  title,
  key: title,
  text,
  value: text,
  left
})

const contrastColumns: readonly Column<Contrast>[] = [
  column("", ({ what }) => what, true),
  column("predicted", (row) => amount(row, row.predicted)),
  column("measured", (row) => amount(row, row.measured)),
  column("off", ({ predicted, measured }) => (measured > 0 ? signed(predicted / measured - 1) : "–"))
]

/** A residual beside what a repetition leaves when it is predicted by the others. */
interface WithFloor {
  readonly own: Residual
  readonly floor: Residual | undefined
}

const share = (error: number): string => `${(100 * error).toFixed(1)} %`

const residualColumns: readonly Column<WithFloor>[] = [
  column("predicted ÷ measured", ({ own }) => own.what, true),
  column("of", ({ own }) => String(own.count)),
  column("median", ({ own }) => own.ratio.toFixed(3)),
  column("95 % of the median", ({ own }) => `${own.low.toFixed(3)} … ${own.high.toFixed(3)}`),
  column("error p50", ({ own }) => share(own.medianError)),
  column("p90", ({ own }) => share(own.p90Error))
]

const floorColumns: readonly Column<WithFloor>[] = [
  ...residualColumns,
  column("by a repetition: p50", ({ floor }) => (floor === undefined ? "–" : share(floor.medianError))),
  column("p90", ({ floor }) => (floor === undefined ? "–" : share(floor.p90Error)))
]

const stepColumns: readonly Column<Step>[] = [
  column("error of throughput, explained by", ({ assumption }) => assumption, true),
  column("with it as measured", ({ throughput }) => `${significant(throughput)} tok/s`),
  column("takes away", ({ explains }) => signed(Math.expm1(explains)))
]

/** The assumption that takes most of the error away. */
const main = (twin: Twin): Step =>
  twin.explained.reduce((most, step) => (Math.abs(step.explains) > Math.abs(most.explains) ? step : most))

/** Below this an error is not worth a cause. */
const SLIGHT = 0.005

const cause = ({ assumption, explains }: Step): string => {
  if (Math.abs(explains) < SLIGHT) return ""
  return assumption === "none of these"
    ? "; no assumption explains most of it"
    : `; most of it comes from ${assumption}`
}

/** Throughput of each repetition, from the slowest to the fastest. */
const throughputs = ({ repetitions }: Twin): readonly number[] =>
  repetitions.map(({ tokensPerSecond }) => tokensPerSecond).toSorted((a, b) => a - b)

const repeated = (twin: Twin): readonly string[] => {
  const all = throughputs(twin)
  const [low, high] = [all[0]!, all.at(-1)!]
  return all.length === 1
    ? []
    : [
        `${all.length} repetitions: ${significant(low)} to ${significant(high)} tok/s (${signed(high / low - 1)}); compared with the one in the middle`
      ]
}

export const renderTwin = (twin: Twin): string => {
  const error = twin.predicted.tokensPerSecond / twin.measured.tokensPerSecond - 1
  const { paced, floor, residuals, typical } = twin
  const rows = [
    ...residuals,
    ...(typical === undefined ? [] : [typical]),
    ...(paced === undefined ? [] : [{ ...paced, what: "all passes, paced" }])
  ].map((own) => ({ own, floor: floor.find(({ what }) => what === own.what) }))
  return [
    `${twin.named.name}: throughput predicted ${signed(error)}${cause(main(twin))}`,
    ...repeated(twin),
    "",
    plainTable(contrastColumns, twin.contrasts),
    "",
    plainTable(floor.length === 0 ? residualColumns : floorColumns, rows),
    ...(paced === undefined
      ? []
      : ["paced: for a machine as fast as it was in the other methods' runs of the same repetition"]),
    "",
    plainTable(stepColumns, twin.explained)
  ].join("\n")
}

const againstColumns: readonly Column<Against>[] = [
  column("throughput over the baseline's", ({ name }) => name, true),
  column("predicted", ({ predicted }) => times(predicted)),
  column("measured, pair by pair", ({ measured, low, high }) =>
    low === high ? times(measured) : `${times(measured)} (${times(low)} … ${times(high)})`
  ),
  column("off", ({ predicted, measured }) => signed(predicted / measured - 1))
]

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** The order of the methods, predicted beside measured. */
const orderWords = (twins: readonly Twin[]): readonly string[] => {
  const [predicted, measured] = [ranking(twins, "predicted"), ranking(twins, "measured")]
  const same = predicted.join() === measured.join()
  const { asPredicted, otherwise, notTold } = orderOf(twins)
  const others = otherwise.map(({ faster, slower }) => `${faster} before ${slower}`).join("; ")
  const told = [
    `${asPredicted} as predicted`,
    ...(otherwise.length === 0 ? [] : [`${otherwise.length} the other way round (${others})`]),
    ...(notTold === 0 ? [] : [`${notTold} not told by the repetitions`])
  ]
  return [
    `fastest first, ${same ? "predicted and measured" : "predicted"}: ${predicted.join(", ")}`,
    ...(same ? [] : [`measured: ${measured.join(", ")}`]),
    `of ${counted((twins.length * (twins.length - 1)) / 2, "pair")} of methods ${told.join(", ")}`
  ]
}

const windowWords = (windows: Windows | undefined): readonly string[] => {
  if (windows === undefined) return []
  const { predicted, measured } = windows
  const best = ({ best: tokens, flat }: BestWindow): string =>
    `${tokens}${flat.length === 1 ? "" : `, as good: ${flat.filter((one) => one !== tokens).join(", ")}`}`
  const right = measured.flat.includes(predicted.best)
  return [
    `best window predicted: ${best(predicted)}; measured: ${best(measured)}; the predicted one is ${right ? "as good as the best" : "not as good"}`
  ]
}

const off = ({ count, medianError, p90Error }: Residual, what: string): string =>
  `half of ${count} ${what} within ${share(medianError)}, nine of ten within ${share(p90Error)}`

/** How far off step time is over all methods, as one sentence. */
const stepWords = (stepTime: StepTime | undefined): readonly string[] => {
  if (stepTime === undefined) return []
  const { every, typical, typicalFloor } = stepTime
  const floor =
    typicalFloor === undefined
      ? ""
      : `; half of the repetitions by the others: ${off(typicalFloor, "kinds of pass")}`
  return [
    `step time, all methods: ${off(every, "passes")}`,
    ...(typical === undefined
      ? []
      : [`in the middle of the repetitions: ${off(typical, "kinds of pass")}${floor}`])
  ]
}

/** What the methods' comparisons say together. */
export const renderTogether = (
  { twins, stepTime }: Pick<Compared, "twins" | "stepTime">,
  baseline: string
): string => {
  const against = againstBaseline(twins, baseline)
  return [
    ...(against.length === 0 ? [] : [plainTable(againstColumns, against), ""]),
    ...stepWords(stepTime),
    ...orderWords(twins),
    ...windowWords(windowsOf(twins))
  ].join("\n")
}

/** A run, and whether the simulator's runtime took its path. */
export interface Retraced {
  readonly name: string
  readonly path: SamePath
}

/** Whether the simulator's runtime, told what the machine's was told, decided the same in each run. */
export const renderPaths = (runs: readonly Retraced[]): string => {
  const same = runs.filter(({ path }) => path.same)
  const decisions = same.reduce((sum, { path }) => sum + (path.same ? path.decisions : 0), 0)
  return [
    `${same.length} of ${runs.length === 1 ? "1 run" : `${runs.length} runs`} replayed under the simulator's runtime: the same passes, transfers and decisions in the same order (${significant(decisions)})`,
    ...runs.flatMap(({ name, path }) =>
      path.same
        ? []
        : [
            `${name}: another path${path.at === undefined ? "" : ` at ${seconds(path.at * 1e-9)}`}: ${path.where}`
          ]
    )
  ].join("\n")
}

/** What a follower heard of a method's run, and what was asked of it. */
export interface Live {
  readonly name: string
  readonly follower: Follower
  readonly answers: Answers | undefined
}

const rate = (value: number | undefined): string =>
  value === undefined ? "does not fit" : `${significant(value)} tok/s`

const answerColumns: readonly Column<Answer>[] = [
  column("what if", ({ question }) => question.text, true),
  column("now", ({ now }) => rate(now)),
  column("with it", ({ changed, note }) =>
    changed === undefined && note !== undefined ? "–" : rate(changed)
  ),
  column("", ({ now, changed }) =>
    now === undefined || changed === undefined ? "" : signed(changed / now - 1)
  ),
  column("note", ({ note }) => note ?? "", true)
]

export const renderAnswers = (name: string, answers: Answers): string => {
  if (answers.kind === "stale")
    return `${name}: no prediction is current: ${answers.parts.join(" and ")} left the model and the new level is not known yet; ask again after more of the run`
  const unproven =
    answers.unproven.length === 0
      ? []
      : [`as in the profile, too little was seen of them: ${answers.unproven.join(", ")}`]
  return [
    `${name}, on the machine as it is now; modelled`,
    ...unproven,
    plainTable(answerColumns, answers.answers)
  ].join("\n")
}

export const liveJson = (live: readonly Live[]): Readonly<Record<string, unknown>> =>
  live.length === 0
    ? {}
    : {
        live: live.map(({ name, follower, answers }) => ({
          name,
          parts: PARTS.map((part) => ({
            part,
            standing: follower.standing(part),
            factor: follower.factors[part]
          })),
          what_if:
            answers?.kind === "answered"
              ? answers.answers.map(({ question, now, changed, note }) => ({
                  question: question.text,
                  tokens_per_s_now: now,
                  tokens_per_s_changed: changed,
                  note,
                  basis: "modelled"
                }))
              : undefined,
          stale: answers?.kind === "stale" ? answers.parts : undefined
        }))
      }

export const twinJson = (
  scenario: Scenario,
  { twins, stepTime }: Pick<Compared, "twins" | "stepTime">,
  paths: readonly Retraced[]
): Readonly<Record<string, unknown>> => ({
  scenario: scenario.name,
  hardware: scenario.hardware.name,
  adapter: scenario.hardware.adapter,
  tolerance: scenario.tolerance,
  against_baseline: againstBaseline(twins, scenario.baseline),
  ranking: { predicted: ranking(twins, "predicted"), measured: ranking(twins, "measured") },
  order: orderOf(twins),
  windows: windowsOf(twins),
  step_time: stepTime,
  replayed: paths.map(({ name, path }) => ({ name, ...path })),
  methods: twins.map((twin) => ({
    name: twin.named.name,
    tokens_per_s: { predicted: twin.predicted.tokensPerSecond, repetitions: throughputs(twin) },
    contrasts: twin.contrasts,
    residuals: twin.residuals,
    typical: twin.typical,
    paced: twin.paced,
    noise_floor: twin.floor,
    explained: twin.explained
  }))
})
