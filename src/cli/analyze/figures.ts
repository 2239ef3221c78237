/** Figures of the reports of analyses: where methods break even, which windows serve best. Everything in them is modelled. */
import type { BreakEven } from "../../planning/analysis/break-even.ts"
import type { WindowCell } from "../../planning/analysis/optimum-window.ts"
import { heatmap } from "../../planning/report/charts/heatmap.ts"
import { planeChart } from "../../planning/report/charts/plane.ts"
import type { ReportFigure } from "../../planning/report/document.ts"
import type { GridAxis, Setting } from "../../planning/sweep/axis.ts"
import { figureText } from "../output/figure.ts"

/** A setting of an axis as people read it. */
export const settingText = (axis: GridAxis, { shown }: Setting): string =>
  typeof shown === "number" ? figureText(axis.column, shown) : String(shown)

const figure = (title: string, caption: string, svg: string): readonly ReportFigure[] => [
  { kind: "figure", title, caption, svg }
]

/** Larger over smaller from here on asks for a logarithmic axis. */
const WIDE = 8

const isWide = (values: readonly number[]): boolean =>
  Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= WIDE

/** A curve over an axis of numbers. */
const curve = (
  title: string,
  axis: GridAxis,
  points: readonly { readonly setting: Setting; readonly y: number }[],
  y: { readonly title: string; readonly show: (value: number) => string }
): string => {
  const show = (value: number): string => figureText(axis.column, value)
  const xs = points.map(({ setting }) => Number(setting.shown))
  return planeChart(
    title,
    [
      {
        name: y.title,
        basis: "modelled",
        hue: 0,
        points: points.map((point, i) => ({
          x: xs[i]!,
          y: point.y,
          title: `${axis.column} ${settingText(axis, point.setting)}: ${y.show(point.y)}`
        }))
      }
    ],
    { title: axis.column, show, log: isWide(xs), ticks: [...new Set(xs)].toSorted((a, b) => a - b) },
    { title: y.title, show: y.show },
    { joined: true }
  )
}

/** The first break-even of every row that has one; nothing where fewer than two have. */
export const breakEvenFigure = (
  rows: GridAxis | undefined,
  along: GridAxis,
  found: readonly BreakEven[]
): readonly ReportFigure[] => {
  const points = found.flatMap(({ row, crossings }) =>
    row === undefined || typeof row.shown !== "number" || crossings[0] === undefined
      ? []
      : [{ setting: row, y: crossings[0].at }]
  )
  if (rows === undefined || points.length < 2) return []
  const title = `Break-even by ${rows.column}`
  return figure(
    title,
    "Where the better method changes; rows without a change are left out. Modelled.",
    curve(title, rows, points, { title: along.column, show: (value) => figureText(along.column, value) })
  )
}

/** The best window over one axis, or over two. */
export const windowFigure = (
  axes: readonly GridAxis[],
  cells: readonly WindowCell[]
): readonly ReportFigure[] => {
  const title = "The draft window that serves best"
  const show = (value: number): string => String(value)
  const [first, second] = axes
  if (first === undefined) return []
  if (second === undefined) {
    const points = cells.flatMap(({ settings, best }) =>
      best === undefined ? [] : [{ setting: settings[0]!, y: best.at }]
    )
    return first.type !== "number" || points.length < 2
      ? []
      : figure(title, "Tokens. Modelled.", curve(title, first, points, { title: "tokens", show }))
  }
  const [down, across] = [first.settings, second.settings]
  const windows = down.map((_, i) => across.map((_, j) => cells[i * across.length + j]?.best?.at))
  return figure(
    title,
    "Tokens; the stronger the shade, the longer. Modelled.",
    heatmap(
      title,
      {
        across: { title: second.column, values: across.map((one) => settingText(second, one)) },
        down: { title: first.column, values: down.map((one) => settingText(first, one)) },
        cells: windows,
        show
      },
      Math.max(0, ...windows.flat().map((value) => value ?? 0))
    )
  )
}
