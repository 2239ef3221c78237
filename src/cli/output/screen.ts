/** A report in the format asked for. */
import { createHash } from "node:crypto"
import { kvBytesPerToken, weightBytes } from "../../scenario/model-shape.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { fitting, type Format, markdownTable, plainTable, renderGrid } from "./grid.ts"
import { bytes, significant } from "./number.ts"
import {
  basisOf,
  caveatLines,
  softwareMark,
  judged,
  objectiveLines,
  provenance,
  type Report,
  reportColumns,
  subject,
  verdict
} from "./report.ts"

/** A stable name for a resolved scenario: equal scenarios, equal hash. */
export const scenarioHash = (scenario: Scenario): string =>
  createHash("sha256").update(JSON.stringify(scenario)).digest("hex").slice(0, 16)

/** What is simulated on what, in a line. */
export const setting = ({ model, hardware, engine, workload, seed }: Scenario): string => {
  const gpus = engine.tensorParallelSize * engine.dataParallelSize
  const load =
    workload.kind === "trace"
      ? `${workload.requests.length} recorded requests`
      : `${workload.requests.toLocaleString("en-US")} requests, ${workload.arrivals.kind === "closed" ? `${workload.arrivals.concurrency} in flight` : `${significant(workload.arrivals.rate)}/s`}`
  return `${model.name} (${bytes(weightBytes(model))}, ${bytes(kvBytesPerToken(model))} KV a token) on ${gpus} × ${hardware.name}${softwareMark(hardware)}; ${load}; seed ${seed}`
}

/** What the words in the table mean. */
export const LEGEND = [
  "limited by: what most of the time went to, and its share.",
  "output: identical = the tokens of full-KV decoding, by construction of the commit rule; LOSSY = other tokens, diverging by so many nats where that is known."
] as const

/** Long lines are broken at this width, or at the screen's. */
const LINE = 120

/** The report as text; `screen` is the width of the terminal, if it goes to one. */
export const renderReport = (format: Format, report: Report, screen?: number): string => {
  const { scenario, results } = report
  const columns = reportColumns(report)
  if (format === "json") return JSON.stringify(reportJson(report), undefined, 2)
  if (format === "csv" || format === "jsonl") return renderGrid(format, columns, results)
  const origins = provenance(report).map(({ what, basis, source }) => `  ${what}: ${basis}; ${source}`)
  const assumed = scenario.assumptions.map((text) => `  ${text}`)
  const objectives = objectiveLines(report).map((text) => `  ${text}`)
  const caveats = caveatLines(report).map((text) => `  ${text}`)
  const notes = [
    ...LEGEND,
    ...(objectives.length > 0 ? ["Objectives:", ...objectives] : []),
    ...(caveats.length > 0 ? ["Weaker evidence than the rest:", ...caveats] : []),
    report.measuredOn === undefined
      ? "All results are modelled. Inputs:"
      : `All results are measured on ${report.measuredOn}. What the scenario says besides:`,
    ...origins,
    ...(assumed.length > 0 ? ["Assumed by the scenario:", ...assumed] : []),
    `scenario ${scenarioHash(scenario)}`
  ]
  if (format === "md") {
    return [
      `# ${scenario.name}`,
      "",
      verdict(report),
      "",
      setting(scenario),
      "",
      markdownTable(columns, results),
      "",
      // Paragraphs and lists, each apart from what is above it.
      ...notes.flatMap((line, i) =>
        line.startsWith("  ")
          ? [...(notes[i - 1]?.startsWith("  ") === true ? [] : [""]), `- ${line.trim()}`]
          : [...(i > 0 ? [""] : []), line]
      )
    ].join("\n")
  }
  const line = Math.min(LINE, screen ?? LINE)
  return [
    scenario.name,
    ...wrap(setting(scenario), line),
    "",
    ...wrap(verdict(report), line),
    "",
    plainTable(screen === undefined ? columns : fitting(columns, results, screen), results),
    "",
    ...notes.flatMap((note) => {
      const indent = note.startsWith("  ") ? "  " : ""
      return wrap(note.trim(), line - 4).map((text, i) => `${indent}${i > 0 ? "  " : ""}${text}`)
    })
  ].join("\n")
}

/** Everything that came out, for programs. */
const reportJson = (report: Report): unknown => ({
  scenario: {
    name: report.scenario.name,
    hash: scenarioHash(report.scenario),
    seed: report.scenario.seed,
    baseline: report.scenario.baseline
  },
  basis: basisOf(report),
  hardware: report.scenario.hardware.name,
  ...(report.measuredOn === undefined ? {} : { measuredOn: report.measuredOn }),
  verdict: verdict(report),
  subject: subject(report)?.method.name,
  objectives: judged(report).map(({ method, objective, value, met }) => ({
    method,
    ...objective,
    value,
    met
  })),
  methods: report.results.map(({ method, metrics, infeasible, caveats }) => ({
    name: method.name,
    kind: method.method.kind,
    ...(caveats === undefined || caveats.length === 0 ? {} : { caveats }),
    ...(metrics === undefined
      ? {
          infeasible: {
            message: infeasible?.message,
            needed: infeasible?.needed,
            available: infeasible?.available
          }
        }
      : { metrics })
  })),
  inputs: provenance(report),
  assumptions: report.scenario.assumptions
})

/** Breaks text into lines of at most `columns` characters. */
export const wrap = (text: string, columns: number): readonly string[] =>
  text.split(/ (?!%)/).reduce<string[]>((lines, word) => {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > columns) return [...lines, word]
    return [...lines.slice(0, -1), `${last} ${word}`]
  }, [])
