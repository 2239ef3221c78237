/** What the pictures of a sweep share: points to choose, hatching, words, and stretches drawn over them. */
import { extent } from "d3"
import { svg } from "../components/element.ts"
import type { Brush, Field, Point, Results } from "./results.ts"

export interface Shown {
  readonly results: Results
  /** Points in all brushes. */
  readonly kept: ReadonlySet<Point>
  readonly chosen: Point | undefined
  readonly choose: (point: Point) => void
  readonly brushes: readonly Brush[]
  /** Looks only at these stretches, and at what other fields' brushes leave. */
  readonly narrow: (brushes: readonly Brush[]) => void
}

export const words = (x: number, y: number, anchor: string, text: string, hover?: string): SVGTextElement =>
  svg(
    "text",
    { x, y, "text-anchor": anchor },
    text,
    ...(hover === undefined ? [] : [svg("title", {}, hover)])
  )

export const range = (values: readonly number[]): [number, number] => {
  const [least = 0, most = 1] = extent(values)
  return least === most ? [least - 1, most + 1] : [least, most]
}

/** Makes an element a point: chosen by click, Enter or Space. */
export const asPoint = (made: SVGElement, point: Point, label: string, { choose, chosen }: Shown): void => {
  made.setAttribute("role", "button")
  made.setAttribute("data-provenance", "modelled")
  made.setAttribute("aria-label", label)
  made.setAttribute("aria-pressed", String(point === chosen))
  made.append(svg("title", {}, `${label}; modelled`))
  made.addEventListener("click", () => choose(point))
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return
    event.preventDefault()
    choose(point)
  })
}

/**
 * Makes a chart's points one stop of the Tab key: arrows go from one to the next, up and down by `across`. The chosen point
 * is where Tab arrives, or the first.
 */
export const roving = (chart: SVGSVGElement, across = 1): void => {
  const points = [...chart.querySelectorAll<SVGElement>('[role="button"]')]
  const start = Math.max(
    0,
    points.findIndex((point) => point.getAttribute("aria-pressed") === "true")
  )
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowUp: across,
    ArrowDown: -across
  }
  for (const [i, point] of points.entries()) point.setAttribute("tabindex", i === start ? "0" : "-1")
  chart.addEventListener("keydown", (event) => {
    const step = steps[event.key]
    const at = points.indexOf(event.target as SVGElement)
    const next = step === undefined || at < 0 ? undefined : points[at + step]
    if (next === undefined) return
    event.preventDefault()
    for (const point of points) point.setAttribute("tabindex", point === next ? "0" : "-1")
    next.focus()
  })
}

/** Hatching of what cannot be served, and of what goes beyond measurements. */
export const hatching = (): SVGElement =>
  svg(
    "defs",
    {},
    svg(
      "pattern",
      {
        id: "extrapolated",
        width: 7,
        height: 7,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)"
      },
      svg("line", { x1: 0, x2: 0, y1: 0, y2: 7, stroke: "var(--card)", "stroke-width": 2, opacity: 0.7 })
    ),
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

/** A direction in which a stretch is dragged: where values of a field lie, in pixels of the chart. */
export interface Direction {
  readonly field: Field
  readonly invert: (pixel: number) => number
}

/** Shorter drags are clicks. Pixels. */
const LEAST = 5

/**
 * Lets a stretch of one or two fields be dragged over `ground`; on release the page looks only at it. The keyboard has the
 * form above the charts.
 */
export const draggable = (
  chart: SVGSVGElement,
  ground: SVGRectElement,
  { x, y }: { readonly x?: Direction; readonly y?: Direction },
  narrow: (brushes: readonly Brush[]) => void
): void => {
  const place = (event: PointerEvent): DOMPoint =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM()!.inverse())
  const box = ground.getBBox.bind(ground)
  ground.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) return
    const from = place(down)
    const full = box()
    const stretch = svg("rect", { class: "stretch" })
    chart.append(stretch)
    ground.setPointerCapture(down.pointerId)
    /** Both ends in a direction; the whole width where it is not dragged in. */
    const ends = (a: number, b: number, of: Direction | undefined, low: number, size: number) =>
      of === undefined ? ([low, low + size] as const) : ([Math.min(a, b), Math.max(a, b)] as const)
    const move = (event: PointerEvent): void => {
      const to = place(event)
      const [left, right] = ends(from.x, to.x, x, full.x, full.width)
      const [top, bottom] = ends(from.y, to.y, y, full.y, full.height)
      for (const [name, value] of Object.entries({
        x: left,
        y: top,
        width: right - left,
        height: bottom - top
      }))
        stretch.setAttribute(name, String(value))
    }
    const up = (event: PointerEvent): void => {
      ground.removeEventListener("pointermove", move)
      stretch.remove()
      const to = place(event)
      const brush = (of: Direction, a: number, b: number): Brush => {
        const [one, other] = [of.invert(a), of.invert(b)]
        return { field: of.field.name, from: Math.min(one, other), to: Math.max(one, other) }
      }
      if (Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) < LEAST) return
      narrow([
        ...(x === undefined ? [] : [brush(x, from.x, to.x)]),
        ...(y === undefined ? [] : [brush(y, from.y, to.y)])
      ])
    }
    ground.addEventListener("pointermove", move)
    ground.addEventListener("pointerup", up, { once: true })
  })
}
