/** What a GPU serves over what a user sees: the points that no other beats in both are the front. */
import { line, scaleLinear } from "d3"
import { svg } from "../components/element.ts"
import { asPoint, draggable, range, roving, type Shown, words } from "./chart.ts"
import { type Field, frontOf, type Point, settingsText, valueOf } from "./results.ts"
import { cellText, wordsOf } from "./words.ts"

const [HEIGHT, LEFT, BOTTOM, TOP] = [320, 56, 44, 26]

export const pareto = (shown: Shown, perGpu: Field, perUser: Field, width: number): SVGSVGElement => {
  const { results, kept, chosen, narrow } = shown
  const points = results.points.filter(
    (point) => valueOf(point, perGpu) !== undefined && valueOf(point, perUser) !== undefined
  )
  const most = (field: Field): number => range(points.map((point) => valueOf(point, field)!))[1]
  const x = scaleLinear([0, most(perUser) * 1.05], [LEFT, width - 16])
  const y = scaleLinear([0, most(perGpu) * 1.08], [HEIGHT - BOTTOM, TOP])
  const front = frontOf(points, perGpu, perUser)
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${width} ${HEIGHT}`,
    role: "group",
    "aria-label": "Throughput a GPU over throughput a user; filled: no other point is better in both"
  })
  for (const tick of y.ticks(4))
    chart.append(
      svg("line", { class: "axis", x1: LEFT, x2: width - 16, y1: y(tick), y2: y(tick) }),
      words(LEFT - 6, y(tick) + 4, "end", cellText("", tick))
    )
  for (const tick of x.ticks(Math.max(3, Math.floor(width / 100))))
    chart.append(words(x(tick), HEIGHT - BOTTOM + 16, "middle", cellText("", tick)))
  const ground = svg("rect", {
    class: "ground",
    x: LEFT,
    y: TOP,
    width: width - 16 - LEFT,
    height: HEIGHT - BOTTOM - TOP
  })
  chart.append(ground)
  draggable(
    chart,
    ground,
    {
      x: { field: perUser, invert: (pixel) => x.invert(pixel) },
      y: { field: perGpu, invert: (pixel) => y.invert(pixel) }
    },
    narrow
  )
  const steps = [...front].toSorted((a, b) => valueOf(a, perUser)! - valueOf(b, perUser)!)
  const path = line<Point>(
    (point) => x(valueOf(point, perUser)!),
    (point) => y(valueOf(point, perGpu)!)
  )(steps)
  chart.append(
    svg("path", { d: path ?? "", fill: "none", stroke: "var(--vermilion)", "stroke-dasharray": "5 4" })
  )
  for (const point of points) {
    const on = front.has(point)
    const dot = svg("circle", {
      cx: x(valueOf(point, perUser)!),
      cy: y(valueOf(point, perGpu)!),
      r: point === chosen ? 8 : 5,
      fill: on ? "var(--vermilion)" : "var(--card)",
      stroke: point === chosen ? "var(--ink)" : on ? "var(--vermilion)" : "var(--blue)",
      "stroke-width": 2,
      opacity: kept.has(point) ? 1 : 0.25
    })
    const [gpu, user] = [perGpu, perUser].map((field) => cellText("", valueOf(point, field)))
    asPoint(
      dot,
      point,
      `${settingsText(results, point)}: ${gpu} tok/s a GPU, ${user} a user${on ? ", on the front" : ""}`,
      shown
    )
    chart.append(dot)
  }
  chart.append(
    words(4, 12, "start", "tok/s/GPU", wordsOf(perGpu.name).definition),
    words(width - 16, HEIGHT - 6, "end", "tok/s/user", wordsOf(perUser.name).definition),
    words(LEFT, HEIGHT - 6, "start", "filled, dashed: the front")
  )
  roving(chart)
  return chart
}
