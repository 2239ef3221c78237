/** Results of a sweep as the screen uses them: what was varied, what came of it, which points are looked at. Pure. */
import type { Cell, Column, Table } from "../../planning/files/table.ts"
import { cellText, wordsOf } from "./words.ts"
import { paretoFront } from "../../planning/analysis/pareto.ts"

/** A column of the results by its place. */
export interface Field {
  readonly name: string
  readonly place: number
  readonly isNumber: boolean
}

export interface Point {
  /** Row of the table. */
  readonly row: number
  readonly cells: readonly Cell[]
  /** Why it has no figures; undefined if it was simulated. */
  readonly reason: string | undefined
  /** What weakens its figures. */
  readonly caveats: string | undefined
}

export interface Results {
  readonly points: readonly Point[]
  /** What was varied: the axes, and the method where there are several. */
  readonly axes: readonly Field[]
  /** Figures that came out. */
  readonly metrics: readonly Field[]
  readonly columns: readonly Column[]
  /** The sweep these are of, where the file has it. */
  readonly recipe: string | undefined
}

/** Columns that every file of results has, around those of the axes. */
const BEFORE = "method"
const AFTER = "status"

/** Whether its figures go beyond measured kernel times. */
export const isExtrapolated = ({ caveats }: Point): boolean => caveats?.includes("extrapolated") === true

/** Reads a table as results; a sentence where it is none. */
export const resultsOf = ({ columns, rows, recipe }: Table): Results | { readonly problem: string } => {
  const at = (name: string): number => columns.findIndex((column) => column.name === name)
  const [before, after] = [at(BEFORE), at(AFTER)]
  if (before < 0 || after < before)
    return {
      problem: `expected results of "vericache sweep", with the columns ${BEFORE} and ${AFTER}; found ${columns
        .slice(0, 6)
        .map(({ name }) => name)
        .join(", ")}`
    }
  const field = (place: number): Field => ({
    name: columns[place]!.name,
    place,
    isNumber: columns[place]!.type === "number" || columns[place]!.type === "whole"
  })
  const methods = new Set(rows.map((row) => row[before]))
  const reason = at("reason")
  const caveats = at("caveats")
  return {
    columns,
    recipe,
    points: rows.map((cells, row) => ({
      row,
      cells,
      reason:
        cells[after] === "simulated" ? undefined : String(cells[reason] ?? cells[after] ?? "no figures"),
      caveats: cells[caveats] === undefined ? undefined : String(cells[caveats])
    })),
    axes: [
      ...(methods.size > 1 ? [field(before)] : []),
      ...columns.slice(before + 1, after).map((_, i) => field(before + 1 + i))
    ],
    metrics: columns
      .map((_, place) => field(place))
      .filter(
        ({ place, isNumber, name }) =>
          place > after &&
          isNumber &&
          !/^(needed|available)_bytes$/.test(name) &&
          rows.some((row) => row[place] !== undefined)
      )
  }
}

/**
 * The two of some axes whose heatmap has the fewest cells that no point is in, the earliest such; fewer where there are no two. Axes that a sweep moves together
 * fill a diagonal only.
 */
export const fullestPair = ({ points }: Results, axes: readonly Field[]): readonly Field[] => {
  const valuesOf = (...fields: readonly Field[]): number =>
    new Set(points.map(({ cells }) => fields.map(({ place }) => String(cells[place])).join("\n"))).size
  let best = axes.slice(0, 2)
  let most = 0
  for (const [i, x] of axes.entries())
    for (const y of axes.slice(i + 1)) {
      const full = valuesOf(x, y) / (valuesOf(x) * valuesOf(y))
      if (full <= most) continue
      most = full
      best = [x, y]
    }
  return best
}

/** A stretch of a field's values that is looked at; of texts the one value. */
export interface Brush {
  readonly field: string
  readonly from: number
  readonly to: number
}

/** Points whose values lie in all brushes. */
export const brushed = ({ points, columns }: Results, brushes: readonly Brush[]): readonly Point[] =>
  points.filter(({ cells }) =>
    brushes.every(({ field, from, to }) => {
      const value = cells[columns.findIndex(({ name }) => name === field)]
      return typeof value === "number" && value >= from && value <= to
    })
  )

/** As it stands in the address: `window:8~32;tokens_per_s:200~400`. */
export const spellBrushes = (brushes: readonly Brush[]): string =>
  brushes.map(({ field, from, to }) => `${field}:${from}~${to}`).join(";")

export const parseBrushes = (text: string | undefined): readonly Brush[] =>
  (text ?? "").split(";").flatMap((one): readonly Brush[] => {
    const [, field, from, to] = /^(.+):(-?[\d.e+-]+)~(-?[\d.e+-]+)$/.exec(one) ?? []
    const brush = { field: field ?? "", from: Number(from), to: Number(to) }
    return field === undefined || !(brush.from <= brush.to) ? [] : [brush]
  })

/** What a point is set to, in words. */
export const settingsText = ({ axes }: Results, { cells }: Point): string =>
  axes
    .map(
      ({ name, place }) => (name === BEFORE ? "" : `${wordsOf(name).label} `) + cellText(name, cells[place])
    )
    .join(", ")

/** The value of a figure; undefined where the point has none. */
export const valueOf = ({ cells }: Point, { place }: Field): number | undefined => {
  const value = cells[place]
  return typeof value === "number" ? value : undefined
}

/** What there is of an axis, in order. */
export const valuesOf = ({ points }: Results, { place }: Field): readonly Cell[] =>
  [...new Set(points.map(({ cells }) => cells[place]))].toSorted((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b))
  )

/** A cell of the heatmap: the points with these two values. */
export interface HeatCell {
  readonly x: Cell
  readonly y: Cell
  readonly points: readonly Point[]
  /** Mean of the figure over its points that have one. */
  readonly value: number | undefined
}

/** All pairs of values of two axes. */
export const heatCells = (
  results: Results,
  points: readonly Point[],
  x: Field,
  y: Field,
  metric: Field
): readonly HeatCell[] =>
  valuesOf(results, y).flatMap((down) =>
    valuesOf(results, x).map((across): HeatCell => {
      const own = points.filter(({ cells }) => cells[x.place] === across && cells[y.place] === down)
      const values = own.flatMap((point) => valueOf(point, metric) ?? [])
      const value =
        values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0) / values.length
      return { x: across, y: down, points: own, value }
    })
  )

/** Points that no other beats in both tok/s/GPU and tok/s/user. */
export const frontOf = (points: readonly Point[], perGpu: Field, perUser: Field): ReadonlySet<Point> =>
  new Set(
    paretoFront(
      points.filter((point) => valueOf(point, perGpu) !== undefined && valueOf(point, perUser) !== undefined),
      [(point) => valueOf(point, perGpu)!, (point) => valueOf(point, perUser)!]
    )
  )
