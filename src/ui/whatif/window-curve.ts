/** Throughput over draft windows: dotted by the closed forms, dashed with dots as simulated, the best of each marked. */
import { line, max, scaleLinear, scaleLog } from "d3"
import { svg } from "../components/element.ts"

export interface WindowPoint {
  readonly window: number
  /** tok/s. */
  readonly theory: number | undefined
  readonly simulated: number | undefined
}

/** The best window by the closed forms. */
export interface Optimum {
  readonly window: number
  /** tok/s. */
  readonly theory: number
}

interface Place {
  readonly window: number
  /** tok/s. */
  readonly value: number
}

const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [260, 50, 16, 44, 44]
const MOST = 128

const rate = (value: number): string => `${value.toPrecision(3)} tok/s`

/** `complete`: no more points come; before that nothing is called the best by simulation. */
export const drawWindows = (
  points: readonly WindowPoint[],
  optimum: Optimum | undefined,
  complete: boolean,
  width: number
): SVGSVGElement => {
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img" })
  const most =
    max([...points.flatMap((one) => [one.theory ?? 0, one.simulated ?? 0]), optimum?.theory ?? 0]) ?? 1
  const x = scaleLog([1, MOST], [LEFT, width - RIGHT])
  const y = scaleLinear([0, most * 1.05], [HEIGHT - BOTTOM, TOP])
  const label = (at: number, up: number, anchor: string, words: string): SVGTextElement =>
    svg("text", { x: at, y: up, "text-anchor": anchor }, words)
  for (const tick of y.ticks(4))
    chart.append(
      svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      label(LEFT - 6, y(tick) + 4, "end", String(tick))
    )
  for (const tick of [1, 2, 4, 8, 16, 32, 64, MOST])
    chart.append(label(x(tick), HEIGHT - BOTTOM + 16, "middle", String(tick)))
  const axis = label(4, 14, "start", "tok/s")
  axis.append(svg("title", {}, "Output tokens per second of the run; modelled"))
  const across = label(width - RIGHT, HEIGHT - 6, "end", "draft window, tokens")
  across.append(svg("title", {}, "Tokens drafted before each verification"))
  chart.append(axis, across)

  const theory = points.flatMap(({ window, theory: value }) =>
    value === undefined ? [] : [{ window, value }]
  )
  const simulated = points.flatMap(({ window, simulated: value }) =>
    value === undefined ? [] : [{ window, value }]
  )
  const path = line<Place>(
    ({ window }) => x(window),
    ({ value }) => y(value)
  )
  const curve = (places: readonly Place[], colour: string, dashes: string): SVGPathElement =>
    svg("path", {
      d: path([...places]) ?? "",
      fill: "none",
      stroke: colour,
      "stroke-width": 2,
      "stroke-dasharray": dashes
    })
  chart.append(curve(theory, "var(--vermilion)", "2 3"), curve(simulated, "var(--blue)", "7 4"))
  for (const { window, value } of simulated)
    chart.append(
      svg(
        "circle",
        { cx: x(window), cy: y(value), r: 3, fill: "var(--blue)", "data-provenance": "modelled" },
        svg("title", {}, `window ${window}: ${rate(value)}, simulated; modelled`)
      )
    )
  const best = complete ? simulated.toSorted((a, b) => b.value - a.value)[0] : undefined
  const optima = [
    {
      name: "theory",
      place: optimum && { window: optimum.window, value: optimum.theory },
      colour: "vermilion"
    },
    { name: "simulation", place: best, colour: "blue" }
  ].flatMap(({ name, place, colour }) => (place === undefined ? [] : [{ name, place, colour }]))
  const said = optima.map(
    ({ name, place }) => `best by ${name}: ${place.window} tokens, ${rate(place.value)}`
  )
  for (const [i, { name, place, colour }] of optima.entries()) {
    const [at, up] = [x(place.window), y(place.value)]
    const height = name === "theory" ? 10 : 8
    chart.append(
      svg("line", {
        x1: at,
        x2: at,
        y1: up,
        y2: HEIGHT - BOTTOM,
        stroke: `var(--${colour})`,
        opacity: 0.6,
        "stroke-dasharray": name === "theory" ? "2 3" : "7 4"
      }),
      // A diamond for theory, a ring for simulation: not colour alone.
      name === "theory"
        ? svg("path", {
            d: `M${at} ${up - height}L${at + 7} ${up}L${at} ${up + height}L${at - 7} ${up}Z`,
            fill: `var(--${colour})`
          })
        : svg("circle", {
            cx: at,
            cy: up,
            r: height,
            fill: "none",
            stroke: `var(--${colour})`,
            "stroke-width": 3
          }),
      label(width - RIGHT, 14 + i * 15, "end", `${name === "theory" ? "◆" : "○"} ${said[i]!}`)
    )
  }
  chart.setAttribute(
    "aria-label",
    `Throughput over draft window; ${said.join("; ")}. Theory dotted, simulation dashed; modelled`
  )
  return chart
}

/** The same as rows of a file. */
export const windowRows = (points: readonly WindowPoint[]): readonly (readonly (string | number)[])[] => [
  ["window_tokens", "theory_tokens_per_s", "simulated_tokens_per_s", "basis"],
  ...points.map(({ window, theory, simulated }) => [window, theory ?? "", simulated ?? "", "modelled"])
]
