/** A plan as people and programs read it: the answer in words, what else there is to choose from, what all of it rests on. */
import type { Answer, MadePlan, Row } from "../../planning/plan/make-plan.ts"
import { costPerMegatoken, energyPerToken } from "../../planning/plan/spend.ts"
import { splitOf } from "../../planning/plan/split.ts"
import type { Interval } from "../../planning/analysis/student.ts"
import type { Objective, Origin } from "../../scenario/resolved.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import { type Column, fitting, markdownTable, plainTable } from "./grid.ts"
import { percent, significant } from "./number.ts"
import {
  bindWords,
  headline,
  impossibleLine,
  intervalWords,
  meanMetrics,
  objectiveWords,
  saturated,
  spendLines,
  splitLine,
  takenBy,
  variantWords,
  whyLines
} from "./plan-words.ts"
import { isLossless, mainLimit, provenance } from "./report.ts"
import { wrap } from "./screen.ts"

const LINE = 120

const cell =
  (show: (metrics: RunMetrics) => string) =>
  ({ metrics }: Row): string =>
    metrics === undefined ? "" : show(metrics)

export const planColumns = ({ plan, answer }: MadePlan): readonly Column<Row>[] => {
  const priceOf = ({ hardware }: Row): number | undefined => plan.prices?.perGpuHour.get(hardware)
  const gpus = ({ best }: Row): number | undefined =>
    best === undefined ? undefined : best.count * best.option.candidate.scenario.engine.tensorParallelSize
  const cost = (row: Row): number | undefined => {
    const price = priceOf(row)
    return price === undefined || row.metrics === undefined
      ? undefined
      : costPerMegatoken(price, row.metrics.gpus, row.metrics.throughput.tokensPerSecond)
  }
  return [
    {
      title: "",
      key: "chosen",
      left: true,
      text: (row) => (row === answer?.row ? "→" : ""),
      value: (row) => row === answer?.row
    },
    {
      title: "GPUs",
      key: "gpus",
      text: (row) =>
        gpus(row) === undefined
          ? row.skipped && plan.minimise === "gpus"
            ? `≥ ${Number.isFinite(row.atLeast) ? row.atLeast : "∞"}`
            : "–"
          : String(gpus(row)),
      value: gpus
    },
    {
      title: "hardware",
      key: "hardware",
      left: true,
      text: (row) => row.hardware,
      value: (row) => row.hardware
    },
    { title: "method", key: "method", left: true, text: (row) => row.family, value: (row) => row.family },
    {
      title: "best variant",
      key: "variant",
      left: true,
      text: ({ best }) => (best === undefined ? "" : variantWords(best.option)),
      value: ({ best }) => (best === undefined ? undefined : variantWords(best.option))
    },
    {
      title: "a group takes",
      key: "capacity_share",
      dispensable: 2,
      text: (row) => takenBy(plan.scenario, row),
      value: ({ best }) => best?.capacity
    },
    {
      title: "tok/s/GPU",
      key: "tokens_per_s_per_gpu",
      text: cell((m) => significant(m.throughput.perGpu)),
      value: ({ metrics }) => metrics?.throughput.perGpu
    },
    {
      title: "tok/s/user",
      key: "tokens_per_s_per_user",
      text: cell((m) => significant(m.throughput.perUser)),
      value: ({ metrics }) => metrics?.throughput.perUser
    },
    {
      title: "Pareto",
      key: "pareto",
      dispensable: 1,
      left: true,
      text: (row) => (row.onFront ? "front" : ""),
      value: (row) => row.onFront
    },
    ...(plan.prices === undefined
      ? []
      : [
          {
            title: `${plan.prices.currency}/Mtok`,
            key: "cost_per_mtok",
            text: (row: Row) => (cost(row) === undefined ? "" : significant(cost(row)!)),
            value: cost
          }
        ]),
    {
      title: "limited by",
      key: "limited_by",
      left: true,
      dispensable: 3,
      text: cell((m) => `${mainLimit(m)} ${percent(m.limits[mainLimit(m)])}`),
      value: ({ metrics }) => (metrics === undefined ? undefined : mainLimit(metrics))
    },
    {
      title: "more is stopped by",
      key: "binds",
      left: true,
      text: (row) => (row.skipped ? "not simulated" : bindWords(row.binds)),
      value: (row) => (row.skipped ? "not simulated" : bindWords(row.binds))
    },
    { title: "basis", key: "basis", text: () => "", value: () => "modelled", detail: true },
    {
      title: "caveats",
      key: "caveats",
      text: () => "",
      value: ({ caveats }) => (caveats.length === 0 ? undefined : caveats.join("; ")),
      detail: true
    }
  ]
}

/** What was looked at, and what left out by whom. */
export const searchLine = ({ counts }: MadePlan): string => {
  const { candidates, memory, objective, unpriced, same, split, search, far, simulations } = counts
  const parts = [
    [memory, "do not fit in memory"],
    [objective, "miss an objective by theory even with one request alone"],
    [unpriced, "have no price"],
    [same, "have a batch limit that is never reached"],
    [split, "have a split of GPU memory that theory puts below another"],
    [far, "are beyond twice the best by theory"],
    [search.theory, "cannot beat the best of their kind by theory"],
    [search.beaten, "were simulated once, where they would have beaten it, and did not"],
    [search.measured, "were measured"]
  ] as const
  return `Search: ${candidates} candidates; ${parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`)
    .join(", ")}; ${simulations} simulations.`
}

const inputsOf = ({ plan, answer }: MadePlan): readonly (Origin & { readonly what: string })[] => {
  const { scenario, method } = answer?.option.candidate ?? plan.candidates[0]!
  return provenance({ scenario: { ...scenario, methods: [method] }, results: [] })
}

interface ObjectiveRow {
  readonly objective: Objective
  readonly value: Interval
  readonly met: boolean
}

export const objectiveColumns: readonly Column<ObjectiveRow>[] = [
  {
    title: "objective",
    key: "objective",
    left: true,
    text: ({ objective }) => objectiveWords(objective),
    value: ({ objective }) => objectiveWords(objective)
  },
  {
    title: "reached, 95 % confidence",
    key: "value",
    text: ({ value }) => intervalWords(value),
    value: ({ value }) => value.mean
  },
  { title: "", key: "met", left: true, text: ({ met }) => (met ? "met" : "MISSED"), value: ({ met }) => met }
]

export const PLAN_LEGEND = [
  "a group takes: the most that one group serves within the objectives, found by bisection of simulations; ≥ where half as much again as is asked for was not too much. Pareto: no other row serves more a GPU and more a user.",
  "All results are modelled."
] as const

/** What makes figures of rows weaker evidence than others, and whose. */
export const planCaveats = ({ rows }: MadePlan): readonly string[] =>
  [
    ...Map.groupBy(
      rows.flatMap(({ hardware, family, caveats }) =>
        caveats.map((caveat) => ({ caveat, row: `${family} on ${hardware}` }))
      ),
      ({ caveat }) => caveat
    )
  ].map(([caveat, all]) => `${all.map(({ row }) => row).join(", ")}: ${caveat}`)

/** The answer, or why there is none; and what speaks for it. */
export const planWords = (
  made: MadePlan
): { readonly lines: readonly string[]; readonly why: readonly string[] } => {
  const { plan, answer, impossible } = made
  if (answer === undefined) return { lines: impossible.map((one) => impossibleLine(one, plan)), why: [] }
  return {
    lines: [headline(made, answer)],
    why: [...whyLines(made, answer), ...splitLine(answer), ...spendLines(made, answer)]
  }
}

export const renderPlan = (format: "table" | "md", made: MadePlan, screen?: number): string => {
  const { plan, answer, rows } = made
  const columns = planColumns(made)
  const table = format === "md" ? markdownTable : plainTable
  const shown = screen === undefined || format === "md" ? columns : fitting(columns, rows, screen)
  const { lines, why } = planWords(made)
  const inputs = inputsOf(made).map(({ what, basis, source }) => `  ${what}: ${basis}; ${source}`)
  const assumed = plan.scenario.assumptions.map((text) => `  ${text}`)
  const caveats = planCaveats(made)
  const notes = [
    ...PLAN_LEGEND,
    searchLine(made),
    ...(caveats.length > 0 ? ["Weaker evidence than the rest:", ...caveats.map((text) => `  ${text}`)] : []),
    "Inputs:",
    ...inputs,
    ...(assumed.length > 0 ? ["Assumed by the plan:", ...assumed] : [])
  ]
  const width = Math.min(LINE, screen ?? LINE)
  const paragraph = (text: string): readonly string[] => {
    if (format === "md")
      return [text.startsWith("  ") ? `- ${text.trim()}` : text, ...(text.startsWith("  ") ? [] : [""])]
    const indent = text.startsWith("  ") ? "  " : ""
    return wrap(text.trim(), width - 4).map((line, i) => `${indent}${i > 0 ? "  " : ""}${line}`)
  }
  return [
    format === "md" ? `# ${plan.name}` : plan.name,
    "",
    ...lines.flatMap(paragraph),
    "",
    ...why.flatMap((line) => paragraph(format === "md" ? `  ${line}` : line)),
    ...(why.length > 0 ? [""] : []),
    ...(answer === undefined ? [] : [table(objectiveColumns, answer.verification.objectives), ""]),
    table(shown, rows),
    "",
    ...notes.flatMap(paragraph)
  ].join("\n")
}

/** The plan for programs: base units, everything modelled. */
export const planJson = (made: MadePlan): unknown => {
  const { plan, answer, rows, counts, impossible } = made
  const columns = planColumns(made)
  return {
    plan: plan.name,
    basis: "modelled",
    minimise: plan.minimise,
    answer: answer === undefined ? undefined : answerJson(made, answer),
    impossible: impossible.map((one) => ({
      kind: one.kind,
      words: impossibleLine(one, plan),
      ...("objective" in one ? { ...one.objective, best: one.best } : {})
    })),
    rows: rows.map((row) => ({
      ...Object.fromEntries(columns.map(({ key, value }) => [key, value(row)])),
      at_least: Number.isFinite(row.atLeast) ? row.atLeast : undefined,
      simulated: !row.skipped
    })),
    search: counts,
    prices:
      plan.prices === undefined
        ? undefined
        : { ...plan.prices, perGpuHour: Object.fromEntries(plan.prices.perGpuHour) },
    inputs: inputsOf(made),
    assumptions: plan.scenario.assumptions
  }
}

const answerJson = (made: MadePlan, answer: Answer): unknown => {
  const { option, groups, gpus, verification } = answer
  const { scenario, method, family } = option.candidate
  const { hardware, engine } = scenario
  const rate = meanMetrics(verification.trials, (m) => m.throughput.tokensPerSecond)
  const price = made.plan.prices?.perGpuHour.get(hardware.name)
  return {
    words: headline(made, answer),
    why: whyLines(made, answer),
    gpus,
    groups,
    hardware: hardware.name,
    tensor_parallel_size: engine.tensorParallelSize,
    max_num_seqs: engine.maxNumSeqs,
    method: family,
    settings: method.method,
    split: splitOf(saturated(scenario), method.method),
    lossless: isLossless(method),
    tokens_per_s: rate,
    cost_per_hour: price === undefined ? undefined : price * gpus,
    cost_per_mtok: price === undefined ? undefined : costPerMegatoken(price, gpus, rate),
    energy_per_token_j: energyPerToken(hardware, gpus, rate),
    energy_basis: hardware.power === undefined ? undefined : "modelled",
    verified: verification.met,
    seeds: verification.seeds,
    requests: verification.requests,
    objectives: verification.objectives.map(({ objective, value, met }) => ({ ...objective, ...value, met }))
  }
}
