/** Percentiles: a line from the least to the greatest shown, a mark at each. */
import { scaleLog } from "d3"
import type { Basis } from "../../../scenario/resolved.ts"
import { element, escaped } from "../markup.ts"
import { drawing, fitted, hue, label, line, stroke, WIDTH, withRoom } from "./drawing.ts"

export interface Range {
  readonly name: string
  readonly basis: Basis
  /** Ascending, each with its name; what is not above zero is left out. */
  readonly marks: readonly { readonly name: string; readonly value: number }[]
}

/** An amount drawn as a line across all rows. */
export interface Threshold {
  readonly name: string
  readonly value: number
}

const ROW = 40
const MARGIN = 8

/** One row a range, on a logarithmic scale that all share. */
export const rangesChart = (
  title: string,
  ranges: readonly Range[],
  thresholds: readonly Threshold[],
  show: (value: number) => string,
  tick: (value: number) => string = show
): string => {
  const known = ranges.map((range) => ({ ...range, marks: range.marks.filter(({ value }) => value > 0) }))
  const values = [
    ...known.flatMap(({ marks }) => marks.map(({ value }) => value)),
    ...thresholds.map((t) => t.value)
  ]
  const low = Math.min(...values)
  const high = Math.max(...values)
  // A single value has room on both sides.
  const x = scaleLog(values.length === 0 ? [1, 10] : [low / 1.3, high * 1.3], [MARGIN, WIDTH - MARGIN])
  const top = thresholds.length * 16
  const bottom = top + ranges.length * ROW
  const ticks = ticksOf(x, tick)
  const grid = ticks.flatMap((at) => [
    line(x(at), top, x(at), bottom, "grid"),
    label(x(at), bottom + 15, tick(at), { anchor: "middle", class: "tick" })
  ])
  const limits = thresholds.flatMap(({ name, value }, i) => {
    const left = x(value) > WIDTH / 2
    return [
      line(x(value), i * 16 + 2, x(value), bottom, "threshold"),
      label(x(value) + (left ? -5 : 5), i * 16 + 12, name, { anchor: left ? "end" : "start", class: "limit" })
    ]
  })
  const rows = known.map(({ name, basis, marks }, i) => {
    const y = top + i * ROW
    const words = marks.map((mark) => `${mark.name} ${show(mark.value)}`).join(", ")
    if (marks.length === 0)
      return label(0, y + 14, fitted(name, WIDTH)) + label(0, y + 30, "none", { class: "value" })
    const first = x(marks[0]!.value)
    const last = x(marks.at(-1)!.value)
    return element(
      "g",
      {},
      element("title", {}, escaped(`${name}: ${words} (${basis})`)),
      label(0, y + 14, fitted(`${name}${basis === "measured" ? " (measured)" : ""}`, WIDTH)),
      line(first, y + 26, last, y + 26, `range ${hue(0)} ${stroke(basis)}`),
      ...marks.map(({ value }, k) =>
        element("circle", {
          cx: x(value),
          cy: y + 26,
          r: k === 0 ? 4.5 : 3,
          class: `mark ${hue(0)} ${basis === "measured" || k === 0 ? "full" : "hollow"}`
        })
      )
    )
  })
  const words = known
    .map(
      ({ name, marks }) => `${name}: ${marks.map((mark) => `${mark.name} ${show(mark.value)}`).join(", ")}`
    )
    .join("; ")
  return drawing(title, words, bottom + 22, [...grid, ...limits, ...rows])
}

/** Powers of ten, and their 2 and 5 folds where there are few, that have room beside one another. */
const ticksOf = (
  x: { (value: number): number; domain: () => number[] },
  show: (value: number) => string
): readonly number[] => {
  const [low, high] = x.domain() as [number, number]
  const decades = Math.log10(high / low)
  const steps = decades > 2.5 ? [1] : decades > 0.9 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]
  const all: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const step of steps) {
      const value = Number((step * 10 ** power).toPrecision(6))
      if (value >= low && value <= high) all.push(value)
    }
  return withRoom(all, x, show)
}
