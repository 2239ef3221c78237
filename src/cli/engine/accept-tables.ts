/** Acceptance as rows on stdout, and as the table that scenarios name. */
import type { Measured } from "../../engine/accept.ts"
import {
  acceptanceFigures,
  curveOf,
  type Interval,
  type PairedDifference,
  pairedDifference,
  type PositionFigure
} from "../../engine/acceptance-figures.ts"
import { yamlText } from "../../planning/yaml-text.ts"
import { type Column, type Format, objects, renderGrid } from "../output/grid.ts"

const number = <Row>(
  title: string,
  key: string,
  value: (row: Row) => number | undefined,
  text: (value: number) => string = String
): Column<Row> => {
  const shown = (row: Row): string => {
    const known = value(row)
    return known === undefined ? "" : text(known)
  }
  return { title, key, value, text: shown }
}

/** Only for programs. */
const detail = <Row>(key: string, value: (row: Row) => string | number | undefined): Column<Row> => ({
  title: key,
  key,
  value,
  text: (row) => String(value(row) ?? ""),
  detail: true
})

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

/** The cell a row is of. */
const cell = <Row extends Measured>(): readonly Column<Row>[] => [
  {
    title: "compressor",
    key: "compressor",
    value: (row) => row.compressor.name,
    text: (row) => row.compressor.name,
    left: true
  },
  {
    title: "keep",
    key: "keep",
    value: (row) => (row.compressor.takesKeep ? row.keep : undefined),
    text: (row) => (row.compressor.takesKeep ? String(row.keep) : "fixed")
  },
  number("window", "window", ({ window }) => window),
  number("context", "context_tokens", ({ context }) => context)
]

const rateOf = ({ meanLength, rounds, window }: Measured): number | undefined =>
  rounds === 0 ? undefined : meanLength / window

/** A bound of the acceptance rate, from that of the mean length: every round drafted the same number. */
const bound = ({ meanLengthInterval, window }: Measured, end: keyof Interval): number | undefined =>
  meanLengthInterval === undefined ? undefined : meanLengthInterval[end] / window

const range = (low: number | undefined, high: number | undefined): string =>
  low === undefined || high === undefined ? "" : `${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %`

export const CELLS: readonly Column<Measured>[] = [
  ...cell<Measured>(),
  number("prompts", "prompts", ({ prompts }) => prompts),
  number("rounds", "rounds", ({ rounds }) => rounds),
  number("cut", "rounds_cut", ({ cut }) => cut),
  number("accepted", "acceptance", rateOf, percent),
  {
    title: "95 %",
    key: "acceptance_low",
    value: (row) => bound(row, "low"),
    text: (row) => range(bound(row, "low"), bound(row, "high"))
  },
  detail("acceptance_high", (row) => bound(row, "high")),
  detail("accepted_per_round", (row) => (row.rounds === 0 ? undefined : row.meanLength)),
  number(
    "tokens/round",
    "acceptance_length",
    (row) => (row.rounds === 0 ? undefined : 1 + row.meanLength),
    (value) => value.toFixed(1)
  ),
  number("KV bytes", "bytes_share", ({ bytesShare }) => bytesShare, percent),
  detail("rounds_by_accepted_length", ({ lengths }) => lengths.join(" ")),
  detail("rounds_and_accepted_by_prompt", ({ perPrompt }) =>
    perPrompt.map(({ prompt, rounds, accepted }) => `${prompt}:${rounds}:${accepted}`).join(" ")
  )
]

const points = (share: number): string => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`

/** What each cell's share has beyond that of another method with the same window, context and keep, on the same prompts. */
export const against = (rows: readonly Measured[], baseline: string): readonly Column<Measured>[] => {
  const difference = (row: Measured): PairedDifference | undefined => {
    const other = rows.find(
      ({ compressor, window, context, keep }) =>
        compressor.name === baseline &&
        window === row.window &&
        context === row.context &&
        (keep === row.keep || !compressor.takesKeep || !row.compressor.takesKeep)
    )
    if (other === undefined || row.compressor.name === baseline) return undefined
    return pairedDifference(row, other)
  }
  const share = (row: Measured, of: (paired: PairedDifference) => number | undefined): number | undefined => {
    const paired = difference(row)
    const value = paired === undefined || paired.prompts === 0 ? undefined : of(paired)
    return value === undefined ? undefined : value / row.window
  }
  const ends = (row: Measured): readonly (number | undefined)[] => [
    share(row, ({ interval }) => interval?.low),
    share(row, ({ interval }) => interval?.high)
  ]
  return [
    number(`over ${baseline}`, "acceptance_difference", (row) => share(row, (one) => one.meanLength), points),
    {
      title: "paired 95 %",
      key: "acceptance_difference_low",
      value: (row) => ends(row)[0],
      text: (row) => {
        const [low, high] = ends(row)
        return low === undefined || high === undefined ? "" : `${points(low)} to ${points(high)}`
      }
    },
    detail("acceptance_difference_high", (row) => ends(row)[1])
  ]
}

/** One drafted position of a cell. */
type PositionRow = Measured & { readonly figure: PositionFigure }

export const positionsOf = (row: Measured): readonly PositionRow[] =>
  row.positions.map((figure) => ({ ...row, figure }))

export const POSITIONS: readonly Column<PositionRow>[] = [
  ...cell<PositionRow>(),
  number("position", "position", ({ figure }) => figure.position),
  number("reached", "rounds_reached", ({ figure }) => figure.reached),
  number("agreed", "rounds_agreed", ({ figure }) => figure.agreed),
  number("accepted", "acceptance", ({ figure }) => figure.agreed / figure.reached, percent),
  {
    title: "95 %",
    key: "acceptance_low",
    value: ({ figure }) => figure.interval.low,
    text: ({ figure }) => range(figure.interval.low, figure.interval.high)
  },
  detail("acceptance_high", ({ figure }) => figure.interval.high)
]

export const renderRows = <Row>(
  format: Format,
  columns: readonly Column<Row>[],
  rows: readonly Row[]
): string =>
  format === "json" ? JSON.stringify(objects(columns, rows), undefined, 2) : renderGrid(format, columns, rows)

/** Cells of one compressor and keep at its widest window: their rounds count together, whatever the context. */
const pooled = (rows: readonly Measured[]): Measured => {
  const window = Math.max(...rows.map((row) => row.window))
  const widest = rows.filter((row) => row.window === window)
  const rounds = widest.flatMap(({ lengths }) =>
    lengths.flatMap((count, accepted) => Array.from({ length: count }, () => ({ prompt: 0, accepted })))
  )
  return { ...widest[0]!, ...acceptanceFigures(rounds, window) }
}

/** The file scenarios name as `acceptance_profile: FILE`: a row for each compressor and keep. `source`: adapter and command. */
export const acceptanceProfile = (rows: readonly Measured[], model: string, source: string): string => {
  const counted = rows.filter(({ rounds }) => rounds > 0)
  const groups = Map.groupBy(counted, ({ compressor, keep }) => `${compressor.name} ${keep}`)
  return yamlText({
    acceptance: [...groups.values()].map((group) => {
      const row = pooled(group)
      const widest = group.filter(({ window }) => window === row.window)
      const measured = widest.map(({ prompts, context }) => `${prompts} prompts of ${context}`).join(" and ")
      return {
        compressor: row.compressor.name,
        models: [model, "any"],
        keep: row.compressor.takesKeep ? row.keep : Math.min(1, Math.round(row.bytesShare * 1000) / 1000),
        basis: "measured",
        source: `${model}, ${measured} tokens, ${row.rounds} rounds of exactly ${row.window} drafted tokens, ${row.meanLength.toFixed(2)} accepted in the mean, greedy, ${source}`,
        curve: curveOf(row)
      }
    })
  })
}
