/** Speed-up over full KV on link bandwidth × context, the line where both are equal drawn in. */
import { contours, geoPath, geoTransform, interpolatePuOr, scaleLinear } from "d3"
import { svg } from "../components/element.ts"

export interface BreakEvenRow {
  readonly index: number
  readonly links: readonly number[]
  readonly contexts: readonly number[]
  readonly speedups: readonly (number | undefined)[]
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 300, 60, 36]

/** Rows may still be coming: what is there is drawn. */
export const drawBreakEven = (rows: readonly BreakEvenRow[]): SVGSVGElement => {
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label":
      "Speed-up of VeriCache over full KV, by link bandwidth and context; modelled by the closed forms"
  })
  const [first] = rows
  if (first === undefined) return chart
  const { links, contexts } = first
  const [w, h] = [(WIDTH - LEFT - 8) / contexts.length, (HEIGHT - BOTTOM - 8) / links.length]
  const top = (index: number): number => 8 + (links.length - 1 - index) * h
  const shade = scaleLinear([-1.5, 1.5], [1, 0]).clamp(true)
  for (const { index, speedups } of rows)
    speedups.forEach((speedup, i) => {
      const cell = svg(
        "rect",
        {
          x: LEFT + i * w,
          y: top(index),
          width: w + 0.3,
          height: h + 0.3,
          fill: speedup === undefined ? "var(--line)" : interpolatePuOr(shade(Math.log2(speedup)))
        },
        svg(
          "title",
          {},
          `${(links[index]! / 1e9).toPrecision(3)} GB/s, ${contexts[i]} tokens: ${speedup === undefined ? "full KV or VeriCache serves nobody" : `${speedup.toFixed(2)}×`}`
        )
      )
      chart.append(cell)
    })
  if (rows.length === links.length) {
    const values = rows
      .toSorted((a, b) => a.index - b.index)
      .flatMap(({ speedups }) => speedups.map((s) => s ?? 0))
    const even = contours().size([contexts.length, links.length]).contour(values, 1)
    const path = geoPath(
      geoTransform({
        point(x, y) {
          this.stream.point(LEFT + x * w, 8 + (links.length - y) * h)
        }
      })
    )
    chart.append(
      svg("path", { d: path(even) ?? "", fill: "none", stroke: "var(--ink)", "stroke-width": 1.5 })
    )
  }
  const label = (x: number, y: number, anchor: string, words: string): SVGTextElement =>
    svg("text", { x, y, "text-anchor": anchor }, words)
  for (let i = 0; i < contexts.length; i += 4)
    chart.append(label(LEFT + (i + 0.5) * w, HEIGHT - 20, "middle", `${Math.round(contexts[i]! / 1024)}k`))
  for (let i = 0; i < links.length; i += 4)
    chart.append(label(LEFT - 6, top(i) + h, "end", String(Number((links[i]! / 1e9).toPrecision(2)))))
  chart.append(
    label(
      WIDTH - 8,
      HEIGHT - 4,
      "end",
      "context, tokens; link upwards, GB/s; line: equal; grey: one serves nobody"
    )
  )
  return chart
}

/** The same as rows of a file. */
export const breakEvenRows = (rows: readonly BreakEvenRow[]): readonly (readonly (string | number)[])[] => [
  ["link_bytes_per_s", "context_tokens", "speedup"],
  ...rows.flatMap(({ index, links, contexts, speedups }) =>
    speedups.map((speedup, i) => [links[index]!, contexts[i]!, speedup ?? ""])
  )
]
