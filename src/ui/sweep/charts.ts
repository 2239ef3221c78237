/** The pictures of the sweep screen: heatmap, parallel coordinates and Pareto front of the same points. */
import { extent, interpolateViridis, line, scaleLinear, scalePoint } from "d3"
import type { Cell } from "../../planning/files/table.ts"
import { svg } from "../components/element.ts"
import {
  cellText,
  type Field,
  frontOf,
  type HeatCell,
  heatCells,
  type Point,
  type Results,
  valueOf,
  valuesOf
} from "./results.ts"

/** What charts share. */
export interface Shown {
  readonly results: Results
  /** Points in all brushes. */
  readonly kept: ReadonlySet<Point>
  readonly chosen: Point | undefined
  readonly choose: (point: Point) => void
}

const WIDTH = 640

const words = (x: number, y: number, anchor: string, text: string, extra = ""): SVGTextElement =>
  svg("text", { x, y, "text-anchor": anchor, class: extra }, text)

const range = (values: readonly number[]): [number, number] => {
  const [least = 0, most = 1] = extent(values)
  return least === most ? [least - 1, most + 1] : [least, most]
}

/** An element that is a point: chosen by click, Enter or Space. */
const asPoint = (made: SVGElement, point: Point, label: string, { choose, chosen }: Shown): void => {
  made.setAttribute("tabindex", "0")
  made.setAttribute("role", "button")
  made.setAttribute("aria-label", label)
  made.setAttribute("aria-pressed", String(point === chosen))
  made.append(svg("title", {}, label))
  made.addEventListener("click", () => choose(point))
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return
    event.preventDefault()
    choose(point)
  })
}

/** Hatching of what cannot be served. */
const hatching = (): SVGElement =>
  svg(
    "defs",
    {},
    svg(
      "pattern",
      {
        id: "infeasible",
        width: 6,
        height: 6,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)"
      },
      svg("rect", { width: 6, height: 6, fill: "var(--card)" }),
      svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, stroke: "var(--muted)", "stroke-width": 2 })
    )
  )

export const heatmap = (shown: Shown, x: Field, y: Field, metric: Field): SVGSVGElement => {
  const { results, kept, chosen } = shown
  const cells = heatCells(results, results.points, x, y, metric)
  const [across, down] = [valuesOf(results, x), valuesOf(results, y)]
  const [left, bottom, h] = [110, 40, 34]
  const w = (WIDTH - left - 8) / Math.max(1, across.length)
  const height = down.length * h + bottom + 8
  const [least, most] = range(cells.flatMap(({ value }) => value ?? []))
  const shade = scaleLinear([least, most], [0, 1])
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: "group",
    "aria-label": `${metric.name} by ${x.name} and ${y.name}`
  })
  chart.append(hatching())
  const label = ({ points, value }: HeatCell): string => {
    if (points.length === 0) return "not simulated"
    if (value !== undefined)
      return `${metric.name} ${cellText(metric.name, value)}${points.length > 1 ? `, mean of ${points.length}` : ""}`
    return points[0]!.reason ?? "no figure"
  }
  for (const [i, cell] of cells.entries()) {
    const [column, row] = [i % across.length, Math.floor(i / across.length)]
    const [cx, cy] = [left + column * w, 8 + (down.length - 1 - row) * h]
    const some = cell.points.find((point) => kept.has(point)) ?? cell.points[0]
    const fill =
      cell.value === undefined
        ? cell.points.length === 0
          ? "var(--ground)"
          : "url(#infeasible)"
        : interpolateViridis(shade(cell.value))
    const faded = !cell.points.some((point) => kept.has(point))
    const box = svg("rect", {
      x: cx + 1,
      y: cy + 1,
      width: w - 2,
      height: h - 2,
      fill,
      opacity: faded ? 0.25 : 1,
      stroke: cell.points.some((point) => point === chosen) ? "var(--ink)" : "none",
      "stroke-width": 3
    })
    if (some !== undefined)
      asPoint(
        box,
        some,
        `${x.name} ${cellText(x.name, cell.x)}, ${y.name} ${cellText(y.name, cell.y)}: ${label(cell)}`,
        shown
      )
    chart.append(box)
    if (cell.value !== undefined && w > 44) {
      const text = words(cx + w / 2, cy + h / 2 + 4, "middle", cellText(metric.name, cell.value), "in-cell")
      text.setAttribute("style", `fill:${shade(cell.value) > 0.6 ? "#111" : "#fff"}`)
      chart.append(text)
    }
  }
  for (const [i, value] of across.entries())
    if (i % Math.ceil(across.length / 12) === 0)
      chart.append(words(left + (i + 0.5) * w, height - 24, "middle", cellText(x.name, value)))
  for (const [i, value] of down.entries())
    chart.append(words(left - 8, 8 + (down.length - 0.5 - i) * h + 4, "end", cellText(y.name, value)))
  chart.append(words(WIDTH - 8, height - 6, "end", `${x.name}; upwards ${y.name}; hatched: cannot be served`))
  return chart
}

export const parallel = (shown: Shown, fields: readonly Field[]): SVGSVGElement => {
  const { results, kept, chosen } = shown
  const height = 280
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: "img",
    "aria-label": `Every point over ${fields.map(({ name }) => name).join(", ")}`
  })
  const at = scalePoint(
    fields.map(({ name }) => name),
    [50, WIDTH - 50]
  )
  const scales = new Map(
    fields.map((field) => {
      const values = valuesOf(results, field)
      const numbers = values.filter((value) => typeof value === "number")
      const linear = scaleLinear(range(numbers), [height - 40, 28])
      const order = scalePoint(values.map(String), [height - 40, 28])
      const place = (cell: Cell): number | undefined =>
        typeof cell === "number" ? linear(cell) : cell === undefined ? undefined : order(String(cell))
      return [field.name, { place, values, numbers }]
    })
  )
  const draw = line<readonly [number, number]>()
  const drawn = results.points.filter(({ reason }) => reason === undefined)
  for (const point of drawn.toSorted((a, b) => Number(kept.has(a)) - Number(kept.has(b)))) {
    const corners = fields.flatMap((field): readonly (readonly [number, number])[] => {
      const y = scales.get(field.name)!.place(point.cells[field.place])
      return y === undefined ? [] : [[at(field.name)!, y]]
    })
    const on = kept.has(point)
    chart.append(
      svg("path", {
        d: draw(corners as [number, number][]) ?? "",
        fill: "none",
        stroke: point === chosen ? "var(--vermilion)" : on ? "var(--blue)" : "var(--idle)",
        "stroke-width": point === chosen ? 3 : 1.5,
        opacity: on || point === chosen ? 0.75 : 0.15
      })
    )
  }
  for (const [i, { name }] of fields.entries()) {
    const x = at(name)!
    const { values, numbers } = scales.get(name)!
    chart.append(
      svg("line", { class: "axis", x1: x, x2: x, y1: 28, y2: height - 40 }),
      words(x, height - 24, "middle", cellText(name, numbers[0] ?? values[0])),
      words(x, 22, "middle", cellText(name, numbers.at(-1) ?? values.at(-1))),
      words(x, i % 2 === 0 ? height - 8 : 8, "middle", name)
    )
  }
  return chart
}

export const pareto = (shown: Shown, perGpu: Field, perUser: Field): SVGSVGElement => {
  const { results, kept, chosen } = shown
  const height = 300
  const points = results.points.filter(
    (point) => valueOf(point, perGpu) !== undefined && valueOf(point, perUser) !== undefined
  )
  const x = scaleLinear(
    [0, range(points.map((point) => valueOf(point, perUser)!))[1] * 1.05],
    [60, WIDTH - 16]
  )
  const y = scaleLinear(
    [0, range(points.map((point) => valueOf(point, perGpu)!))[1] * 1.08],
    [height - 40, 16]
  )
  const front = frontOf(points, perGpu, perUser)
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: "group",
    "aria-label": "Throughput a GPU over throughput a user; filled: no other point is better in both"
  })
  for (const tick of y.ticks(4))
    chart.append(
      svg("line", { class: "axis", x1: 60, x2: WIDTH - 16, y1: y(tick), y2: y(tick) }),
      words(54, y(tick) + 4, "end", cellText("", tick))
    )
  for (const tick of x.ticks(6)) chart.append(words(x(tick), height - 24, "middle", cellText("", tick)))
  const steps = [...front].toSorted((a, b) => valueOf(a, perUser)! - valueOf(b, perUser)!)
  chart.append(
    svg("path", {
      d:
        line<Point>(
          (point) => x(valueOf(point, perUser)!),
          (point) => y(valueOf(point, perGpu)!)
        )(steps) ?? "",
      fill: "none",
      stroke: "var(--vermilion)",
      "stroke-dasharray": "5 4"
    })
  )
  for (const point of points) {
    const dot = svg("circle", {
      cx: x(valueOf(point, perUser)!),
      cy: y(valueOf(point, perGpu)!),
      r: point === chosen ? 8 : 5,
      fill: front.has(point) ? "var(--vermilion)" : "var(--card)",
      stroke: front.has(point) ? "var(--vermilion)" : "var(--blue)",
      "stroke-width": 2,
      opacity: kept.has(point) ? 1 : 0.25
    })
    const settings = results.axes
      .map(({ name, place }) => `${name} ${cellText(name, point.cells[place])}`)
      .join(", ")
    asPoint(
      dot,
      point,
      `${settings}: ${cellText("", valueOf(point, perGpu))} tok/s a GPU, ${cellText("", valueOf(point, perUser))} a user${front.has(point) ? ", on the front" : ""}`,
      shown
    )
    chart.append(dot)
  }
  chart.append(
    words(4, 12, "start", "tok/s a GPU"),
    words(WIDTH - 16, height - 6, "end", "tok/s a user; filled, dashed line: the Pareto front")
  )
  return chart
}
