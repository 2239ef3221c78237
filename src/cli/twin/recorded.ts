/** A run recorded in a file, as the comparison wants it. */
import { Effect } from "effect"
import { ScenarioInvalid } from "../../scenario/document.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { readTrace } from "../../trace/read-trace.ts"
import { TraceFormatError } from "../../trace/trace-line.ts"
import type { MeasuredRun } from "../../twin/twin.ts"
import { Usage } from "../exit.ts"

export const readRecorded = (
  file: string,
  text: string,
  scenario: Scenario
): Effect.Effect<MeasuredRun, ScenarioInvalid | Usage> =>
  Effect.suspend((): Effect.Effect<MeasuredRun, ScenarioInvalid | Usage> => {
    try {
      const trace = readTrace(text)
      const named = scenario.methods.find(({ name }) => name === trace.meta.method)
      if (named === undefined)
        return Effect.fail(
          new Usage({
            problem: `${file} ran "${trace.meta.method}", which is no method of ${scenario.name}: ${scenario.methods.map(({ name }) => name).join(", ")}`
          })
        )
      return Effect.succeed({ named, scenario, trace })
    } catch (error) {
      if (error instanceof TraceFormatError) {
        const { line, column, expected, found } = error
        const message = `expected ${expected}, found ${found}`
        return Effect.fail(new ScenarioInvalid({ faults: [{ file, line, column, field: "", message }] }))
      }
      throw error
    }
  })
