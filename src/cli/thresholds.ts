/** `--fail-on`, as the commands that have it take it. */
import { Effect } from "effect"
import { Flag } from "effect/cli"
import { isBeyond, parseThreshold, type Threshold } from "../planning/compare/threshold.ts"
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
