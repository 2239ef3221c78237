/** `--fail-on`, as the commands that have it take it. */
import { Effect } from "effect"
import { Flag } from "effect/cli"
import { isBeyond, parseThreshold, type Threshold } from "../planning/compare/threshold.ts"
import type { Table } from "../planning/files/table.ts"
import { Usage } from "./exit.ts"
import { figureText } from "./output/figure.ts"
import type { Report } from "./output/report.ts"

export const failOnFlag = (example: string) =>
  Flag.String("fail-on").pipe(
    Flag.withDescription(`End with exit code 3 if this holds: '${example}'; may be given again`),
    Flag.atLeast(0)
  )

/** All conditions, or everything that is wrong with them. `changes`: whether there is a change to ask about. */
export const readThresholds = (
  texts: readonly string[],
  changes: boolean
): Effect.Effect<readonly Threshold[], Usage> => {
  const read = texts.map(parseThreshold)
  const problems = read.flatMap((one) =>
    "problem" in one
      ? [one.problem]
      : one.isChange && !changes
        ? [`${one.text}: a percentage is a change, and there is nothing to compare with here`]
        : []
  )
  return problems.length > 0
    ? Effect.fail(new Usage({ problem: problems.map((one) => `--fail-on ${one}`).join("\n") }))
    : Effect.succeed(read.filter((one): one is Threshold => !("problem" in one)))
}

/** What holds of them, for every method that ran. */
export const beyond = (thresholds: readonly Threshold[], { results }: Report): readonly string[] =>
  thresholds.flatMap((threshold) =>
    results.flatMap(({ method, metrics }) => {
      if (metrics === undefined) return []
      const value = threshold.figure.of(metrics)
      return isBeyond(threshold, value)
        ? [`fail-on ${threshold.text}: ${method.name}, ${figureText(threshold.figure.name, value)}`]
        : []
    })
  )

/** What holds of them over the points of a sweep: how many meet each, and the first of these. */
export const rowsBeyond = (thresholds: readonly Threshold[], { columns, rows }: Table): readonly string[] => {
  const place = (name: string): number => columns.findIndex((column) => column.name === name)
  const at = thresholds.map(({ figure }) => place(figure.name))
  const points: string[][] = thresholds.map(() => [])
  for (const row of rows)
    for (const [i, threshold] of thresholds.entries()) {
      const value = row[at[i]!]
      if (typeof value === "number" && isBeyond(threshold, value))
        points[i]!.push(
          `point ${String(row[place("point")])}, ${String(row[place("method")])}: ${figureText(threshold.figure.name, value)}`
        )
    }
  return thresholds.flatMap(({ text }, i) =>
    points[i]!.length === 0
      ? []
      : [`fail-on ${text}: ${points[i]!.length} points, the first of them ${points[i]![0]}`]
  )
}
