/** Rows of a sweep on a screen. */
import type { Row, Table } from "../../planning/files/table.ts"
import type { Axis } from "../../planning/sweep/axis.ts"
import { axesOf, pointAt } from "../../planning/sweep/design.ts"
import type { Sweep } from "../../planning/sweep/load-sweep.ts"
import { type Column, fitting, markdownTable, plainTable } from "../output/grid.ts"
import { bytes, seconds, significant } from "../output/number.ts"

/** Figures shown beside the axes, and their titles; the file has all of them. */
const FIGURES: readonly (readonly [column: string, title: string, show: (value: number) => string])[] = [
  ["tokens_per_s", "tok/s", significant],
  ["tokens_per_s_per_gpu", "tok/s/GPU", significant],
  ["ttft_p50_s", "TTFT p50", seconds],
  ["ttft_p99_s", "p99", seconds],
  ["tpot_p50_s", "TPOT p50", seconds],
  ["tpot_p99_s", "p99", seconds]
]

/** How amounts are shown, by what their columns' names end in. */
const UNITS: readonly (readonly [suffix: string, show: (value: number) => string])[] = [
  ["_bytes_per_s", (value) => `${bytes(value)}/s`],
  ["_flop_per_s", (value) => `${significant(value / 1e12)} TFLOP/s`],
  ["_bytes", bytes],
  ["_tokens", (value) => value.toLocaleString("en-US")],
  ["_s", seconds],
  ["_w", (value) => `${significant(value)} W`]
]

/** Of what has no unit: shares, ratios, counts. */
const fourDigits = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))

/** Left of what comes of a point: which it is. */
interface Shown {
  readonly name: string
  readonly unit?: string
  readonly of: (row: Row) => Row[number]
}

/** How amounts of such a unit are shown. */
export const showOf = (unit: string): ((value: number) => string) =>
  UNITS.find(([suffix]) => suffix === unit)?.[1] ?? fourDigits

const shown = ({ name, unit = "", of }: Shown, rows: readonly Row[]): Column<Row> => {
  const show = showOf(unit)
  return {
    title: name.slice(0, name.length - unit.length),
    key: name,
    left: rows.some((row) => typeof of(row) === "string"),
    text: (row) => {
      const value = of(row)
      return typeof value === "number" ? show(value) : String(value ?? "")
    },
    value: of
  }
}

/** The points of a sweep and what they set, without what comes of them. */
export const listPoints = ({ design, methodNames }: Sweep, points: readonly number[]): string => {
  const rows = points.map((index): Row => {
    const { cells, seed, method } = pointAt(design, index)
    return [index, ...cells, seed, methodNames[method]]
  })
  const names = [
    { name: "point" },
    ...axesOf(design).map(({ column, unit }) => ({ name: column, unit })),
    { name: "seed" },
    { name: "method" }
  ]
  return plainTable(
    names.map((one, i) => shown({ ...one, of: (row) => row[i] }, rows)),
    rows
  )
}

/** The columns people see of a sweep's rows. */
export const gridOf = ({ columns, rows }: Table, axes: readonly Axis[]): readonly Column<Row>[] => {
  const place = (name: string): number => columns.findIndex((one) => one.name === name)
  const cell = (name: string): ((row: Row) => Row[number]) => {
    const at = place(name)
    return (row) => row[at]
  }
  const seeds = new Set(rows.map(cell("seed")))
  const caveats = cell("caveats")
  const [status, limit, reason] = ["status", "limited_by", "reason"].map(cell)
  return [
    ...[
      { name: "point" },
      ...axes.map(({ column, unit }) => ({ name: column, unit })),
      ...(seeds.size > 1 ? [{ name: "seed" }] : []),
      { name: "method" }
    ].map((one) => shown({ ...one, of: cell(one.name) }, rows)),
    ...FIGURES.map(([name, title, show], i): Column<Row> => {
      const of = cell(name)
      return {
        title,
        key: name,
        dispensable: i,
        text: (row) => {
          const value = of(row)
          return typeof value === "number" ? show(value) : "–"
        },
        value: of
      }
    }),
    {
      title: "limited by",
      key: "limited_by",
      left: true,
      text: (row) =>
        status!(row) === "simulated"
          ? String(limit!(row))
          : `${String(status!(row))}: ${String(reason!(row)).split("\n")[0]!}`,
      value: limit!
    },
    // Only where there is one: it is long, and most sweeps have none.
    ...(rows.some((row) => typeof caveats(row) === "string")
      ? [
          {
            title: "caveats",
            key: "caveats",
            left: true,
            text: (row: Row) => String(caveats(row) ?? ""),
            value: caveats
          }
        ]
      : [])
  ]
}

/** A table for people; `screen` is the width of the terminal, if it goes to one. */
export const showRows = (
  format: "table" | "md",
  table: Table,
  axes: readonly Axis[],
  screen?: number
): string => {
  const grid = gridOf(table, axes)
  if (format === "md") return markdownTable(grid, table.rows)
  return plainTable(screen === undefined ? grid : fitting(grid, table.rows, screen), table.rows)
}
