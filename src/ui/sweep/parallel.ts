/** Every point as a line over what was varied and what came of it. A stretch dragged on an axis narrows every view. */
import { line, scaleLinear, scalePoint } from "d3"
import type { Cell } from "../../planning/files/table.ts"
import { svg } from "../components/element.ts"
import { draggable, range, type Shown, words } from "./chart.ts"
import { type Field, valuesOf } from "./results.ts"
import { axisText, tickText, wordsOf } from "./words.ts"

const [HEIGHT, TOP, BOTTOM] = [290, 44, 250]
/** Around an axis, pixels. */
const REACH = 16

interface Axis {
  readonly place: (cell: Cell) => number | undefined
  readonly invert: ((pixel: number) => number) | undefined
  readonly ends: readonly [Cell, Cell]
}

const axisOf = (values: readonly Cell[]): Axis => {
  const numbers = values.filter((value) => typeof value === "number")
  if (numbers.length > 0) {
    const scale = scaleLinear(range(numbers), [BOTTOM, TOP])
    return {
      place: (cell) => (typeof cell === "number" ? scale(cell) : undefined),
      invert: (pixel) => scale.invert(pixel),
      ends: [numbers[0], numbers.at(-1)]
    }
  }
  const order = scalePoint(values.map(String), [BOTTOM, TOP])
  return {
    place: (cell) => (cell === undefined ? undefined : order(String(cell))),
    invert: undefined,
    ends: [values[0], values.at(-1)]
  }
}

export const parallel = (shown: Shown, fields: readonly Field[], width: number): SVGSVGElement => {
  const { results, kept, chosen, brushes, narrow } = shown
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${width} ${HEIGHT}`,
    role: "img",
    "aria-label": `Every point over ${fields.map(({ name }) => wordsOf(name).label).join(", ")}; modelled`
  })
  const at = scalePoint(
    fields.map(({ name }) => name),
    [50, width - 50]
  )
  const axes = new Map(fields.map((field) => [field.name, axisOf(valuesOf(results, field))]))
  const draw = line<readonly [number, number]>()
  const drawn = results.points.filter(({ reason }) => reason === undefined)
  const rank = (point: (typeof drawn)[number]): number => (point === chosen ? 2 : Number(kept.has(point)))
  for (const point of drawn.toSorted((a, b) => rank(a) - rank(b))) {
    const corners = fields.flatMap((field): readonly (readonly [number, number])[] => {
      const y = axes.get(field.name)!.place(point.cells[field.place])
      return y === undefined ? [] : [[at(field.name)!, y]]
    })
    const on = kept.has(point)
    chart.append(
      svg("path", {
        d: draw(corners as [number, number][]) ?? "",
        fill: "none",
        stroke: point === chosen ? "var(--vermilion)" : on ? "var(--blue)" : "var(--idle)",
        "stroke-width": point === chosen ? 3 : 1.5,
        opacity: on || point === chosen ? 0.6 : 0.15
      })
    )
  }
  for (const [i, field] of fields.entries()) {
    const { name } = field
    const x = at(name)!
    const { place, invert, ends } = axes.get(name)!
    const { label, definition } = wordsOf(name)
    chart.append(
      svg("line", { class: "axis", x1: x, x2: x, y1: TOP, y2: BOTTOM }),
      words(x, BOTTOM + 16, "middle", tickText(name, ends[0])),
      words(x, TOP - 8, "middle", tickText(name, ends[1])),
      words(x, i % 2 === 0 ? HEIGHT - 6 : 12, "middle", axisText(name), definition)
    )
    if (invert === undefined) continue
    const brush = brushes.find((one) => one.field === name)
    if (brush !== undefined) {
      const [low, high] = [place(brush.to)!, place(brush.from)!].map((y) =>
        Math.min(BOTTOM, Math.max(TOP, y))
      )
      chart.append(
        svg("rect", { class: "stretch", x: x - 6, width: 12, y: low, height: Math.max(2, high! - low!) })
      )
    }
    const ground = svg(
      "rect",
      { class: "ground", x: x - REACH, width: 2 * REACH, y: TOP, height: BOTTOM - TOP },
      svg("title", {}, `Drag to look only at a stretch of ${label}. ${definition}`)
    )
    chart.append(ground)
    draggable(chart, ground, { y: { field, invert } }, narrow)
  }
  return chart
}
