/** Speed-up over full KV on link bandwidth × context, the line where both are equal drawn in. */
import { contours, interpolatePuOr, scaleLinear } from "d3"
import { svg } from "../components/element.ts"

export interface BreakEvenRow {
  readonly index: number
  readonly links: readonly number[]
  readonly contexts: readonly number[]
  readonly speedups: readonly (number | undefined)[]
}

const [HEIGHT, LEFT, TOP, BOTTOM] = [320, 50, 24, 60]

/**
 * The line where both serve the same, as pieces in units of cells. A contour runs along the edge too, and around the cells that
 * have no value: those pieces say nothing and are left out.
 */
const evenLine = (rows: readonly BreakEvenRow[]): readonly (readonly [number, number])[][] => {
  const { contexts, links } = rows[0]!
  const values = rows.toSorted((a, b) => a.index - b.index).map(({ speedups }) => speedups)
  const known = (x: number, y: number): boolean => values[y]?.[x] !== undefined
  const inside = ([x, y]: readonly [number, number]): boolean => {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)]
    const [right, bottom] = [Math.ceil(x - 0.5), Math.ceil(y - 0.5)]
    return known(left, top) && known(right, top) && known(left, bottom) && known(right, bottom)
  }
  const flat = values.flatMap((row) => row.map((value) => value ?? 0))
  const { coordinates } = contours().size([contexts.length, links.length]).contour(flat, 1)
  return coordinates.flat().flatMap((ring) => {
    const pieces: [number, number][][] = [[]]
    for (const corner of ring as [number, number][])
      if (inside(corner)) pieces.at(-1)!.push(corner)
      else if (pieces.at(-1)!.length > 0) pieces.push([])
    return pieces.filter(({ length }) => length > 1)
  })
}

/** Rows may still be coming: what is there is drawn. */
export const drawBreakEven = (rows: readonly BreakEvenRow[], width: number): SVGSVGElement => {
  const chart = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${width} ${HEIGHT}`,
    role: "img",
    "aria-label":
      "Speed-up of VeriCache over full KV, by link bandwidth and context; by the closed forms, modelled"
  })
  const [first] = rows
  if (first === undefined) return chart
  const { links, contexts } = first
  const [w, h] = [(width - LEFT - 8) / contexts.length, (HEIGHT - BOTTOM - TOP) / links.length]
  const top = (index: number): number => TOP + (links.length - 1 - index) * h
  const shade = scaleLinear([-1.5, 1.5], [1, 0]).clamp(true)
  chart.append(
    svg(
      "defs",
      {},
      svg(
        "pattern",
        { id: "nobody", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { width: 6, height: 6, fill: "var(--card)" }),
        svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, stroke: "var(--muted)", "stroke-width": 2 })
      )
    )
  )
  for (const { index, speedups } of rows)
    speedups.forEach((speedup, i) => {
      const said = speedup === undefined ? "full KV or VeriCache serves nobody" : `${speedup.toFixed(2)}×`
      chart.append(
        svg(
          "rect",
          {
            x: LEFT + i * w,
            y: top(index),
            width: w + 0.3,
            height: h + 0.3,
            "data-provenance": "modelled",
            fill: speedup === undefined ? "url(#nobody)" : interpolatePuOr(shade(Math.log2(speedup)))
          },
          svg(
            "title",
            {},
            `${(links[index]! / 1e9).toPrecision(3)} GB/s, ${contexts[i]} tokens: ${said}; modelled`
          )
        )
      )
    })
  if (rows.length === links.length)
    for (const piece of evenLine(rows)) {
      const d = piece.map(([x, y]) => `${LEFT + x * w} ${TOP + (links.length - y) * h}`).join("L")
      // Dark on a light seam: the cells have the same colours in both themes.
      for (const [stroke, breadth] of [
        ["#fff", 4],
        ["#111", 2]
      ] as const)
        chart.append(svg("path", { d: `M${d}`, fill: "none", stroke, "stroke-width": breadth }))
    }
  const label = (x: number, y: number, anchor: string, words: string): SVGTextElement =>
    svg("text", { x, y, "text-anchor": anchor }, words)
  for (let i = 0; i < contexts.length; i += 4)
    chart.append(
      label(LEFT + (i + 0.5) * w, HEIGHT - BOTTOM + 16, "middle", `${Math.round(contexts[i]! / 1024)}k`)
    )
  for (let i = 0; i < links.length; i += 4)
    chart.append(label(LEFT - 6, top(i) + h, "end", String(Number((links[i]! / 1e9).toPrecision(2)))))
  chart.append(
    label(4, 14, "start", "link, GB/s"),
    label(width - 8, HEIGHT - BOTTOM + 32, "end", "context, tokens"),
    label(
      LEFT,
      HEIGHT - 6,
      "start",
      width < 500
        ? "purple: VeriCache more · line: equal"
        : "purple: VeriCache serves more · orange: less · line: equal · hatched: one serves nobody"
    )
  )
  return chart
}

/** The same as rows of a file. */
export const breakEvenRows = (rows: readonly BreakEvenRow[]): readonly (readonly (string | number)[])[] => [
  ["link_bytes_per_s", "context_tokens", "speedup", "basis"],
  ...rows.flatMap(({ index, links, contexts, speedups }) =>
    speedups.map((speedup, i) => [links[index]!, contexts[i]!, speedup ?? "", "modelled"])
  )
]
