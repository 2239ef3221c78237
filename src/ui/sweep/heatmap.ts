/** A figure over two axes; what cannot be served is hatched, and so, lightly over its colour, is what goes beyond measured kernel times. */
import { interpolateViridis, scaleLinear } from "d3"
import { svg } from "../components/element.ts"
import { asPoint, hatching, range, roving, type Shown, words } from "./chart.ts"
import { type Field, type HeatCell, heatCells, isExtrapolated, type Point, valuesOf } from "./results.ts"
import { axisText, cellText, tickText, wordsOf } from "./words.ts"

const [BOTTOM, ROW, TOP] = [46, 34, 24]
/** Narrower cells have no figure in them, pixels. */
const ROOM = 44

/** `points`: those of the method that is shown. */
export const heatmap = (
  shown: Shown,
  points: readonly Point[],
  [x, y]: readonly [Field, Field],
  metric: Field,
  width: number
): SVGSVGElement => {
  const { results, kept, chosen } = shown
  const cells = heatCells(results, points, x, y, metric)
  const [across, down] = [valuesOf(results, x), valuesOf(results, y)]
  const left = width < 500 ? 84 : 110
  const w = (width - left - 8) / Math.max(1, across.length)
  const height = down.length * ROW + BOTTOM + TOP
  const [least, most] = range(cells.flatMap(({ value }) => value ?? []))
  const shade = scaleLinear([least, most], [0, 1])
  const [xWords, yWords, metricWords] = [x, y, metric].map(({ name }) => wordsOf(name))
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${width} ${height}`,
    role: "group",
    "aria-label": `${metricWords!.label} by ${xWords!.label} and ${yWords!.label}`
  })
  chart.append(hatching())
  const label = ({ points: own, value }: HeatCell): string => {
    if (own.length === 0) return "not simulated"
    if (value !== undefined)
      return [
        `${metricWords!.label} ${cellText(metric.name, value)}`,
        ...(own.length > 1 ? [`mean of ${own.length}`] : []),
        ...new Set(own.flatMap(({ caveats }) => caveats ?? []))
      ].join(", ")
    return `cannot be served: ${own[0]!.reason ?? "no figure"}`
  }
  for (const [i, cell] of cells.entries()) {
    const [column, row] = [i % across.length, Math.floor(i / across.length)]
    const [cx, cy] = [left + column * w, TOP + (down.length - 1 - row) * ROW]
    const some = cell.points.find((point) => kept.has(point)) ?? cell.points[0]
    const hatched = cell.value === undefined && cell.points.length > 0
    const box = svg("rect", {
      x: cx + 1,
      y: cy + 1,
      width: Math.max(1, w - 2),
      height: ROW - 2,
      fill: hatched
        ? "url(#infeasible)"
        : cell.value === undefined
          ? "var(--ground)"
          : interpolateViridis(shade(cell.value)),
      opacity: cell.points.some((point) => kept.has(point)) ? 1 : 0.25,
      stroke: cell.points.some((point) => point === chosen) ? "var(--ink)" : "none",
      "stroke-width": 3
    })
    if (some !== undefined)
      asPoint(
        box,
        some,
        `${xWords!.label} ${cellText(x.name, cell.x)}, ${yWords!.label} ${cellText(y.name, cell.y)}: ${label(cell)}`,
        shown
      )
    chart.append(box)
    if (cell.value !== undefined && cell.points.some(isExtrapolated))
      chart.append(
        svg("rect", {
          class: "over",
          x: cx + 1,
          y: cy + 1,
          width: Math.max(1, w - 2),
          height: ROW - 2,
          fill: "url(#extrapolated)"
        })
      )
    if (cell.value !== undefined && w > ROOM) {
      const text = words(cx + w / 2, cy + ROW / 2 + 4, "middle", cellText(metric.name, cell.value))
      text.setAttribute("class", "in-cell")
      text.setAttribute("style", `fill:${shade(cell.value) > 0.6 ? "#111" : "#fff"}`)
      chart.append(text)
    }
  }
  const every = Math.ceil((across.length * 64) / Math.max(1, width - left))
  for (const [i, value] of across.entries())
    if (i % every === 0)
      chart.append(words(left + (i + 0.5) * w, height - 30, "middle", tickText(x.name, value)))
  for (const [i, value] of down.entries())
    chart.append(words(left - 8, TOP + (down.length - 0.5 - i) * ROW + 4, "end", tickText(y.name, value)))
  chart.append(
    words(4, 14, "start", `upwards: ${axisText(y.name)}`, yWords!.definition),
    words(width - 8, height - 8, "end", axisText(x.name), xWords!.definition)
  )
  roving(chart, across.length)
  return chart
}
