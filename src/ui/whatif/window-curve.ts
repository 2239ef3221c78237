/** Throughput over draft windows: dashed by the closed forms, dots simulated, the best of each marked. */
import { line, max, scaleLinear, scaleLog } from "d3"
import { svg } from "../components/element.ts"

export interface WindowPoint {
  readonly window: number
  /** tok/s. */
  readonly theory: number | undefined
  readonly simulated: number | undefined
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 240, 50, 34]

export const drawWindows = (points: readonly WindowPoint[]): SVGSVGElement => {
  const most = max(points.flatMap(({ theory, simulated }) => [theory ?? 0, simulated ?? 0])) ?? 1
  const x = scaleLog([1, 96], [LEFT, WIDTH - 16])
  const y = scaleLinear([0, most * 1.1], [HEIGHT - BOTTOM, 24])
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" })
  const label = (at: number, up: number, anchor: string, words: string): SVGTextElement =>
    svg("text", { x: at, y: up, "text-anchor": anchor }, words)
  for (const tick of y.ticks(4))
    chart.append(
      svg("line", { class: "axis", x1: LEFT, x2: WIDTH - 16, y1: y(tick), y2: y(tick) }),
      label(LEFT - 6, y(tick) + 4, "end", String(tick))
    )
  for (const tick of [1, 2, 4, 8, 16, 32, 64])
    chart.append(label(x(tick), HEIGHT - 18, "middle", String(tick)))
  chart.append(label(WIDTH - 16, HEIGHT - 3, "end", "draft window, tokens"), label(4, 11, "start", "tok/s"))
  const said: string[] = []
  for (const [name, of] of [
    ["theory", ({ theory }: WindowPoint) => theory],
    ["simulation", ({ simulated }: WindowPoint) => simulated]
  ] as const) {
    const own = points.flatMap((point) => {
      const value = of(point)
      return value === undefined ? [] : [{ window: point.window, value }]
    })
    const best = own.toSorted((a, b) => b.value - a.value)[0]
    if (best === undefined) continue
    const colour = name === "theory" ? "var(--vermilion)" : "var(--blue)"
    const path = line<(typeof own)[number]>(
      ({ window }) => x(window),
      ({ value }) => y(value)
    )(own)
    chart.append(
      svg("path", {
        d: path ?? "",
        fill: "none",
        stroke: colour,
        "stroke-width": 2,
        "stroke-dasharray": name === "theory" ? "5 4" : undefined
      }),
      svg("circle", { cx: x(best.window), cy: y(best.value), r: 5, fill: colour })
    )
    said.push(`best by ${name}: ${best.window} tokens, ${best.value.toPrecision(3)} tok/s`)
  }
  chart.setAttribute("aria-label", `Throughput over draft window; ${said.join("; ")}`)
  chart.append(label(WIDTH - 16, 11, "end", `${said.join(" · ")} (theory dashed)`))
  return chart
}

/** The same as rows of a file. */
export const windowRows = (points: readonly WindowPoint[]): readonly (readonly (string | number)[])[] => [
  ["window_tokens", "theory_tokens_per_s", "simulated_tokens_per_s"],
  ...points.map(({ window, theory, simulated }) => [window, theory ?? "", simulated ?? ""])
]
