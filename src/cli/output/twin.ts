/** A twin's comparison as people and programs read it. */
import type { Scenario } from "../../scenario/resolved.ts"
import { type Follower, PARTS } from "../../twin/follow.ts"
import type { Answer, Answers } from "../../twin/what-if.ts"
import type { Contrast, Residual } from "../../twin/residuals.ts"
import type { Step, Twin } from "../../twin/twin.ts"
import { type Column, plainTable } from "./grid.ts"
import { seconds, significant } from "./number.ts"

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

const residualColumns: readonly Column<Residual>[] = [
  column("predicted ÷ measured", ({ what }) => what, true),
  column("of", ({ count }) => String(count)),
  column("median", ({ ratio }) => ratio.toFixed(3)),
  column("95 % of the median", ({ low, high }) => `${low.toFixed(3)} … ${high.toFixed(3)}`),
  column("error p50", ({ medianError }) => `${(100 * medianError).toFixed(1)} %`),
  column("p90", ({ p90Error }) => `${(100 * p90Error).toFixed(1)} %`)
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

export const renderTwin = (twin: Twin): string => {
  const error = twin.predicted.tokensPerSecond / twin.measured.tokensPerSecond - 1
  return [
    `${twin.named.name}: throughput predicted ${signed(error)}${cause(main(twin))}`,
    "",
    plainTable(contrastColumns, twin.contrasts),
    "",
    plainTable(residualColumns, twin.residuals),
    "",
    plainTable(stepColumns, twin.explained)
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

export const twinJson = (scenario: Scenario, twins: readonly Twin[]): Readonly<Record<string, unknown>> => ({
  scenario: scenario.name,
  hardware: scenario.hardware.name,
  adapter: scenario.hardware.adapter,
  tolerance: scenario.tolerance,
  methods: twins.map(({ named, contrasts, residuals, explained }) => ({
    name: named.name,
    contrasts,
    residuals,
    explained
  }))
})
