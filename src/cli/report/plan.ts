/** The report of a plan, in the words and numbers of the screen. */
import type { MadePlan, Row } from "../../planning/plan/make-plan.ts"
import type { ReportBlock, ReportDocument } from "../../planning/report/document.ts"
import { barChart } from "../../planning/report/charts/bars.ts"
import { planeChart } from "../../planning/report/charts/plane.ts"
import { significant } from "../output/number.ts"
import {
  objectiveColumns,
  PLAN_LEGEND,
  planCaveats,
  planColumns,
  planWords,
  searchLine
} from "../output/plan.ts"
import { setting } from "../output/screen.ts"
import { inputsOf, tableOf } from "./scenario.ts"

const nameOf = ({ family, hardware }: Row): string => `${family} on ${hardware}`

const figures = ({ rows }: MadePlan): readonly ReportBlock[] => {
  const ran = rows.flatMap((row) => (row.metrics === undefined ? [] : [{ row, metrics: row.metrics }]))
  if (ran.length === 0) return []
  const points = (front: boolean) =>
    ran
      .filter(({ row }) => row.onFront === front)
      .map(({ row, metrics: { throughput } }) => ({
        x: throughput.perUser,
        y: throughput.perGpu,
        title: `${nameOf(row)}: ${significant(throughput.perUser)} tok/s a user, ${significant(throughput.perGpu)} a GPU`
      }))
  return [
    {
      kind: "figure",
      title: "Tokens per second of a GPU",
      caption: "One group at the most it takes within the objectives. Modelled.",
      svg: barChart(
        "Tokens per second of a GPU",
        ran.map(({ row, metrics }) => ({
          name: nameOf(row),
          value: metrics.throughput.perGpu,
          text: significant(metrics.throughput.perGpu),
          basis: "modelled"
        }))
      )
    },
    {
      kind: "figure",
      title: "Throughput of a GPU against speed for a user",
      caption: "Ringed: no other serves more a GPU and more a user. Modelled.",
      svg: planeChart(
        "Throughput of a GPU against speed for a user",
        [
          { name: "on the front", basis: "modelled", hue: 0, points: points(true) },
          { name: "others", basis: "modelled", hue: 1, points: points(false) }
        ],
        { title: "tok/s of a user", show: significant },
        { title: "tok/s of a GPU", show: significant },
        { front: points(true) }
      )
    }
  ]
}

/** @param text the plan file, kept letter by letter */
export const planDocument = (made: MadePlan, text: string): Omit<ReportDocument, "manifest"> => {
  const { plan, answer, rows } = made
  const { lines, why } = planWords(made)
  const scenario = answer?.option.candidate.scenario ?? plan.scenario
  return {
    title: plan.name,
    setting: setting(scenario),
    verdict: lines.join(" "),
    sections: [
      ...(answer === undefined
        ? []
        : [
            {
              heading: "Why",
              blocks: [
                { kind: "list", items: why },
                tableOf(
                  "Objectives of the whole deployment",
                  objectiveColumns,
                  answer.verification.objectives
                )
              ]
            } as const
          ]),
      {
        heading: "What there is to choose from",
        blocks: [
          tableOf("Best variant of each method on each kind of hardware", planColumns(made), rows),
          { kind: "list", items: [...PLAN_LEGEND, searchLine(made), ...planCaveats(made)] },
          ...figures(made)
        ]
      },
      {
        heading: "What it rests on",
        blocks: [
          ...inputsOf({
            ...scenario,
            methods: answer === undefined ? scenario.methods : [answer.option.candidate.method]
          }),
          { kind: "source", title: "The plan as it was given", language: "yaml", text }
        ]
      }
    ]
  }
}
