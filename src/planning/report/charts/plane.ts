/** Series in a plane: curves, scattered points, and the front of what nothing beats. */
import { line as path, scaleLinear, scaleLog } from "d3"
import type { Basis } from "../../../scenario/resolved.ts"
import { element, escaped } from "../markup.ts"
import { drawing, hue, label, legend, line, stroke, WIDTH, withRoom } from "./drawing.ts"

export interface Series {
  readonly name: string
  readonly basis: Basis
  /** Place of the hue in the palette. */
  readonly hue: number
  /** `title` is shown of the point where the reader rests on it. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly title: string }[]
}

export interface PlaneAxis {
  readonly title: string
  readonly show: (value: number) => string
  readonly log?: boolean
  /** Where the ticks are, ascending; chosen if they are not given. */
  readonly ticks?: readonly number[]
}

export interface PlaneOptions {
  /** Points of a series are joined in the order of x. */
  readonly joined?: boolean
  /** Ringed and joined behind everything: the front of non-dominated points. */
  readonly front?: readonly { readonly x: number; readonly y: number }[]
}

const LEFT = 58
const RIGHT = 10
const HEIGHT = 220

/** Smaller than anything that is measured: reckoning with such numbers overflows. */
const NOTHING = 1e-200

const settled = <P extends { readonly x: number; readonly y: number }>(point: P): P => ({
  ...point,
  x: Math.abs(point.x) < NOTHING ? 0 : point.x,
  y: Math.abs(point.y) < NOTHING ? 0 : point.y
})

const scaleOf = (values: readonly number[], log: boolean, range: readonly [number, number]) => {
  const least = Math.min(...values)
  const most = Math.max(...values)
  if (log && least > 0) return scaleLog([least / 1.1, most * 1.1], range)
  return scaleLinear([Math.min(0, least), most === 0 ? 1 : most * 1.05], range)
}

/** Ticks a scale proposes, fewer on logarithmic ones, with room for their texts. */
const ticksOf = (scale: ReturnType<typeof scaleOf>, count: number): readonly number[] => {
  const all = scale.ticks(count)
  if (all.length <= count + 2) return all
  const powers = all.filter((value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9)
  if (powers.length >= 3) return powers
  const step = Math.ceil(all.length / count)
  return all.filter((_, i) => i % step === 0)
}

/** Points of all series in one plane; points that are no numbers are left out. */
export const planeChart = (
  title: string,
  series: readonly Series[],
  across: PlaneAxis,
  up: PlaneAxis,
  { joined = false, front = [] }: PlaneOptions = {}
): string => {
  const known = series.map((one) => ({
    ...one,
    points: one.points
      .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
      .map(settled)
      .toSorted((a, b) => a.x - b.x || a.y - b.y)
  }))
  const all = known.flatMap(({ points }) => points)
  const key = legend(
    series.map(({ name }) => name),
    2,
    (i) => `share ${hue(series[i]!.hue)}`
  )
  const top = key.height + 20
  const bottom = top + HEIGHT
  if (all.length === 0)
    return drawing(title, "Nothing to show", top + 20, [key.markup, label(0, top + 10, "Nothing to show")])
  const x = scaleOf(
    all.map((point) => point.x),
    across.log === true,
    [LEFT + 6, WIDTH - RIGHT - 6]
  )
  const y = scaleOf(
    all.map((point) => point.y),
    up.log === true,
    [bottom, top]
  )
  const grid = [
    label(0, key.height + 10, `↑ ${up.title}`, { class: "tick" }),
    label(WIDTH, bottom + 34, `${across.title} →`, { anchor: "end", class: "tick" }),
    ...ticksOf(y, 5).flatMap((tick) => [
      line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid"),
      label(LEFT - 6, y(tick) + 4, up.show(tick), { anchor: "end", class: "tick" })
    ]),
    ...withRoom(across.ticks ?? ticksOf(x, 4), x, across.show).flatMap((tick) => [
      line(x(tick), bottom, x(tick), bottom + 4, "axis"),
      label(x(tick), bottom + 17, across.show(tick), { anchor: "middle", class: "tick" })
    ]),
    line(LEFT, bottom, WIDTH - RIGHT, bottom, "axis")
  ]
  const steps = front.toSorted((a, b) => a.x - b.x).map((point): [number, number] => [x(point.x), y(point.y)])
  const edge = [
    steps.length < 2 ? "" : element("path", { d: path()(steps) ?? "", class: "front" }),
    ...steps.map(([cx, cy]) => element("circle", { cx, cy, r: 7, class: "front" }))
  ].join("")
  const drawn = known.map(({ points, basis, hue: place }) => {
    const places = points.map((point): [number, number] => [x(point.x), y(point.y)])
    const joint =
      joined && places.length > 1
        ? element("path", { d: path()(places) ?? "", class: `curve ${hue(place)} ${stroke(basis)}` })
        : ""
    return (
      joint +
      points
        .map((point) =>
          element(
            "circle",
            { cx: x(point.x), cy: y(point.y), r: 3.5, class: `mark ${hue(place)} full` },
            element("title", {}, escaped(point.title))
          )
        )
        .join("")
    )
  })
  const words = known
    .map(({ name, points }) => `${name}: ${points.map((p) => p.title).join(", ")}`)
    .join("; ")
  return drawing(title, words.length > 2000 ? `${all.length} points` : words, bottom + 42, [
    key.markup,
    ...grid,
    edge,
    ...drawn
  ])
}

/** The points that no other beats in both: as far or farther `across`, as high or higher. */
export const paretoFront = <P extends { readonly x: number; readonly y: number }>(
  points: readonly P[],
  better: { readonly x: "more" | "less"; readonly y: "more" | "less" }
): readonly P[] => {
  const sign = (wanted: "more" | "less"): number => (wanted === "more" ? 1 : -1)
  const front: P[] = []
  for (const point of points
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    .toSorted((a, b) => sign(better.x) * (b.x - a.x) || sign(better.y) * (b.y - a.y))) {
    const last = front.at(-1)
    if (last === undefined || sign(better.y) * (point.y - last.y) > 0) front.push(point)
  }
  return front
}
