/** A comparison as a report: what became of throughput, every figure, and what both sides rest on. */
import type { Comparison } from "../../planning/compare/compare.ts"
import type { ReportBlock, ReportDocument } from "../../planning/report/document.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { setting } from "../output/screen.ts"
import { inputsOf } from "./scenario.ts"

/** One side: a scenario that was simulated, or rows of a sweep that was. */
export interface Side {
  readonly file: string
  /** Of a scenario; rows do not have it. */
  readonly scenario?: Scenario
  readonly caveats: readonly string[]
}

/** A side in a line. */
export const sideWords = ({ file, caveats }: Side): string =>
  caveats.length === 0 ? file : `${file} (${caveats.join("; ")})`

const restsOn = (name: string, { file, scenario }: Side): readonly ReportBlock[] =>
  scenario === undefined
    ? [
        {
          kind: "text",
          text: `${name}, ${file}: rows of a sweep. They say of which, and the report of that sweep has its scenario.`
        }
      ]
    : [{ kind: "text", text: `${name}, ${file}:` }, ...inputsOf(scenario)]

/** `figures`: the table of what is shown; `verdict`: in words. */
export const comparisonDocument = (
  a: Side,
  b: Side,
  comparison: Comparison,
  verdict: string,
  figures: ReportBlock
): Omit<ReportDocument, "manifest"> => {
  const simulated = [a, b].flatMap(({ scenario }) => (scenario === undefined ? [] : [setting(scenario)]))
  return {
    title: `${b.file} against ${a.file}`,
    setting: simulated.length === 0 ? "Results of two sweeps." : [...new Set(simulated)].join(" Against: "),
    verdict,
    sections: [
      {
        heading: "B against A",
        blocks: [
          figures,
          {
            kind: "list",
            items: [
              `A: ${sideWords(a)}`,
              `B: ${sideWords(b)}`,
              `change: of B against A, mean of ${comparison.deltas[0]!.difference.count} runs paired by seed, ± 95 % confidence. All modelled.`,
              ...comparison.unpaired
            ]
          }
        ]
      },
      { heading: "What it rests on", blocks: [...restsOn("A", a), ...restsOn("B", b)] }
    ]
  }
}
